package org.tiproxy.supervisor;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

/** The configured command: found, shown and compared. */
final class ChildCommand {
    private static final Pattern SECRET =
            Pattern.compile("(?i)^(-{0,2}[\\w.-]*(?:password|passwd|secret|token)[\\w.-]*)(=.*)?$", Pattern.DOTALL);

    private final SupervisorConfig config;
    private final String shown;

    ChildCommand(SupervisorConfig config) {
        this.config = config;
        List<String> words = new ArrayList<>(List.of(config.exec()));
        boolean secretFollows = false;
        for (String arg : config.args()) {
            Matcher secret = SECRET.matcher(arg);
            boolean named = secret.matches();
            words.add(secretFollows ? "***" : quote(named && secret.group(2) != null ? secret.group(1) + "=***" : arg));
            secretFollows = named && secret.group(2) == null && arg.startsWith("-");
        }
        this.shown = String.join(" ", words);
    }

    /** For people: arguments that look like passwords are hidden. */
    @Override
    public String toString() {
        return shown;
    }

    /** Equal for equal programs, arguments and working directories; gives nothing away. */
    String fingerprint() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            List<String> parts = new ArrayList<>(config.args());
            parts.add(0, config.exec());
            parts.add(String.valueOf(config.workdir()));
            for (String part : parts) {
                byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
                digest.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
                digest.update(bytes);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /**
     * The program and its arguments, ready to be spawned.
     *
     * @throws ProxyException if there is no such program, or something cannot be passed to one
     */
    List<String> resolve() throws ProxyException {
        List<String> command = new ArrayList<>();
        try {
            command.add(program().toString());
        } catch (InvalidPathException e) {
            throw failure("its name cannot be a path here: " + e.getReason() + "; is the locale UTF-8?");
        }
        for (String arg : config.args()) {
            if (arg.indexOf('\0') >= 0) {
                throw failure("its argument " + command.size() + " holds a NUL character");
            }
            command.add(arg);
        }
        return command;
    }

    private Path program() throws ProxyException {
        Path workdir = Optional.ofNullable(config.workdir()).orElse(Path.of("")).toAbsolutePath();
        if (!Files.isDirectory(workdir)) {
            throw failure("the working directory " + workdir + " does not exist");
        }
        Path inWorkdir = workdir.resolve(config.exec());
        if (Files.isRegularFile(inWorkdir) && Files.isExecutable(inWorkdir)) {
            return inWorkdir;
        }
        if (config.exec().contains("/")) {
            throw failure(inWorkdir + (Files.exists(inWorkdir) ? " is not an executable file" : " does not exist"));
        }
        return onPath(config.exec())
                .orElseThrow(() -> failure("there is no executable " + config.exec() + " in " + workdir
                        + " nor on the PATH (" + System.getenv("PATH") + ")"));
    }

    /** Looks an executable up in {@code PATH}. */
    static Optional<Path> onPath(String name) {
        String path = System.getenv("PATH");
        for (String directory : (path == null ? "" : path).split(":", -1)) {
            if (!directory.isEmpty()) {
                Path candidate = Path.of(directory).toAbsolutePath().resolve(name);
                if (Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
                    return Optional.of(candidate);
                }
            }
        }
        return Optional.empty();
    }

    private ProxyException failure(String why) {
        return new ProxyException(ProxyError.BACKEND_START_FAILED, shown + " cannot be started: " + why);
    }

    private static String quote(String word) {
        boolean plain = !word.isEmpty() && word.chars().noneMatch(c -> c <= ' ' || "'\"\\$`*?&|;<>()".indexOf(c) >= 0);
        return plain ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
