package org.tiproxy.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.tiproxy.app.TiProxyConfig;
import org.tiproxy.config.Key;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The flags there are: those of the keys that have one, and those of the program itself. */
final class CommandLineFlags {
    static final String CONFIG = "config";
    static final String CHECK_CONFIG = "check-config";
    static final String COMPLETION = "completion";
    static final String VERSION = "version";
    static final String HELP = "help";

    static final String SYNOPSIS = "tiproxy --dest host:port [--exec program] [options] [-- arguments of the program]";

    private static final String DESCRIPTION =
            "A TCP proxy that starts its backend when the first client connects, and stops it when it is idle.";

    private CommandLineFlags() {}

    /** The keys that have a flag. */
    static List<Key<?>> keys() {
        List<Key<?>> keys = new ArrayList<>();
        for (Key<?> key : TiProxyConfig.KEYS) {
            if (key.flagName() != null) {
                keys.add(key);
            }
        }
        return keys;
    }

    /** The flags' names without dashes. */
    static Set<String> names() {
        Set<String> names = new TreeSet<>(Set.of(CONFIG, CHECK_CONFIG, COMPLETION, VERSION, HELP));
        for (Key<?> key : keys()) {
            names.add(name(key));
        }
        return names;
    }

    static String name(Key<?> key) {
        @Nullable String name = key.flagName();
        if (name == null) {
            throw new IllegalArgumentException(key.path() + " has no flag");
        }
        return name;
    }

    /** What the parser accepts: every flag with one dash or two, all values as text. */
    static CommandLine forParsing() {
        CommandLine commandLine = new CommandLine(spec(true));
        commandLine
                .setOverwrittenOptionsAllowed(true)
                .setUnmatchedArgumentsAllowed(true)
                .setPosixClusteredShortOptionsAllowed(false)
                .setUnmatchedOptionsAllowedAsOptionParameters(true)
                .setAllowOptionsAsOptionParameters(false)
                .setExpandAtFiles(false)
                .setInterpolateVariables(false)
                .getCommandSpec()
                .parser()
                .collectErrors(true);
        return commandLine;
    }

    /** What help and completion show: every flag once. */
    static CommandLine forPeople() {
        CommandSpec spec = spec(false);
        spec.usageMessage()
                .width(100)
                .customSynopsis(SYNOPSIS)
                .description(DESCRIPTION, "")
                .sortOptions(false)
                .footer(
                        "",
                        "Flags may have one dash or two, and take their value after a space or '='.",
                        "Durations are written like 30s, 500ms or 1m30s. A flag wins over the environment",
                        "variable TIPROXY_<KEY>, which wins over the file given by --config or TIPROXY_CONFIG.",
                        "All keys, and a first example, are in README.md beside the source of tiproxy.");
        return new CommandLine(spec).setInterpolateVariables(false);
    }

    private static CommandSpec spec(boolean bothDashes) {
        CommandSpec spec = CommandSpec.create().name("tiproxy");
        for (Key<?> key : keys()) {
            @Nullable String defaultText = key.defaultText();
            String description =
                    key.meaning().replace("`", "") + (defaultText == null ? "" : " (default " + defaultText + ")");
            spec.addOption(withValue(name(key), key.typeName(), description, bothDashes)
                    .build());
        }
        spec.addOption(withValue(CONFIG, "file", "a TOML file with these and all other keys", bothDashes)
                .build());
        spec.addOption(without(CHECK_CONFIG, "check the configuration, say what is wrong with it, and exit", bothDashes)
                .build());
        spec.addOption(withValue(
                        COMPLETION,
                        "bash|zsh",
                        "print a script that completes flags (default bash), and exit",
                        bothDashes)
                .arity("0..1")
                .build());
        spec.addOption(
                without(VERSION, "print the version and exit", bothDashes).build());
        spec.addOption(without(HELP, "print this and exit", bothDashes).build());
        return spec;
    }

    private static OptionSpec.Builder withValue(String name, String valueName, String description, boolean bothDashes) {
        return OptionSpec.builder(spellings(name, bothDashes))
                .paramLabel("<" + valueName + ">")
                .type(String.class)
                .arity("1")
                .description(description);
    }

    private static OptionSpec.Builder without(String name, String description, boolean bothDashes) {
        return OptionSpec.builder(spellings(name, bothDashes))
                .type(boolean.class)
                .arity("0")
                .description(description);
    }

    private static String[] spellings(String name, boolean bothDashes) {
        if (!bothDashes) {
            return new String[] {"--" + name};
        }
        // As in Go, -h is help too.
        return name.equals(HELP)
                ? new String[] {"--help", "-help", "-h", "--h"}
                : new String[] {"--" + name, "-" + name};
    }

    /** The flag as people write it. */
    static String shown(ArgSpec flag) {
        return ((OptionSpec) flag).names()[0];
    }
}
