package org.tiproxy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.app.TiProxyConfig;
import org.tiproxy.common.HostPort;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.supervisor.SupervisorConfig;

class MainTest {
    @TempDir
    Path folder;

    private final Map<String, String> environment = new HashMap<>(Map.of("PATH", "/bin:/usr/bin"));
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final List<TiProxyConfig> launched = new ArrayList<>();

    private int run(Launcher launcher, String... args) {
        out.reset();
        err.reset();
        return Main.run(
                args,
                environment,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                launcher);
    }

    private int run(String... args) {
        return run(launched::add, args);
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private List<String> err() {
        return err.toString(StandardCharsets.UTF_8).lines().toList();
    }

    private SupervisorConfig launchedSupervisor() {
        assertThat(err()).isEmpty();
        assertThat(launched).hasSize(1);
        return Objects.requireNonNull(launched.get(0).supervisor());
    }

    @AfterEach
    void nothingIsStartedUnlessAllIsWell() {
        if (!err.toString(StandardCharsets.UTF_8).isEmpty()) {
            assertThat(launched).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--bind 127.0.0.1:1 --dest 127.0.0.1:2 --exec sh --workdir / --idle 1m30s --start 2s --ready 3ms --protocol tcp",
                "-bind 127.0.0.1:1 -dest 127.0.0.1:2 -exec sh -workdir / -idle 1m30s -start 2s -ready 3ms -protocol tcp",
                "--bind=127.0.0.1:1 --dest=127.0.0.1:2 --exec=sh --workdir=/ --idle=1m30s --start=2s --ready=3ms --protocol=tcp",
                "-bind=127.0.0.1:1 -dest=127.0.0.1:2 -exec=sh -workdir=/ -idle=1m30s -start=2s -ready=3ms -protocol=tcp",
                "-idle 1m30s --idle=5s -idle=1m30s --bind 127.0.0.1:1 -dest=127.0.0.1:2 -exec sh -workdir / -start 2s -ready 3ms",
            })
    void flagsHaveOneDashOrTwoAndASpaceOrEquals(String line) {
        assertThat(run(line.split(" ", -1))).isZero();

        SupervisorConfig supervisor = launchedSupervisor();
        assertThat(launched.get(0).proxy().address()).isEqualTo(new HostPort("127.0.0.1", 1));
        assertThat(supervisor.address()).isEqualTo(new HostPort("127.0.0.1", 2));
        assertThat(supervisor.exec()).isEqualTo("/bin/sh");
        assertThat(supervisor.workdir()).isEqualTo(Path.of("/"));
        assertThat(supervisor.idleTimeout()).isEqualTo(Duration.ofSeconds(90));
        assertThat(supervisor.startTimeout()).isEqualTo(Duration.ofSeconds(2));
        assertThat(supervisor.readyInterval()).isEqualTo(Duration.ofMillis(3));
        assertThat(supervisor.args()).isEmpty();
    }

    @Test
    void everythingAfterTheFirstTwoDashesIsTheChilds() {
        assertThat(run("--dest", "127.0.0.1:2", "--exec", "sh", "--", "-c", "a,b", "--", "--help", "", "@x"))
                .isZero();

        assertThat(launchedSupervisor().args()).containsExactly("-c", "a,b", "--", "--help", "", "@x");
    }

    @Test
    void withoutProgramItIsAPlainProxy() {
        assertThat(run("--dest", "127.0.0.1:2")).isZero();

        assertThat(launched)
                .singleElement()
                .extracting(TiProxyConfig::supervisor)
                .isNull();
    }

    @Test
    void flagsWinOverEnvironmentWhichWinsOverTheFile() throws IOException {
        Path file = Files.writeString(folder.resolve("x.toml"), """
                backend.instances = ["127.0.0.1:2"]
                proxy.addr = "127.0.0.1:10"
                proxy.max-connections = 11
                supervisor = {exec = "sh", idle = "12s", start = "13s"}
                """);
        environment.put("TIPROXY_CONFIG", file.toString());
        environment.put("TIPROXY_PROXY_MAX_CONNECTIONS", "20");
        environment.put("TIPROXY_SUPERVISOR_IDLE", "21s");
        environment.put("TIPROXY_SUPERVISOR_ARGS", "a, b");

        assertThat(run("--idle", "30s")).isZero();

        SupervisorConfig supervisor = launchedSupervisor();
        assertThat(launched.get(0).proxy().address().port()).isEqualTo(10);
        assertThat(launched.get(0).proxy().maxConnections()).isEqualTo(20);
        assertThat(launched.get(0).configFile()).isEqualTo(file);
        assertThat(supervisor.startTimeout()).isEqualTo(Duration.ofSeconds(13));
        assertThat(supervisor.idleTimeout()).isEqualTo(Duration.ofSeconds(30));
        assertThat(supervisor.args()).containsExactly("a", "b");
    }

    @Test
    void configFlagWinsOverItsVariable() throws IOException {
        environment.put("TIPROXY_CONFIG", "/does/not/exist");
        Path file = Files.writeString(folder.resolve("x.toml"), "backend.instances = [\"127.0.0.1:2\"]");

        assertThat(run("-config=" + file)).isZero();
        assertThat(launched).hasSize(1);
    }

    @Test
    void allMistakesComeOutTogether() throws IOException {
        Path file = Files.writeString(
                folder.resolve("tiproxy.toml"), "[proxy]\nadr = \"x\"\naddr = 4000\n[jmx]\nuser = \"u\"\n");
        environment.put("TIPROXY_JMX_ADDR", "0.0.0.0:9010");
        environment.put("TIPROXY_JXM_USER", "u");

        int status = run(
                "--config",
                file.toString(),
                "--idle",
                "30 parsecs",
                "stray",
                "--binf=x",
                "--start",
                "--ready=0",
                "--",
                "c");

        assertThat(status).isEqualTo(2);
        assertThat(out()).isEmpty();
        assertThat(err())
                .containsExactly(
                        "tiproxy: 13 configuration errors, nothing was started",
                        "  " + file + ":2: proxy.adr: unknown key; did you mean proxy.addr?",
                        "  " + file
                                + ":3: proxy.addr: 4000: expected host:port such as 127.0.0.1:4000, found an integer",
                        "  " + file + ":5: jmx.user: needs jmx.password (or jmx.password-file) too",
                        "  TIPROXY_JXM_USER: unknown variable; did you mean TIPROXY_JMX_USER?",
                        "  \"stray\": unexpected word; arguments of the program to start belong after --",
                        "  --binf: unknown flag; did you mean --bind?",
                        "  --start: needs a value: --start <duration>",
                        "  --idle: \"30 parsecs\": expected a duration such as 30s, 500ms or 1m30s, or never"
                                + " (unknown unit \" parsecs\")",
                        "  --ready: \"0\": expected a duration such as 30s, 500ms or 1m30s, more than 0",
                        "  arguments after --: has no effect without a program to start (--exec, or exec in [supervisor])",
                        "  --idle: has no effect without a program to start (--exec, or exec in [supervisor])",
                        "  --ready: has no effect without a program to start (--exec, or exec in [supervisor])",
                        "  backend.instances: no backend was given: use --dest host:port, or instances in [backend]");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--idel=1s                | --idel: unknown flag; did you mean --idle?",
                "-dst 127.0.0.1:5         | -dst: unknown flag; did you mean --dest?",
                "--frobnicate             | --frobnicate: unknown flag",
                "--jmx.password hunter2   | --jmx.password: unknown flag; give jmx.password in the file, or as TIPROXY_JMX_PASSWORD",
                "--jmx-password=hunter2   | --jmx-password: unknown flag; give jmx.password in the file, or as TIPROXY_JMX_PASSWORD",
                "--bind                   | --bind: needs a value: --bind <host:port>",
                "--config                 | --config: needs a value: --config <file>",
                "--config --bind=a:1      | --config: needs a value: --config <file>",
                "--config=                | --config: expected the path of a file, found nothing",
                "--config=/does/not/exist | --config: \"/does/not/exist\": no such file",
                "--check-config=perhaps   | --check-config: \"perhaps\": takes no value",
                "--protocol http          | --protocol: \"http\": expected tcp or mysql",
                "-                        | -: unknown flag",
                "--bind -x:1x             | --bind: \"-x:1x\": expected host:port such as 127.0.0.1:4000 (it needs a port between 0 and 65535 after the ':')",
            })
    void saysWhatIsWrongWithTheCommandLine(String line, String error) {
        List<String> args = new ArrayList<>(List.of("--dest", "127.0.0.1:2"));
        args.addAll(Arrays.asList(line.split(" ", -1)));

        assertThat(run(args.toArray(String[]::new))).isEqualTo(2);
        assertThat(err()).containsExactly("tiproxy: 1 configuration error, nothing was started", "  " + error);
    }

    @Test
    void checkConfigOnlyChecks() throws IOException {
        Path file = Files.writeString(
                folder.resolve("x.toml"), "workdir = \"w\"\n[backend]\ninstances = [\"127.0.0.1:2\"]\n");

        assertThat(run("--check-config", "--config", file.toString())).isZero();
        assertThat(out()).isEqualTo("configuration is valid" + System.lineSeparator());
        assertThat(err())
                .containsExactly("tiproxy: warning: " + file + ": ignored, because they do not apply here: workdir");
        assertThat(run("--check-config")).isEqualTo(2);
        assertThat(launched).isEmpty();
    }

    @Test
    void withoutAnyArgumentItSaysWhatItNeeds() {
        assertThat(run()).isEqualTo(2);

        assertThat(err())
                .containsExactly(
                        "usage: tiproxy --dest host:port [--exec program] [options] [-- arguments of the program]",
                        "       tiproxy --help tells more",
                        "tiproxy: 1 configuration error, nothing was started",
                        "  backend.instances: no backend was given: use --dest host:port, or instances in [backend]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "-help", "-h"})
    void helpListsEveryFlagWithItsDefault(String flag) {
        assertThat(run(flag, "--bogus")).isZero();

        assertThat(out())
                .contains("--bind=<host:port>", "(default 0.0.0.0:4000)", "--idle=<duration or never>", "(default 30s)")
                .contains("--dest", "--exec", "--workdir", "--start", "--ready", "--protocol", "--config")
                .contains("--check-config", "--version", "--help", "--completion", "README.md");
        assertThat(launched).isEmpty();
    }

    @Test
    void versionNamesTheProgramJavaAndTheSystem() {
        assertThat(run("--version")).isZero();

        assertThat(out())
                .matches("(?s)tiproxy \\d+\\.\\d+.*")
                .contains("Java " + System.getProperty("java.version"), System.getProperty("os.name"))
                .doesNotContain("${");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--completion", "--completion=bash", "--completion zsh", "-completion"})
    void completionIsAShellScript(String line) {
        assertThat(run(line.split(" ", -1))).isZero();

        assertThat(out()).startsWith("#!/usr/bin/env bash").contains("--check-config", "compdef", "complete");
    }

    @Test
    void completionForOtherShellsDoesNotExist() {
        assertThat(run("--completion=fish")).isEqualTo(2);
        assertThat(err()).contains("  --completion: \"fish\": expected bash or zsh");
    }

    @Test
    void failureToStartIsOneLine() {
        assertThat(failure(new BindException("127.0.0.1:4000: address already in use")))
                .isEqualTo("tiproxy: 127.0.0.1:4000: address already in use");
        assertThat(failure(new ProxyException(ProxyError.BACKEND_ADDRESS_TAKEN, "taken by pid 4")))
                .isEqualTo("tiproxy: taken by pid 4");
        assertThat(failure(new IOException())).isEqualTo("tiproxy: java.io.IOException");
        assertThat(failure(new IllegalStateException("bug")))
                .isEqualTo("tiproxy: java.lang.IllegalStateException: bug");
    }

    private @Nullable String failure(Exception cause) {
        int status = run(
                config -> {
                    throw cause;
                },
                "--dest",
                "127.0.0.1:2");
        assertThat(status).isEqualTo(1);
        assertThat(err()).hasSize(1);
        return err().get(0);
    }
}
