package org.tiproxy.session;

/** Whom the proxy may let in by itself. Called within an event: must not block. */
@FunctionalInterface
public interface UserStore {
    /**
     * The user of a name. An unknown name gives a {@linkplain KnownUser#decoyOf decoy}, always one of the same kind for
     * the same name, so that nobody learns from the exchange which names are known.
     */
    KnownUser find(String name);
}
