package org.tiproxy.session;

/**
 * Where a client comes from.
 *
 * @param host as ERR 1045 names it
 * @param isPrivate whether nobody can listen on its connection even without TLS: it comes from this machine, or whoever
 *     operates the proxy says so
 */
public record ClientOrigin(String host, boolean isPrivate) {}
