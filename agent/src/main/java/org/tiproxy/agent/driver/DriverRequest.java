package org.tiproxy.agent.driver;

import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.inprocess.BackendTls;

/**
 * What a driver wants, from its own configuration.
 *
 * @param family as {@code DriverTarget} names it
 * @param address as the URL has it; null if the driver says it later, when it connects
 * @param user who logs in
 * @param password the one for this very connection: tokens change
 * @param tls towards the backend
 * @param keyRetrieval whether the driver would ask a server without TLS for its public key
 * @param announceTls whether the driver gives up if the greeting does not offer TLS
 */
record DriverRequest(
        String family,
        @Nullable HostPort address,
        String user,
        Secret password,
        BackendTls tls,
        boolean keyRetrieval,
        boolean announceTls) {
    /**
     * What the driver's options say about {@link #keyRetrieval}. With a key of their own, drivers do not ask for one.
     *
     * @param keyFile the name of the option that names it, which differs by a letter
     */
    static boolean keyRetrieval(DriverOptions options, String keyFile) {
        return options.isSet("allowPublicKeyRetrieval", false) && options.text(keyFile) == null;
    }
}
