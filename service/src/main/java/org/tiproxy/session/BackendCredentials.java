package org.tiproxy.session;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.Secret;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.auth.AuthPlugin;
import org.tiproxy.wire.auth.MysqlNativePassword;
import org.tiproxy.wire.protocol.AuthPluginName;

/**
 * What the proxy logs in to a backend with. Immutable. Equal if user and secret are equal, so that a connection that was
 * opened with an older password can be told from one of now.
 *
 * <p>Only the password opens an account with any plugin. SHA1(password), which is what a client's reply and the stored
 * hash of mysql_native_password give away together, opens accounts with that plugin and no other.
 */
public final class BackendCredentials {
    private final String user;
    private final @Nullable Secret password;
    private final Bytes sha1;
    // How the password may be sent: no part of what is equal.
    private final boolean keyRetrieval;
    private final boolean sha256Password;

    private BackendCredentials(
            String user, @Nullable Secret password, Bytes sha1, boolean keyRetrieval, boolean sha256Password) {
        this.user = user;
        this.password = password;
        this.sha1 = sha1;
        this.keyRetrieval = keyRetrieval;
        this.sha256Password = sha256Password;
    }

    /** With the password, which may be empty. */
    public static BackendCredentials ofPassword(String user, Secret password) {
        return new BackendCredentials(user, password, Bytes.EMPTY, true, true);
    }

    /** With SHA1(password). */
    public static BackendCredentials ofNativeSha1(String user, Bytes sha1) {
        return new BackendCredentials(user, null, sha1, true, true);
    }

    /**
     * The same, used no more trustingly than a driver would: not with sha256_password, which most drivers do not have.
     *
     * @param mayRetrieveKey whether the password may be sent without TLS, encrypted with a public key that nobody vouches
     *     for, so that whoever sits between could read it: {@code allowPublicKeyRetrieval}
     */
    public BackendCredentials asDriver(boolean mayRetrieveKey) {
        return new BackendCredentials(user, password, sha1, mayRetrieveKey, false);
    }

    /** Whether the password may be sent without TLS, encrypted with the key that the server names. */
    boolean mayRetrieveKey() {
        return keyRetrieval;
    }

    /** Whether sha256_password may be answered. */
    boolean mayUseSha256Password() {
        return sha256Password;
    }

    /** Who logs in. */
    public String user() {
        return user;
    }

    /** The password as the plugins take it; null if only a hash is known. */
    @Nullable
    Bytes password() {
        return password == null ? null : Bytes.ofUtf8(password.reveal());
    }

    /** Whether the password is known to be empty, so that whatever is derived from it is known to everybody. */
    public boolean isPasswordEmpty() {
        return password != null && password.reveal().isEmpty();
    }

    /** SHA1(SHA1(password)): what a server stores for mysql_native_password. */
    public Bytes nativeHash() {
        Bytes known = password();
        return MysqlNativePassword.storedHashOfSha1(known == null ? sha1 : MysqlNativePassword.sha1(known));
    }

    /** The first message of a plugin; null if these credentials are not enough for it. */
    @Nullable
    Bytes reply(AuthPluginName plugin, Bytes scramble) {
        Bytes known = password();
        if (known != null) {
            return AuthPlugin.of(plugin).reply(known, scramble);
        }
        return plugin == AuthPluginName.MYSQL_NATIVE_PASSWORD
                ? MysqlNativePassword.replyFromSha1(sha1, scramble)
                : null;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BackendCredentials that
                && user.equals(that.user)
                && Objects.equals(password, that.password)
                && sha1.equals(that.sha1);
    }

    @Override
    public int hashCode() {
        return user.hashCode();
    }

    /** The user and nothing else. */
    @Override
    public String toString() {
        return "BackendCredentials[user=" + user + "]";
    }
}
