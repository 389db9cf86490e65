package org.tiproxy.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.app.TiProxyConfig;
import org.tiproxy.config.Key;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The flags there are, those of the keys that have one and those of the program itself, for help and completion. */
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
        return TiProxyConfig.KEYS.stream()
                .<Key<?>>map(key -> key)
                .filter(key -> key.flagName() != null)
                .toList();
    }

    /** Every flag, with the name {@code --name}. */
    static CommandSpec spec() {
        CommandSpec spec = CommandSpec.create().name("tiproxy");
        for (Key<?> key : keys()) {
            @Nullable String defaultText = key.defaultText();
            String description =
                    key.meaning().replace("`", "") + (defaultText == null ? "" : " (default " + defaultText + ")");
            spec.addOption(flag(key.flagName(), "1", key.typeName(), description));
        }
        spec.addOption(flag(CONFIG, "1", "file", "a TOML file with these and all other keys"));
        spec.addOption(flag(CHECK_CONFIG, "0", "", "check the configuration, say what is wrong with it, and exit"));
        spec.addOption(flag(
                COMPLETION, "0..1", "bash|zsh", "print a script that completes flags (default for bash), and exit"));
        spec.addOption(flag(VERSION, "0", "", "print the version and exit"));
        spec.addOption(flag(HELP, "0", "", "print this and exit"));
        return spec;
    }

    /** What prints help and completion. */
    static CommandLine commandLine() {
        CommandSpec spec = spec();
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

    private static OptionSpec flag(@Nullable String name, String arity, String valueName, String description) {
        return OptionSpec.builder("--" + name)
                .arity(arity)
                .type(arity.equals("0") ? boolean.class : String.class)
                .paramLabel("<" + valueName.replace("list of ", "") + ">")
                .description(description)
                .build();
    }
}
