package org.tiproxy.config;

/** A value is not what its key's type expects; the message is the whole sentence for the operator. */
final class InvalidValueException extends Exception {
    private static final long serialVersionUID = 1;

    InvalidValueException(String message) {
        super(message, null, false, false);
    }
}
