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
 * @param collationId the collation of the login, which a new connection's SSLRequest has to name already: MySQL refuses a
 *     login that names another one ("Bad handshake")
 */
public record BackendRequest(
        PoolKey key, String schema, @Nullable BackendCredentials credentials, boolean fresh, int collationId) {
    /** With the collation of the key. */
    public BackendRequest(PoolKey key, String schema, @Nullable BackendCredentials credentials, boolean fresh) {
        this(key, schema, credentials, fresh, key.collationId());
    }

    /** The same with other credentials. */
    public BackendRequest withCredentials(BackendCredentials other) {
        return new BackendRequest(key, schema, other, fresh, collationId);
    }

    /** The same, and nothing from the pool. */
    BackendRequest withFresh() {
        return new BackendRequest(key, schema, credentials, true, collationId);
    }
}
