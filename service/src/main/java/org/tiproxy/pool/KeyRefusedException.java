package org.tiproxy.pool;

import java.io.IOException;

/** The peer was reached and has refused what a key stands for, such as a login: nothing is wrong with its address. */
public final class KeyRefusedException extends IOException {
    private static final long serialVersionUID = 1;

    /** @param message the peer's words, without credentials */
    public KeyRefusedException(String message) {
        super(message);
    }
}
