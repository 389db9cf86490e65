package org.tiproxy.inprocess;

import java.util.function.Supplier;
import javax.net.ssl.SSLSocketFactory;
import org.tiproxy.session.TlsMode;

/** TLS towards the backend as the driver's URL wants it. Equal settings share connections. Immutable. */
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
     * Settings for TLS.
     *
     * @param verifyHostname whether the certificate must be made out to the host
     * @param identity what makes two settings equal: paths and hashes, no clear secrets
     * @param factory makes the sockets; called once per connection at most
     */
    public static BackendTls of(
            TlsMode mode, boolean verifyHostname, Object identity, Supplier<SSLSocketFactory> factory) {
        return new BackendTls(mode, verifyHostname, identity, factory);
    }

    /** Whether TLS is used. */
    public TlsMode mode() {
        return mode;
    }

    /** Whether the certificate must be made out to the host. */
    public boolean verifyHostname() {
        return verifyHostname;
    }

    /** Makes the sockets. */
    public SSLSocketFactory socketFactory() {
        return factory.get();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BackendTls tls
                && mode == tls.mode
                && verifyHostname == tls.verifyHostname
                && identity.equals(tls.identity);
    }

    @Override
    public int hashCode() {
        return 31 * mode.hashCode() + identity.hashCode();
    }

    /** The mode; what it is verified with is not shown. */
    @Override
    public String toString() {
        return mode + (verifyHostname ? " with host name" : "");
    }
}
