package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessTableTest {
    @TempDir
    Path proc;

    private void process(long pid, String name, char state, long session, int threads, long startTicks)
            throws IOException {
        Path directory = Files.createDirectories(proc.resolve(Long.toString(pid)));
        Files.writeString(
                directory.resolve("stat"),
                pid + " (" + name + ") " + state + " 1 7 " + session + " 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 " + threads
                        + " 0 " + startTicks + " 1000 100\n");
    }

    @Test
    void aNameMayHoldSpacesAndParentheses() throws IOException {
        process(42, "my (odd) 1 2 3) name", 'S', 40, 3, 123456);
        assertThat(new ProcessTable(proc).find(42)).contains(new ProcessTable.Entry(42, 'S', 40, 3, 123456));
    }

    @Test
    void zombiesDoNotRunUnlessSomeOfTheirThreadsDo() throws IOException {
        process(41, "a", 'S', 40, 1, 1);
        process(42, "b", 'Z', 40, 1, 2);
        process(43, "c", 'R', 39, 1, 3);
        process(44, "d", 'Z', 40, 2, 4);
        Files.createDirectories(proc.resolve("sys"));
        assertThat(new ProcessTable(proc).session(40))
                .extracting(ProcessTable.Entry::pid)
                .containsExactlyInAnyOrder(41L, 44L);
    }

    @Test
    void whatIsNotThereIsEmpty() {
        ProcessTable table = new ProcessTable(proc.resolve("none"));
        assertThat(table.find(1)).isEmpty();
        assertThat(table.startTicks(1)).isEmpty();
        assertThat(table.session(1)).isEmpty();
        assertThat(table.bootIdentity()).isEmpty();
    }
}
