package org.tiproxy.cli;

import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tiproxy.app.TiProxyConfig;
import org.tiproxy.app.Version;
import org.tiproxy.config.ConfigException;
import org.tiproxy.config.Origin;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.SettingsReader;
import picocli.AutoComplete;

/** The command {@code tiproxy}: reads the configuration and runs the service, or says what is wrong. */
public final class Main {
    /** Everything went as it should. */
    static final int OK = 0;
    /** The service could not start or go on. */
    static final int FAILED = 1;
    /** The command line or the configuration is wrong; nothing was started. */
    static final int MISCONFIGURED = 2;

    private final Map<String, String> environment;
    private final PrintStream out;
    private final PrintStream err;
    private final Launcher launcher;

    private Main(Map<String, String> environment, PrintStream out, PrintStream err, Launcher launcher) {
        this.environment = environment;
        this.out = out;
        this.err = err;
        this.launcher = launcher;
    }

    /** The program's entry. */
    public static void main(String[] args) {
        System.exit(run(args, System.getenv(), System.out, System.err, ServiceProcess::run));
    }

    /**
     * Runs the program.
     *
     * @return the exit status: 0 when all went well, 1 when the service failed, 2 when the configuration is wrong
     */
    public static int run(
            String[] args, Map<String, String> environment, PrintStream out, PrintStream err, Launcher launcher) {
        return new Main(environment, out, err, launcher).run(args);
    }

    private int run(String[] args) {
        Problems problems = new Problems();
        Arguments arguments = Arguments.parse(args, problems);
        if (arguments.has(CommandLineFlags.HELP)) {
            out.print(CommandLineFlags.commandLine().getUsageMessage());
            return OK;
        }
        if (arguments.has(CommandLineFlags.VERSION)) {
            printVersion();
            return OK;
        }
        if (arguments.has(CommandLineFlags.COMPLETION)) {
            return printCompletion(arguments.value(CommandLineFlags.COMPLETION));
        }
        TiProxyConfig config;
        try {
            config = read(arguments, problems);
        } catch (ConfigException e) {
            if (args.length == 0) {
                err.println("usage: " + CommandLineFlags.SYNOPSIS + System.lineSeparator()
                        + "       tiproxy --help tells more");
            }
            report(e.errors(), e.warnings());
            return MISCONFIGURED;
        }
        report(List.of(), problems.warnings());
        if (arguments.has(CommandLineFlags.CHECK_CONFIG)) {
            out.println("configuration is valid");
            return OK;
        }
        return start(config);
    }

    private TiProxyConfig read(Arguments arguments, Problems problems) throws ConfigException {
        SettingsReader reader = new SettingsReader(TiProxyConfig.KEYS, TiProxyConfig.IGNORED, environment, problems);
        @Nullable String flag = arguments.value(CommandLineFlags.CONFIG);
        @Nullable String variable = environment.get(SettingsReader.CONFIG_FILE_VARIABLE);
        if (flag != null) {
            readFile(reader, flag, Origin.ofFlag("--" + CommandLineFlags.CONFIG, ""), problems);
        } else if (variable != null && !arguments.has(CommandLineFlags.CONFIG)) {
            readFile(reader, variable, Origin.ofVariable(SettingsReader.CONFIG_FILE_VARIABLE, ""), problems);
        }
        arguments.read(reader);
        return TiProxyConfig.from(reader.settings(), problems);
    }

    private static void readFile(SettingsReader reader, String name, Origin origin, Problems problems) {
        if (name.isEmpty()) {
            problems.error(origin, "expected the path of a file, found nothing");
            return;
        }
        try {
            reader.readFile(Path.of(name), name, origin);
        } catch (InvalidPathException e) {
            problems.error(origin, Problem.quote(name) + ": expected the path of a file (" + e.getReason() + ")");
        }
    }

    private int start(TiProxyConfig config) {
        try {
            launcher.launch(config);
            return OK;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            err.println("tiproxy: interrupted");
            return FAILED;
        } catch (Exception e) {
            // A message alone can be too short ("null", a file's name); a made-for-people one never is.
            @Nullable String message = e.getMessage();
            boolean forPeople = message != null && !(e instanceof RuntimeException);
            err.println("tiproxy: " + (forPeople ? message : e.toString()));
            return FAILED;
        }
    }

    private void report(List<Problem> errors, List<Problem> warnings) {
        if (!errors.isEmpty()) {
            err.println("tiproxy: " + count(errors.size()) + ", nothing was started");
            errors.forEach(error -> err.println("  " + error));
        }
        warnings.forEach(warning -> err.println("tiproxy: warning: " + warning));
    }

    private static String count(int errors) {
        return errors == 1 ? "1 configuration error" : errors + " configuration errors";
    }

    private void printVersion() {
        out.println("tiproxy " + Version.current());
        out.println("Java " + System.getProperty("java.version") + " (" + System.getProperty("java.vendor") + "), "
                + System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch"));
    }

    private int printCompletion(@Nullable String shell) {
        // picocli's script completes in zsh as well, by zsh's own emulation of bash.
        if (shell == null || shell.isEmpty() || shell.equals("bash") || shell.equals("zsh")) {
            out.println(AutoComplete.bash("tiproxy", CommandLineFlags.commandLine()));
            return OK;
        }
        Origin origin = Origin.ofFlag("--" + CommandLineFlags.COMPLETION, "");
        report(
                List.of(new Problem(Problem.Severity.ERROR, origin, Problem.quote(shell) + ": expected bash or zsh")),
                List.of());
        return MISCONFIGURED;
    }
}
