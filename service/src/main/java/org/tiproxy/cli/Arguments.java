package org.tiproxy.cli;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tiproxy.app.TiProxyConfig;
import org.tiproxy.cli.CommandLineFlags.Flag;
import org.tiproxy.config.Key;
import org.tiproxy.config.NearestName;
import org.tiproxy.config.Origin;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.SettingsReader;
import org.tiproxy.supervisor.SupervisorConfig;

/**
 * The command line, taken apart in the way of Go's flags: one dash or two, a value after {@code =} or as the next word,
 * the last of repeated flags wins, and everything after the first {@code --} belongs to the child. What cannot be
 * understood is reported with everything else, which picocli's own parser does not do: after a flag without its value it
 * loses the next one.
 */
final class Arguments {
    private static final String END_OF_FLAGS = "--";

    private final Map<String, Flag> flags;
    private final List<String> words;
    private final List<String> childArguments;
    private final Problems problems;
    /** Flags without dashes, in their known spelling, with their values; empty for a flag that has none. */
    private final Map<String, String> values = new HashMap<>();

    private int next;

    private Arguments(Map<String, Flag> flags, List<String> words, List<String> childArguments, Problems problems) {
        this.flags = flags;
        this.words = words;
        this.childArguments = childArguments;
        this.problems = problems;
    }

    /** Takes {@code args} apart. */
    static Arguments parse(String[] args, Problems problems) {
        List<String> all = List.of(args);
        int end = all.indexOf(END_OF_FLAGS);
        List<String> words = end < 0 ? all : all.subList(0, end);
        List<String> childArguments = end < 0 ? List.of() : all.subList(end + 1, all.size());
        Arguments arguments = new Arguments(CommandLineFlags.all(), words, childArguments, problems);
        while (arguments.next < words.size()) {
            arguments.takeWord();
        }
        return arguments;
    }

    boolean has(String flag) {
        return values.containsKey(flag);
    }

    @Nullable
    String value(String flag) {
        return values.get(flag);
    }

    /** Hands the values of the keys' flags over. */
    void read(SettingsReader reader) {
        for (Key<?> key : CommandLineFlags.keys()) {
            @Nullable String value = values.get(key.flagName());
            if (value != null) {
                reader.readFlag(key, "--" + key.flagName(), value);
            }
        }
        if (!childArguments.isEmpty()) {
            reader.readWords(SupervisorConfig.ARGS, "arguments after --", childArguments);
        }
    }

    private void takeWord() {
        String word = words.get(next++);
        if (!word.startsWith("-")) {
            report(Problem.quote(word), "unexpected word; arguments of the program to start belong after --");
            return;
        }
        int equals = word.indexOf('=');
        String written = equals < 0 ? word : word.substring(0, equals);
        @Nullable String attached = equals < 0 ? null : word.substring(equals + 1);
        @Nullable Flag flag = known(written);
        if (flag == null) {
            report(written, "unknown flag" + hint(nameOf(written)));
            if (attached == null && followedByValue()) {
                // Most likely the unknown flag's value, and perhaps a password: not worth a message of its own.
                next++;
            }
        } else if (flag.value() == Flag.Value.NONE) {
            takeSwitch(flag, attached);
        } else {
            takeFlag(flag, attached);
        }
    }

    private void takeSwitch(Flag flag, @Nullable String attached) {
        if (attached == null || attached.equals("true")) {
            values.put(flag.name(), "");
        } else if (!attached.equals("false")) {
            report(flag.shown(), Problem.quote(attached) + ": takes no value");
        }
    }

    private void takeFlag(Flag flag, @Nullable String attached) {
        String name = flag.name();
        if (attached != null) {
            values.put(name, attached);
        } else if (flag.value() == Flag.Value.OPTIONAL) {
            values.put(name, followedByValue() ? words.get(next++) : "");
        } else if (next < words.size() && known(words.get(next)) == null) {
            values.put(name, words.get(next++));
        } else {
            report(flag.shown(), "needs a value: " + flag.shown() + " " + flag.valueName());
        }
    }

    private boolean followedByValue() {
        return next < words.size() && !words.get(next).startsWith("-");
    }

    private @Nullable Flag known(String word) {
        if (!word.startsWith("-")) {
            return null;
        }
        int equals = word.indexOf('=');
        String name = nameOf(equals < 0 ? word : word.substring(0, equals));
        // As in Go, -h is help too.
        return flags.get(name.equals("h") ? CommandLineFlags.HELP : name);
    }

    private static String nameOf(String word) {
        return word.substring(word.startsWith("--") ? 2 : 1);
    }

    private void report(String place, String message) {
        problems.error(Origin.ofFlag(place, ""), message);
    }

    private String hint(String name) {
        @Nullable String nearest = NearestName.find(name, flags.keySet());
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
