package org.tiproxy.error;

/** Who caused an error. */
public enum ErrorSource {
    /** The client: it went away, or sent what it must not send. */
    CLIENT,
    /** The proxy: a limit, a pause, a defect. */
    PROXY,
    /** The backend: it cannot be started or reached, or it closed the connection. */
    BACKEND
}
