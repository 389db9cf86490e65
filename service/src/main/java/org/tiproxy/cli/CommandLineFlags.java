package org.tiproxy.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tiproxy.app.TiProxyConfig;
import org.tiproxy.cli.CommandLineFlags.Flag.Value;
import org.tiproxy.config.Key;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The flags there are: those of the keys that have one and those of the program itself. picocli makes help and completion
 * of them and is not loaded for anything else, to start faster.
 */
final class CommandLineFlags {
    /**
     * One flag.
     *
     * @param name without dashes
     * @param value whether it has a value
     * @param valueName what stands for the value in help texts
     */
    record Flag(String name, Value value, String valueName, String description) {
        enum Value {
            NONE("0"),
            OPTIONAL("0..1"),
            REQUIRED("1");

            final String arity;

            Value(String arity) {
                this.arity = arity;
            }
        }

        /** The flag as people write it. */
        String shown() {
            return "--" + name;
        }
    }

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
        return TiProxyConfig.KEYS.stream()
                .<Key<?>>map(key -> key)
                .filter(key -> key.flagName() != null)
                .toList();
    }

    /** Every flag, in the order in which help lists them, by its name without dashes. */
    static Map<String, Flag> all() {
        Map<String, Flag> flags = new LinkedHashMap<>();
        for (Key<?> key : keys()) {
            @Nullable String defaultText = key.defaultText();
            String description =
                    key.meaning().replace("`", "") + (defaultText == null ? "" : " (default " + defaultText + ")");
            String valueName = "<" + key.typeName().replace("list of ", "") + ">";
            add(flags, key.flagName(), Value.REQUIRED, valueName, description);
        }
        add(flags, CONFIG, Value.REQUIRED, "<file>", "a TOML file with these and all other keys");
        add(flags, CHECK_CONFIG, Value.NONE, "", "check the configuration, say what is wrong with it, and exit");
        add(
                flags,
                COMPLETION,
                Value.OPTIONAL,
                "<bash|zsh>",
                "print a script that completes flags (default for bash), and exit");
        add(flags, VERSION, Value.NONE, "", "print the version and exit");
        add(flags, HELP, Value.NONE, "", "print this and exit");
        return flags;
    }

    private static void add(
            Map<String, Flag> flags, @Nullable String name, Value value, String valueName, String description) {
        if (name != null) {
            flags.put(name, new Flag(name, value, valueName, description));
        }
    }

    /** What prints help and completion. */
    static CommandLine commandLine() {
        CommandSpec spec = CommandSpec.create().name("tiproxy");
        all().values().forEach(flag -> spec.addOption(option(flag)));
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

    private static OptionSpec option(Flag flag) {
        return OptionSpec.builder(flag.shown())
                .arity(flag.value().arity)
                .type(flag.value() == Value.NONE ? boolean.class : String.class)
                .paramLabel(flag.valueName())
                .description(flag.description())
                .build();
    }
}
