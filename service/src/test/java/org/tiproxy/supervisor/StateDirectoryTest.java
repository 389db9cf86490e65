package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.common.HostPort;
import org.tiproxy.error.ProxyException;

class StateDirectoryTest {
    private static final HostPort ADDRESS = new HostPort("::1", 3000);

    private final ProcessTable processes = new ProcessTable();
    private final ChildCommand command =
            new ChildCommand(SupervisorConfigs.sample().build());

    @TempDir
    Path directory;

    @Test
    void aRecordIsReadAsItWasWritten() throws Exception {
        try (StateDirectory state = StateDirectory.open(directory, ADDRESS)) {
            assertThat(state.read()).isEmpty();
            ChildRecord record = ChildRecord.of(ProcessHandle.current(), processes, command, "pipe");
            state.write(record);
            assertThat(state.read()).contains(record);
            assertThat(record.running(processes)).contains(ProcessHandle.current());
            state.erase();
            assertThat(state.read()).isEmpty();
        }
    }

    @Test
    void aReusedPidIsNotOurChild() {
        ChildRecord record = ChildRecord.of(ProcessHandle.current(), processes, command, "pipe");
        ChildRecord earlier = new ChildRecord(
                record.pid(), record.startTicks() - 1, "2020-01-01T00:00:00Z", record.boot(), "", "", "pipe");
        assertThat(earlier.running(processes)).isEmpty();
    }

    @Test
    void aRecordOfAnotherBootMeansNothing() {
        ChildRecord record = ChildRecord.of(ProcessHandle.current(), processes, command, "pipe");
        ChildRecord other =
                new ChildRecord(record.pid(), record.startTicks(), record.start(), "another boot", "", "", "pipe");
        assertThat(other.running(processes)).isEmpty();
    }

    @Test
    void aDamagedRecordIsNoRecord() throws Exception {
        try (StateDirectory state = StateDirectory.open(directory, ADDRESS)) {
            Files.writeString(directory.resolve("___1__3000.properties"), "pid=\\u00zz");
            assertThat(state.read()).isEmpty();
            Files.writeString(directory.resolve("___1__3000.properties"), "pid=many");
            assertThat(state.read()).isEmpty();
        }
    }

    @Test
    void theLockIsFreeAgainAfterClose() throws Exception {
        StateDirectory.open(directory, ADDRESS).close();
        try (StateDirectory state = StateDirectory.open(directory, ADDRESS);
                StateDirectory other = StateDirectory.open(directory, new HostPort("::1", 3001))) {
            assertThat(state.fifo()).isNotEqualTo(other.fifo());
            assertThatThrownBy(() -> StateDirectory.open(directory, ADDRESS)).isInstanceOf(ProxyException.class);
            assertThatThrownBy(() -> StateDirectory.open(directory, ADDRESS))
                    .as("a failed attempt does not free the lock")
                    .hasMessageContaining("[::1]:3000");
        }
    }

    @Test
    void aDirectoryThatEverybodyMayWriteIsRefused() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThatThrownBy(() -> StateDirectory.open(directory, ADDRESS)).hasMessageContaining("written by everybody");
    }
}
