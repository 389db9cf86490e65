package org.tiproxy.agent.driver;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.Secret;

/** A file of certificates or keys, as an option of a driver names it: a URL or a path. */
final class TlsStore {
    private final String location;
    private final @Nullable String type;
    private final @Nullable Secret password;

    /**
     * A file that is read when it is needed.
     *
     * @param type as {@link KeyStore#getInstance(String)} takes it; null for the JVM's default
     * @param password null for none
     */
    TlsStore(String location, @Nullable String type, @Nullable String password) {
        this.location = location;
        this.type = type;
        this.password = password == null ? null : new Secret(password);
    }

    /** Null if no password was given, or an empty one. */
    char @Nullable [] password() {
        return chars(password);
    }

    static char @Nullable [] chars(@Nullable Secret secret) {
        return secret == null || secret.reveal().isEmpty()
                ? null
                : secret.reveal().toCharArray();
    }

    KeyStore load() throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(type != null ? type : KeyStore.getDefaultType());
        try (InputStream file = open(location)) {
            store.load(file, password());
        }
        return store;
    }

    /** Opens a URL, or else a file. */
    static InputStream open(String location) throws IOException {
        try {
            return new URL(location).openStream();
        } catch (MalformedURLException e) {
            return new FileInputStream(new File(location));
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TlsStore that
                && location.equals(that.location)
                && Objects.equals(type, that.type)
                && Objects.equals(password, that.password);
    }

    @Override
    public int hashCode() {
        return Objects.hash(location, type);
    }

    @Override
    public String toString() {
        return location;
    }
}
