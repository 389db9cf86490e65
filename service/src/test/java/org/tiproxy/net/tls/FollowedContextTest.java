package org.tiproxy.net.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.ssl.SslContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FollowedContextTest {
    private static final Logger LOGGER = Logger.getLogger(FollowedContext.class.getName());

    @TempDir
    Path folder;

    private final List<String> logged = new ArrayList<>();
    private final List<String> made = new ArrayList<>();
    private final Handler recorder = new Handler() {
        @Override
        public void publish(LogRecord event) {
            logged.add(event.getLevel() + " " + new SimpleFormatter().formatMessage(event));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };
    private TestAuthority authority;

    @BeforeEach
    void record() throws Exception {
        LOGGER.addHandler(recorder);
        authority = new TestAuthority(folder, "ca");
        authority.issue("server", "first");
    }

    @AfterEach
    void stopRecording() {
        LOGGER.removeHandler(recorder);
    }

    private FollowedContext follow(Path certificate, Path key) throws PemException {
        return new FollowedContext(
                "security.test",
                new TlsFiles(certificate, key, authority.file()),
                material -> {
                    made.add(material.chain().get(0).getSubjectX500Principal().getName());
                    return TlsContexts.forClients(
                            new SecurityConfig.ServerTls(
                                    TlsFiles.NONE, false, false, List.of(), SecurityConfig.protocolsFrom("1.2")),
                            material);
                },
                Clock.systemUTC());
    }

    private FollowedContext follow() throws PemException {
        return follow(folder.resolve("server.pem"), folder.resolve("server-key.pem"));
    }

    @Test
    void unchangedFilesAreNotReadAgain() throws Exception {
        FollowedContext context = follow();
        SslContext first = context.current();

        context.check();
        context.check();

        assertThat(context.current()).isSameAs(first);
        assertThat(made).containsExactly("CN=first");
        assertThat(logged).isEmpty();
    }

    @Test
    void aChangeIsUsedWhenItHasSettled() throws Exception {
        FollowedContext context = follow();
        SslContext first = context.current();
        authority.issue("server", "second");

        context.check();
        assertThat(context.current()).isSameAs(first);
        context.check();
        assertThat(context.current()).isNotSameAs(first);
        context.check();

        assertThat(made).containsExactly("CN=first", "CN=second");
        assertThat(logged)
                .singleElement()
                .asString()
                .startsWith("INFO security.test: reloaded: CN=second, valid until 20");
    }

    @Test
    void brokenFilesLeaveTheOldOnesInUseAndAreReportedOnce() throws Exception {
        FollowedContext context = follow();
        SslContext first = context.current();
        Files.writeString(folder.resolve("server-key.pem"), "not a key");

        for (int i = 0; i < 4; i++) {
            context.check();
        }

        assertThat(context.current()).isSameAs(first);
        assertThat(logged)
                .containsExactly(
                        "WARNING security.test: the files have changed but cannot be used, so the old ones stay"
                                + " in use: " + folder.resolve("server-key.pem")
                                + ": holds no private key (no line -----BEGIN PRIVATE KEY-----); it is no PEM file");
    }

    @Test
    void mendedFilesAreUsed() throws Exception {
        FollowedContext context = follow();
        Files.delete(folder.resolve("server.pem"));
        context.check();
        context.check();
        authority.issue("server", "mended");
        context.check();
        context.check();

        assertThat(made).containsExactly("CN=first", "CN=mended");
        assertThat(logged).hasSize(2).first().asString().contains("server.pem: no such file");
    }

    /** As Kubernetes does: the files are links through a link to a folder, which is replaced in one step. */
    @Test
    void aSwappedLinkIsAChange() throws Exception {
        issueInto("one", "first");
        issueInto("two", "second");
        Path data = Files.createSymbolicLink(folder.resolve("..data"), Path.of("one"));
        Path certificate = Files.createSymbolicLink(folder.resolve("tls.crt"), Path.of("..data/tls.pem"));
        Path key = Files.createSymbolicLink(folder.resolve("tls.key"), Path.of("..data/tls-key.pem"));
        FollowedContext context = follow(certificate, key);

        Path next = Files.createSymbolicLink(folder.resolve("..next"), Path.of("two"));
        Files.move(next, data, StandardCopyOption.ATOMIC_MOVE);
        context.check();
        context.check();

        assertThat(made).containsExactly("CN=first", "CN=second");
    }

    private void issueInto(String name, String commonName) throws Exception {
        Path target = Files.createDirectory(folder.resolve(name));
        new TestAuthority(target, "ca").issue("tls", commonName);
    }

    @Test
    void filesThatCannotBeUsedAtFirstAreAFailure() throws GeneralSecurityException {
        assertThatThrownBy(() -> follow(folder.resolve("none"), folder.resolve("server-key.pem")))
                .isInstanceOf(PemException.class)
                .hasMessage(folder.resolve("none") + ": no such file");
    }
}
