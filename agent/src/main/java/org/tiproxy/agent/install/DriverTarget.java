package org.tiproxy.agent.install;

/**
 * Where a driver is about to connect to.
 *
 * @param family the driver: {@code connector-j}, {@code connector-j-5.1}, {@code mariadb} or {@code mariadb-2}
 * @param host as the URL names it, or as the driver has chosen it from several
 * @param user the account's name; empty if the driver does not say
 */
public record DriverTarget(String family, String host, int port, String user) {}
