package org.tiproxy.wire.auth;

import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.protocol.AuthPluginName;

/**
 * mysql_native_password. The server stores SHA1(SHA1(password)); the reply is SHA1(password) XOR SHA1(scramble +
 * stored). Whoever sees stored hash and reply knows SHA1(password), which is enough to log in anywhere.
 */
public final class MysqlNativePassword implements AuthPlugin {
    private static final int HASH_LENGTH = 20;

    @Override
    public AuthPluginName name() {
        return AuthPluginName.MYSQL_NATIVE_PASSWORD;
    }

    @Override
    public boolean requiresTls() {
        return false;
    }

    @Override
    public Bytes reply(Bytes password, Bytes scramble) {
        return password.isEmpty()
                ? Bytes.EMPTY
                : replyFromSha1(Bytes.of(Digests.sha1(password.toByteArray())), scramble);
    }

    /** The reply of someone who has SHA1(password) and not the password. */
    public static Bytes replyFromSha1(Bytes sha1, Bytes scramble) {
        byte[] stage1 = sha1.toByteArray();
        return Bytes.of(Digests.xor(stage1, Digests.sha1(scramble.toByteArray(), Digests.sha1(stage1))));
    }

    /** SHA1(password). */
    public static Bytes sha1(Bytes password) {
        return Bytes.of(Digests.sha1(password.toByteArray()));
    }

    /** SHA1(SHA1(password)): what the server stores, in hexadecimal behind an asterisk. */
    public static Bytes storedHash(Bytes password) {
        return storedHashOfSha1(sha1(password));
    }

    /** The same, by someone who has SHA1(password) and not the password. */
    public static Bytes storedHashOfSha1(Bytes sha1) {
        return Bytes.of(Digests.sha1(sha1.toByteArray()));
    }

    /**
     * SHA1(password), out of a reply and the stored hash.
     *
     * @return null if the reply is wrong
     */
    public static @Nullable Bytes recoverSha1(Bytes reply, Bytes scramble, Bytes storedHash) {
        if (reply.length() != HASH_LENGTH) {
            return null;
        }
        byte[] stored = storedHash.toByteArray();
        byte[] stage1 = Digests.xor(reply.toByteArray(), Digests.sha1(scramble.toByteArray(), stored));
        return MessageDigest.isEqual(Digests.sha1(stage1), stored) ? Bytes.of(stage1) : null;
    }

    /** Whether a reply is that of someone who knows the password with the stored hash, which is not of an empty one. */
    public static boolean verify(Bytes reply, Bytes scramble, Bytes storedHash) {
        return recoverSha1(reply, scramble, storedHash) != null;
    }
}
