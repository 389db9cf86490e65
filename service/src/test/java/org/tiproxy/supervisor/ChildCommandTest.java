package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.error.ProxyException;

class ChildCommandTest {
    @TempDir
    Path workdir;

    private ChildCommand command(String exec, String... args) {
        return new ChildCommand(SupervisorConfigs.sample()
                .command(exec, List.of(args))
                .workdir(workdir)
                .build());
    }

    @Test
    void aNameIsFoundInTheWorkingDirectoryBeforeThePath() throws Exception {
        assertThat(command("sh", "-c").resolve()).hasSize(2).first().asString().endsWith("/sh");
        Path own = Files.createFile(workdir.resolve("sh"));
        assertThat(command("sh").resolve()).as("not executable").doesNotContain(own.toString());
        Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwx------"));
        assertThat(command("sh").resolve()).containsExactly(own.toString());
        assertThat(command("./sh").resolve())
                .containsExactly(workdir.resolve("./sh").toString());
    }

    @Test
    void whatCannotBeStartedIsExplained() throws Exception {
        assertThatThrownBy(() -> command("no-such-program").resolve())
                .isInstanceOf(ProxyException.class)
                .hasMessageContaining("no executable no-such-program in " + workdir);
        assertThatThrownBy(() -> command("./none").resolve()).hasMessageContaining("none does not exist");
        Files.createFile(workdir.resolve("plain"));
        assertThatThrownBy(() -> command("./plain").resolve()).hasMessageContaining("is not an executable file");
        assertThatThrownBy(() -> command("sh", "a\0b").resolve()).hasMessageContaining("argument 1 holds a NUL");
        ChildCommand elsewhere = new ChildCommand(SupervisorConfigs.sample()
                .command("sh", List.of())
                .workdir(workdir.resolve("missing"))
                .build());
        assertThatThrownBy(elsewhere::resolve).hasMessageContaining("missing does not exist");
    }

    @Test
    void passwordsAreNotShown() {
        assertThat(command("db", "--password=s3cret", "--user=me", "--root-password", "s3cret", "", "it's"))
                .hasToString("db '--password=***' --user=me --root-password *** '' 'it'\\''s'");
    }

    @Test
    void fingerprintsTellCommandsApart() {
        String fingerprint = command("db", "a", "b").fingerprint();
        assertThat(command("db", "a", "b").fingerprint()).isEqualTo(fingerprint);
        assertThat(command("db", "a b").fingerprint()).isNotEqualTo(fingerprint);
        assertThat(command("db", "ab", "").fingerprint()).isNotEqualTo(fingerprint);
    }
}
