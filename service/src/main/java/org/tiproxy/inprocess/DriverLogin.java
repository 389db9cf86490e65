package org.tiproxy.inprocess;

import java.time.Duration;
import java.util.List;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;

/**
 * What a driver wants.
 *
 * @param address what the driver connects to, as in its URL; names the pool
 * @param backends where connections really go; the same address unless a rule redirects it
 * @param user who logs in
 * @param password may be empty
 * @param tls towards the backend, as the driver's URL wants it
 * @param timeout how long to wait for a connection; zero for as long as the pool allows
 */
public record DriverLogin(
        HostPort address, List<HostPort> backends, String user, Secret password, BackendTls tls, Duration timeout) {
    /** Copies the list. */
    public DriverLogin {
        backends = List.copyOf(backends);
        if (backends.isEmpty()) {
            throw new IllegalArgumentException("no backends for " + address);
        }
    }

    /** To the very address. */
    public DriverLogin(HostPort address, String user, Secret password, BackendTls tls, Duration timeout) {
        this(address, List.of(address), user, password, tls, timeout);
    }

    /** Who connects whereto: {@code db1:3306/user}. */
    public String poolName() {
        return address + "/" + user;
    }
}
