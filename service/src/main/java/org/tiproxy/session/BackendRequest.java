package org.tiproxy.session;

import org.jspecify.annotations.Nullable;

/**
 * The backend connection that a session wants.
 *
 * @param key what the connection must have in common with others that serve this session
 * @param schema the default schema; empty for none
 * @param credentials to log in with; null in pass-through, where the session itself brings the client's login onto the
 *     connection: a pooled one as its last user has left it, or a new one that has greeted and nothing more
 * @param fresh whether only a new connection will do
 */
public record BackendRequest(
        PoolKey key, String schema, @Nullable BackendCredentials credentials, boolean fresh) {
    /** The same, and nothing from the pool. */
    BackendRequest withFresh() {
        return new BackendRequest(key, schema, credentials, true);
    }
}
