package org.tiproxy.drivers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.tiproxy.testing.MariaDbServer;

/** Runs client programs that are not written in Java. */
final class ClientProgram {
    /** Where {@code .ci/run} installs the modules of Node and Python. */
    static final Path CLIENTS =
            Path.of("..", "target", "clients").toAbsolutePath().normalize();

    /** For programs that do not connect: a port that their output does not mention. */
    private static final int NO_PORT = 65_536;

    private ClientProgram() {}

    /**
     * Runs a program in a folder.
     *
     * @return what it printed, standard output and error together, and its exit code
     */
    static List<String> run(Path folder, int port, List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile(folder, "output", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("PYTHONPATH", CLIENTS.resolve("python").toString());
        builder.environment().put("HOME", folder.toString());
        builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        Process process = builder.start();
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            throw new IllegalStateException("does not end: " + command);
        }
        Transcript transcript = new Transcript(port);
        new String(Files.readAllBytes(output), StandardCharsets.ISO_8859_1)
                .lines()
                .forEach(transcript::line);
        transcript.line("exit code " + process.exitValue());
        return transcript.lines();
    }

    /** Whether a command can be run and succeeds. */
    static boolean works(Path folder, String... command) throws InterruptedException {
        try {
            return run(folder, NO_PORT, Arrays.asList(command)).contains("exit code 0");
        } catch (IOException e) {
            return false;
        }
    }

    /** The command line clients there are: the installed one, and the one that came with the unpacked server. */
    static List<Path> commandLines() throws IOException {
        List<Path> found = new ArrayList<>();
        Optional<Path> unpacked = MariaDbServer.unpacked();
        for (Path basedir : List.of(Path.of("/usr"), Path.of("/usr/local"), unpacked.orElse(Path.of("/nowhere")))) {
            Path client = basedir.resolve(Path.of("bin", "mariadb"));
            if (Files.isExecutable(client)) {
                found.add(client);
            }
        }
        return found;
    }
}
