package org.tiproxy.inprocess;

import java.util.function.Supplier;
import javax.net.ssl.SSLSocketFactory;
import org.tiproxy.session.TlsMode;

/** TLS towards a backend. Equal ones share connections. */
public final class BackendTls {
    /** No TLS. */
    public static final BackendTls DISABLED = new BackendTls(TlsMode.DISABLED, false, "", () -> {
        throw new IllegalStateException("TLS is disabled");
    });

    private final TlsMode mode;
    private final boolean verifyHostname;
    private final Object identity;
    private final Supplier<SSLSocketFactory> factory;

    private BackendTls(TlsMode mode, boolean verifyHostname, Object identity, Supplier<SSLSocketFactory> factory) {
        this.mode = mode;
        this.verifyHostname = verifyHostname;
        this.identity = identity;
        this.factory = factory;
    }

    /**
     * TLS by these rules.
     *
     * @param verifyHostname whether the backend's certificate has to name the host
     * @param identity what makes two rules equal: modes, paths and hashes, no secrets in the clear; needs {@code equals}
     *     and {@code hashCode}
     * @param factory asked when a connection is opened; trusts whom the rules trust. May throw an {@link
     *     java.io.UncheckedIOException}
     */
    public static BackendTls of(
            TlsMode mode, boolean verifyHostname, Object identity, Supplier<SSLSocketFactory> factory) {
        return new BackendTls(mode, verifyHostname, identity, factory);
    }

    /** Whether TLS is used. */
    public TlsMode mode() {
        return mode;
    }

    /** Whether the certificate must name the host. */
    public boolean verifyHostname() {
        return verifyHostname;
    }

    /** Makes the sockets. */
    public SSLSocketFactory socketFactory() {
        return factory.get();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BackendTls that
                && mode == that.mode
                && verifyHostname == that.verifyHostname
                && identity.equals(that.identity);
    }

    @Override
    public int hashCode() {
        return 31 * mode.hashCode() + identity.hashCode();
    }

    /** The mode and nothing that could be a secret. */
    @Override
    public String toString() {
        return "BackendTls[" + mode + (verifyHostname ? ", verified" : "") + "]";
    }
}
