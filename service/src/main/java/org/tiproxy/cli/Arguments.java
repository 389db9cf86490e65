package org.tiproxy.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.app.TiProxyConfig;
import org.tiproxy.config.Key;
import org.tiproxy.config.NearestName;
import org.tiproxy.config.Origin;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.SettingsReader;
import org.tiproxy.supervisor.SupervisorConfig;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.ParseResult;

/** The command line, taken apart; what cannot be understood is reported with everything else. */
final class Arguments {
    private static final String SEPARATOR = "--";

    private final ParseResult parsed;
    private final List<String> own;
    private final @Nullable List<String> child;

    private Arguments(ParseResult parsed, List<String> own, @Nullable List<String> child) {
        this.parsed = parsed;
        this.own = own;
        this.child = child;
    }

    /** Takes {@code args} apart. */
    static Arguments parse(String[] args, Problems problems) {
        List<String> all = List.of(args);
        int separator = all.indexOf(SEPARATOR);
        List<String> own = separator < 0 ? all : all.subList(0, separator);
        @Nullable List<String> child = separator < 0 ? null : all.subList(separator + 1, all.size());
        ParseResult parsed = CommandLineFlags.forParsing().parseArgs(own.toArray(String[]::new));
        Arguments arguments = new Arguments(parsed, own, child);
        arguments.reportErrors(problems);
        arguments.reportUnmatched(problems);
        return arguments;
    }

    boolean has(String flag) {
        return parsed.hasMatchedOption("--" + flag);
    }

    @Nullable
    String value(String flag) {
        return parsed.matchedOptionValue("--" + flag, null);
    }

    /** Hands the values of the keys' flags over. */
    void read(SettingsReader reader) {
        for (Key<?> key : CommandLineFlags.keys()) {
            String flag = CommandLineFlags.name(key);
            @Nullable String value = value(flag);
            if (value != null) {
                reader.readFlag(key, "--" + flag, value);
            }
        }
        if (child != null && !child.isEmpty()) {
            reader.readWords(SupervisorConfig.ARGS, "arguments after --", child);
        }
    }

    private void reportErrors(Problems problems) {
        for (Exception error : parsed.errors()) {
            if (error instanceof MissingParameterException missing) {
                for (ArgSpec flag : missing.getMissing()) {
                    String shown = CommandLineFlags.shown(flag);
                    problems.error(Origin.ofFlag(shown, ""), "needs a value: " + shown + " " + flag.paramLabel());
                }
            } else {
                problems.error(Origin.ofFlag("command line", ""), String.valueOf(error.getMessage()));
            }
        }
    }

    private void reportUnmatched(Problems problems) {
        List<String> unmatched = parsed.unmatched();
        int next = 0;
        boolean afterUnknownFlag = false;
        for (String word : own) {
            boolean isUnmatched = next < unmatched.size() && word.equals(unmatched.get(next));
            if (isUnmatched) {
                next++;
                // The word after an unknown flag is most likely its value, and perhaps a password.
                if (!afterUnknownFlag || word.startsWith("-")) {
                    report(word, problems);
                }
            }
            afterUnknownFlag = isUnmatched && word.startsWith("-") && word.indexOf('=') < 0;
        }
    }

    private static void report(String word, Problems problems) {
        if (!word.startsWith("-")) {
            problems.error(
                    Origin.ofFlag(Problem.quote(word), ""),
                    "unexpected word; arguments of the program to start belong after --");
            return;
        }
        String flag = word.split("=", 2)[0];
        problems.error(Origin.ofFlag(flag, ""), "unknown flag" + hint(flag.replaceFirst("^--?", "")));
    }

    private static String hint(String name) {
        @Nullable String nearest = NearestName.find(name, CommandLineFlags.names());
        if (nearest != null) {
            return "; did you mean --" + nearest + "?";
        }
        return TiProxyConfig.KEYS.stream()
                .filter(key -> key.path().equals(name) || key.path().equals(name.replaceFirst("-", ".")))
                .findFirst()
                .map(key -> "; give " + key.path() + " in the file, or as " + key.variable())
                .orElse("");
    }
}
