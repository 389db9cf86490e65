package org.tiproxy.inprocess;

import java.io.IOException;

/** The account authenticates with a plugin that the engine cannot do: the driver may be able to by itself. */
public final class UnsupportedAccountException extends IOException {
    private static final long serialVersionUID = 1;

    private final String plugin;

    /** An account with such a plugin. */
    public UnsupportedAccountException(String plugin, String message) {
        super(message);
        this.plugin = plugin;
    }

    /** The plugin's name, of letters, digits and underscores. */
    public String plugin() {
        return plugin;
    }
}
