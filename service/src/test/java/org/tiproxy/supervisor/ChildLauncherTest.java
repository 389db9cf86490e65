package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ChildLauncherTest {
    @TempDir
    Path directory;

    static Stream<Charset> charsets() {
        return Stream.of(StandardCharsets.UTF_8, StandardCharsets.US_ASCII);
    }

    @ParameterizedTest
    @MethodSource("charsets")
    void argumentsArriveVerbatimWhateverTheLocale(Charset charset) throws Exception {
        ChildLauncher launcher = new ChildLauncher(charset);
        Path fifo = directory.resolve("out");
        launcher.makeFifo(fifo);
        try (ChildOutput output = new ChildOutput()) {
            output.readFifo(fifo);
            String script = "for a; do printf '[%s]' \"$a\"; done; echo";
            List<String> command = List.of(
                    "/bin/sh", "-c", script, "sh", "gr\u00fc\u00df", "\u65e5", "", "a 'b' \"c\" $d \\", "-n", "%s");
            Process process = launcher.launch(command, null, fifo);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            output.drained(60_000).join();
            assertThat(output.tail(10)).containsExactly("[gr\u00fc\u00df][\u65e5][][a 'b' \"c\" $d \\][-n][%s]");
        }
    }

    @ParameterizedTest
    @MethodSource("charsets")
    void withoutAFifoThereIsAPipe(Charset charset) throws Exception {
        try (ChildOutput output = new ChildOutput()) {
            Process process =
                    new ChildLauncher(charset).launch(List.of("/bin/sh", "-c", "echo out; echo err >&2"), null, null);
            output.readPipe(process.getInputStream());
            output.drained(60_000).join();
            assertThat(output.tail(10)).containsExactly("out", "err");
        }
    }
}
