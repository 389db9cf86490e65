package org.tiproxy.session;

import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What all sessions over pooled backend connections have in common.
 *
 * @param session limits, TLS and keys, as for all sessions
 * @param users whom the proxy authenticates by itself; null for pass-through, where backends authenticate all clients
 * @param random for scrambles: a {@link java.security.SecureRandom}
 */
public record PooledConfig(SessionConfig session, @Nullable UserStore users, RandomGenerator random) {}
