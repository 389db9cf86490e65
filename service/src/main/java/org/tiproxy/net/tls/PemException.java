package org.tiproxy.net.tls;

/** What is wrong with a file of certificates or keys: a phrase to follow the file's name, never of its content. */
final class PemException extends Exception {
    private static final long serialVersionUID = 1;

    PemException(String phrase) {
        super(phrase, null, false, false);
    }

    String phrase() {
        return String.valueOf(getMessage());
    }
}
