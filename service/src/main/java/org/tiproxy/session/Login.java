package org.tiproxy.session;

/**
 * Who is logged in, and to what. Immutable, holds no credentials.
 *
 * @param user as the client has sent it
 * @param schema the default schema; empty if there is none
 * @param capabilities the flags that client and backend have both set, see {@link
 *     org.tiproxy.wire.protocol.Capability}
 * @param serverVersion as the backend's greeting says it
 * @param family the backend's dialect
 * @param backendConnectionId the backend's thread id; unsigned
 * @param clientTls whether the client's leg is encrypted
 * @param backendTls whether the backend's leg is encrypted
 */
public record Login(
        String user,
        String schema,
        long capabilities,
        String serverVersion,
        ServerFamily family,
        long backendConnectionId,
        boolean clientTls,
        boolean backendTls) {
    Login withUser(String newUser, String newSchema) {
        return new Login(
                newUser, newSchema, capabilities, serverVersion, family, backendConnectionId, clientTls, backendTls);
    }
}
