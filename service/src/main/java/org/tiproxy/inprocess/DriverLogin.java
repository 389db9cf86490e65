package org.tiproxy.inprocess;

import java.time.Duration;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;

/**
 * What a driver wants to connect to, and as whom.
 *
 * @param address where to
 * @param user the account's name
 * @param password its password, never shown
 * @param tls how the backend is to be spoken to
 * @param timeout how long opening may take, zero for ever
 */
public record DriverLogin(HostPort address, String user, Secret password, BackendTls tls, Duration timeout) {}
