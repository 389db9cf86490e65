package org.tiproxy.supervisor;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Spawns processes that outlive us and cannot be hurt by how we end.
 *
 * <p>Where {@code setsid} exists a child gets a session of its own: the terminal's Ctrl-C does not reach it, and all its
 * descendants can be found by the session. Where a FIFO for its output is given, the child itself holds the FIFO open
 * for reading and writing: with a plain pipe our death would make its next write fail with EPIPE or SIGPIPE. A shell
 * does both and is then replaced by the child, so the pid stays the same and no shell is left.
 */
final class ChildLauncher {
    private static final Path SHELL = Path.of("/bin/sh");
    private static final File NULL_DEVICE = new File("/dev/null");

    private final @Nullable String setsid =
            ChildCommand.onPath("setsid").map(Path::toString).orElse(null);
    private final @Nullable String mkfifo =
            ChildCommand.onPath("mkfifo").map(Path::toString).orElse(null);
    private final Charset nativeCharset;

    ChildLauncher() {
        this(Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8")));
    }

    /** @param nativeCharset how the JDK encodes the arguments of a process */
    ChildLauncher(Charset nativeCharset) {
        this.nativeCharset = nativeCharset;
    }

    /** True if a child has a session of its own. */
    boolean separatesSessions() {
        return setsid != null;
    }

    /** True if a FIFO can be made and used. */
    boolean supportsFifo() {
        return mkfifo != null && Files.isExecutable(SHELL) && NULL_DEVICE.exists();
    }

    /** Makes a FIFO that only our user may open. */
    void makeFifo(Path fifo) throws IOException {
        Process process = new ProcessBuilder(String.valueOf(mkfifo), "-m", "600", fifo.toString())
                .redirectErrorStream(true)
                .start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), Charset.defaultCharset()).trim();
            if (process.waitFor() != 0) {
                throw new IOException("mkfifo " + fifo + ": " + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while making " + fifo, e);
        }
    }

    /**
     * Spawns {@code command}. Without a FIFO its output is a pipe which the caller must read.
     *
     * @param command the program's path and its arguments, passed on verbatim
     */
    Process launch(List<String> command, @Nullable Path workdir, @Nullable Path fifo) throws IOException {
        List<String> full = new ArrayList<>();
        if (setsid != null) {
            full.add(setsid);
        }
        full.addAll(command);
        ProcessBuilder builder;
        if (fifo != null) {
            builder = new ProcessBuilder(underShell(full, fifo.toString()));
            builder.redirectInput(NULL_DEVICE)
                    .redirectOutput(Redirect.DISCARD)
                    .redirectError(Redirect.appendTo(fifo.toFile()));
        } else {
            builder = new ProcessBuilder(full).redirectErrorStream(true);
            if (NULL_DEVICE.exists()) {
                builder.redirectInput(NULL_DEVICE);
            }
        }
        if (workdir != null) {
            builder.directory(workdir.toFile());
        }
        return builder.start();
    }

    private List<String> underShell(List<String> command, String fifo) {
        String redirections = " 1<>\"$0\" 2>&1 </dev/null";
        boolean representable = command.stream().allMatch(nativeCharset.newEncoder()::canEncode);
        List<String> words = new ArrayList<>(List.of(SHELL.toString(), "-c"));
        if (representable) {
            words.add("exec \"$@\"" + redirections);
            words.add(fifo);
            words.addAll(command);
        } else {
            // The JDK would pass a '?' for what the locale (often C in containers) lacks: let the shell build the
            // bytes.
            StringBuilder script = new StringBuilder();
            for (String word : command) {
                // The dot protects trailing newlines, which $(…) would strip.
                script.append("w=$(printf '").append(octal(word)).append(".'); set -- \"$@\" \"${w%.}\"; ");
            }
            words.add(script + "exec \"$@\"" + redirections);
            words.add(fifo);
        }
        return words;
    }

    private static String octal(String word) {
        StringBuilder text = new StringBuilder();
        for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
            text.append(String.format(Locale.ROOT, "\\%03o", b & 0xff));
        }
        return text.toString();
    }
}
