package org.tiproxy.inprocess;

import java.time.Duration;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.session.BackendCredentials;

/**
 * What a driver wants.
 *
 * @param address what the driver connects to, as in its URL; names the pool
 * @param user who logs in
 * @param password may be empty
 * @param tls towards the backend, as the driver's URL wants it
 * @param timeout how long to wait for a connection; zero for as long as the pool allows
 * @param keyRetrieval whether a server without TLS may be asked for the key that the password is sent with, where it
 *     wants the password itself
 * @param likelyCapabilities the flags that the driver is going to log in with unless its options say otherwise; 0 if
 *     there is no telling
 */
public record DriverLogin(
        HostPort address,
        String user,
        Secret password,
        BackendTls tls,
        Duration timeout,
        boolean keyRetrieval,
        long likelyCapabilities) {
    /** What a driver wants of which nothing else is known: the most careful one. */
    public DriverLogin(HostPort address, String user, Secret password, BackendTls tls, Duration timeout) {
        this(address, user, password, tls, timeout, false, 0);
    }

    /** These credentials, or others in their place, as carefully as the driver wants them used. */
    BackendCredentials careful(BackendCredentials credentials) {
        return credentials.asDriver(keyRetrieval);
    }

    /** Who connects whereto: {@code db1:3306/user}. */
    public String poolName() {
        return address + "/" + user;
    }
}
