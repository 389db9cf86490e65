package org.tiproxy.session;

import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.Secret;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.auth.CachingSha2Hash;
import org.tiproxy.wire.auth.CachingSha2Password;
import org.tiproxy.wire.auth.ClientEd25519;
import org.tiproxy.wire.auth.MysqlClearPassword;
import org.tiproxy.wire.auth.MysqlNativePassword;
import org.tiproxy.wire.protocol.AuthPluginName;

/**
 * A user whom the proxy authenticates by itself, and what it knows of the password. Thread-safe.
 *
 * <table>
 * <caption>What is good for what</caption>
 * <tr><th>known</th><th>clients use</th><th>the proxy logs in to backends with</th></tr>
 * <tr><td>password</td><td>any plugin, or the one chosen</td><td>any plugin</td></tr>
 * <tr><td>hash of mysql_native_password</td><td>that plugin</td><td>SHA1(password), which the client's reply and the
 *     hash give away: accounts with that plugin only</td></tr>
 * <tr><td>hash of caching_sha2_password</td><td>that plugin, with full authentication (TLS or RSA) until the password
 *     has been right once</td><td>the password that the client has sent: any plugin</td></tr>
 * <tr><td>key of ed25519</td><td>that plugin</td><td>nothing: such a user cannot be served from a pool</td></tr>
 * </table>
 */
public final class KnownUser {
    private final String name;
    private final @Nullable AuthPluginName plugin;
    private final @Nullable Secret password;
    private final @Nullable CachingSha2Hash sha2;
    /** Stored hash of mysql_native_password, or public key of ed25519. */
    private final Bytes stored;

    private final boolean decoy;
    private volatile @Nullable Secret learned;

    private KnownUser(
            String name,
            @Nullable AuthPluginName plugin,
            @Nullable Secret password,
            @Nullable CachingSha2Hash sha2,
            Bytes stored,
            boolean decoy) {
        this.name = name;
        this.plugin = plugin;
        this.password = password;
        this.sha2 = sha2;
        this.stored = stored;
        this.decoy = decoy;
    }

    /** Known by the password, which may be empty; the client chooses between the usual plugins. */
    public static KnownUser withPassword(String name, Secret password) {
        return new KnownUser(name, null, password, null, Bytes.EMPTY, false);
    }

    /**
     * Known by the password, and clients must use a certain plugin.
     *
     * @throws IllegalArgumentException for a plugin that has no password
     */
    public static KnownUser withPassword(String name, AuthPluginName plugin, Secret password) {
        if (plugin == AuthPluginName.TIDB_SESSION_TOKEN) {
            throw new IllegalArgumentException(plugin.text() + " has no password");
        }
        return new KnownUser(name, plugin, password, null, Bytes.EMPTY, false);
    }

    /** Known by SHA1(SHA1(password)), 20 bytes: what servers show as 40 hexadecimal digits behind an asterisk. */
    public static KnownUser withNativeHash(String name, Bytes hash) {
        return new KnownUser(name, AuthPluginName.MYSQL_NATIVE_PASSWORD, null, null, hash, false);
    }

    /** Known by what MySQL 8 stores. */
    public static KnownUser withCachingSha2Hash(String name, CachingSha2Hash hash) {
        return new KnownUser(name, AuthPluginName.CACHING_SHA2_PASSWORD, null, hash, Bytes.EMPTY, false);
    }

    /** Known by the public key that MariaDB stores, 32 bytes. */
    public static KnownUser withEd25519Key(String name, Bytes publicKey) {
        return new KnownUser(name, AuthPluginName.CLIENT_ED25519, null, null, publicKey, false);
    }

    /**
     * Somebody who looks like {@code model} until the last packet, and never gets in.
     *
     * @param random a password, or hash, that nobody has; as long as the model's hash
     */
    public static KnownUser decoyOf(KnownUser model, String name, Bytes random) {
        Secret impossible = model.password == null ? null : new Secret("decoy");
        Bytes stored = model.stored.isEmpty() ? Bytes.EMPTY : random.first(model.stored.length());
        return new KnownUser(name, model.plugin, impossible, model.sha2, stored, true);
    }

    /** How the user is called. */
    public String name() {
        return name;
    }

    /** The plugin to authenticate with, for a client that has begun with another one. */
    AuthPluginName pluginFor(String begunWith, boolean tls, boolean understandsMoreData) {
        AuthPluginName chosen = plugin;
        if (chosen != null) {
            return chosen;
        }
        AuthPluginName clients = AuthPluginName.of(begunWith);
        boolean usable = clients == AuthPluginName.MYSQL_NATIVE_PASSWORD
                || (clients == AuthPluginName.CACHING_SHA2_PASSWORD && understandsMoreData)
                || (clients == AuthPluginName.MYSQL_CLEAR_PASSWORD && tls);
        return usable && clients != null ? clients : AuthPluginName.MYSQL_NATIVE_PASSWORD;
    }

    /**
     * Checks a client's reply.
     *
     * @return what to log in to a backend with; null if the reply is wrong
     */
    @Nullable
    Verified verify(AuthPluginName with, Bytes reply, Bytes scramble) {
        Secret known = password;
        Verified verified;
        if (known != null) {
            verified = Verified.when(isRight(with, reply, scramble, known), BackendCredentials.ofPassword(name, known));
        } else {
            verified = verifyStored(with, reply, scramble);
        }
        return decoy ? null : verified;
    }

    /** Whether the password must come as it is, because only it can be checked. */
    boolean needsFullAuthentication(Bytes reply, Bytes scramble) {
        Secret known = learned;
        return sha2 != null && !reply.isEmpty() && (known == null || !isRightSha2(reply, scramble, known));
    }

    /** Checks the password itself, as {@link #verify}. */
    @Nullable
    Verified verifyPassword(Bytes candidate) {
        CachingSha2Hash hash = sha2;
        Secret known = password;
        boolean right = hash != null
                ? hash.matches(candidate)
                : known != null && equal(candidate, Bytes.ofUtf8(known.reveal()));
        if (!right || decoy) {
            return null;
        }
        Secret secret = new Secret(candidate.utf8());
        if (hash != null) {
            learned = secret;
        }
        return new Verified(BackendCredentials.ofPassword(name, secret));
    }

    /** The name and nothing else. */
    @Override
    public String toString() {
        return "KnownUser[name=" + name + "]";
    }

    private @Nullable Verified verifyStored(AuthPluginName with, Bytes reply, Bytes scramble) {
        return switch (with) {
            case MYSQL_NATIVE_PASSWORD -> {
                Bytes sha1 = MysqlNativePassword.recoverSha1(reply, scramble, stored);
                yield sha1 == null ? null : new Verified(BackendCredentials.ofNativeSha1(name, sha1));
            }
            case CLIENT_ED25519 -> Verified.when(ClientEd25519.verify(reply, scramble, stored), null);
            case CACHING_SHA2_PASSWORD -> {
                Secret known = learned;
                yield known == null
                        ? null
                        : Verified.when(
                                isRightSha2(reply, scramble, known), BackendCredentials.ofPassword(name, known));
            }
            case MYSQL_CLEAR_PASSWORD, TIDB_SESSION_TOKEN -> null;
        };
    }

    private static boolean isRight(AuthPluginName with, Bytes reply, Bytes scramble, Secret known) {
        Bytes secret = Bytes.ofUtf8(known.reveal());
        return switch (with) {
            case MYSQL_NATIVE_PASSWORD ->
                secret.isEmpty()
                        ? reply.isEmpty()
                        : MysqlNativePassword.verify(reply, scramble, MysqlNativePassword.storedHash(secret));
            case CACHING_SHA2_PASSWORD -> isRightSha2(reply, scramble, known);
            case MYSQL_CLEAR_PASSWORD -> equal(MysqlClearPassword.password(reply), secret);
            case CLIENT_ED25519 -> ClientEd25519.verify(reply, scramble, ClientEd25519.publicKey(secret));
            case TIDB_SESSION_TOKEN -> false;
        };
    }

    private static boolean isRightSha2(Bytes reply, Bytes scramble, Secret known) {
        Bytes secret = Bytes.ofUtf8(known.reveal());
        return secret.isEmpty()
                ? reply.isEmpty()
                : CachingSha2Password.verify(reply, scramble, CachingSha2Password.cachedHash(secret));
    }

    private static boolean equal(Bytes left, Bytes right) {
        return MessageDigest.isEqual(left.toByteArray(), right.toByteArray());
    }

    /**
     * The user is who it says to be.
     *
     * @param credentials for backends; null if what is known is not enough for any
     */
    record Verified(@Nullable BackendCredentials credentials) {
        static @Nullable Verified when(boolean right, @Nullable BackendCredentials credentials) {
            return right ? new Verified(credentials) : null;
        }
    }
}
