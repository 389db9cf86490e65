package org.tiproxy.common;

/**
 * The source of elapsed time, an argument wherever time matters so that tests can turn the hands.
 *
 * <p>Thread-safe. Values compare only with values of the same ticker, by subtraction.
 */
@FunctionalInterface
public interface Ticker {
    /** The ticker of the running JVM. */
    Ticker SYSTEM = System::nanoTime;

    /** Nanoseconds since some fixed but arbitrary moment, as {@link System#nanoTime()}. */
    long nanoTime();
}
