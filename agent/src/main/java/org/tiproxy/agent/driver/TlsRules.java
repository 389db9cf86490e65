package org.tiproxy.agent.driver;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.Secret;
import org.tiproxy.inprocess.BackendTls;
import org.tiproxy.session.TlsMode;

/**
 * TLS as the options of a driver's URL describe it, for the backend's leg.
 *
 * @param trust whom to believe
 * @param hostname whether the certificate has to name the host
 * @param files where certificates and keys are
 * @param protocols the only ones; empty for the JVM's
 * @param ciphers the only ones; empty for the JVM's
 */
record TlsRules(
        TlsMode mode, Trust trust, boolean hostname, Files files, List<String> protocols, List<String> ciphers) {

    /** What a certificate needs. */
    enum Trust {
        /** Nothing. */
        ANY,
        /** To be in its time: so does Connector/J unless it verifies. */
        DATED,
        /** To be signed by somebody who is trusted. */
        SIGNED,
        /** The same, or else that the password vouches for it once the login is through. */
        SIGNED_OR_PROVEN
    }

    /**
     * Where certificates and keys are.
     *
     * @param trustStore whose certificates are believed; null for the certificate or the JVM's own
     * @param certificate the same as a PEM text, a file of it or a URL
     * @param keyStore the driver's own certificate; null for the JVM's
     * @param keyPassword null if it is the store's
     * @param systemTrust whether the JVM's certificates do if there are no others
     * @param systemKeys whether {@code javax.net.ssl.keyStore} does if there is no other
     */
    record Files(
            @Nullable TlsStore trustStore,
            @Nullable String certificate,
            @Nullable TlsStore keyStore,
            @Nullable Secret keyPassword,
            boolean systemTrust,
            boolean systemKeys) {
        /** The JVM's own. */
        static final Files OF_SYSTEM = new Files(null, null, null, null, true, true);
    }

    static final TlsRules NONE = of(TlsMode.DISABLED, Trust.ANY);

    /** By the JVM's own certificates. */
    static TlsRules of(TlsMode mode, Trust trust) {
        return new TlsRules(mode, trust, false, Files.OF_SYSTEM, List.of(), List.of());
    }

    boolean isNone() {
        return mode == TlsMode.DISABLED;
    }

    /** Whether the driver gives up without. */
    boolean isDemanded() {
        return mode == TlsMode.REQUIRED;
    }

    TlsRules with(Trust other) {
        return new TlsRules(mode, other, hostname, files, protocols, ciphers);
    }

    TlsRules with(Files others) {
        return new TlsRules(mode, trust, hostname, others, protocols, ciphers);
    }

    TlsRules withHostname() {
        return new TlsRules(mode, trust, true, files, protocols, ciphers);
    }

    /** Lists as the options have them: with commas, in some drivers with spaces or colons too. */
    TlsRules restricted(@Nullable String protocolList, @Nullable String cipherList) {
        return new TlsRules(mode, trust, hostname, files, list(protocolList), list(cipherList));
    }

    private static List<String> list(@Nullable String text) {
        return text == null
                ? List.of()
                : Arrays.stream(text.split("[,;: ]+", -1))
                        .filter(item -> !item.isEmpty())
                        .toList();
    }

    /** For the engine. Two that are equal share connections. */
    BackendTls toBackend() {
        if (isNone()) {
            return BackendTls.DISABLED;
        }
        return BackendTls.of(mode, hostname, this, () -> {
            try {
                return TlsSocketFactory.of(this);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (GeneralSecurityException e) {
                throw new UncheckedIOException(
                        new IOException("TLS as the driver's URL wants it: " + e.getMessage(), e));
            }
        });
    }
}
