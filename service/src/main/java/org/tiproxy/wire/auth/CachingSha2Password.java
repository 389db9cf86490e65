package org.tiproxy.wire.auth;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Cipher;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.protocol.AuthPluginName;

/**
 * caching_sha2_password.
 *
 * <p>Fast: the server has SHA256(SHA256(password)) in its cache, and the reply is SHA256(password) XOR
 * SHA256(SHA256(SHA256(password)) + scramble). It says {@link #FAST_AUTH_SUCCESS} in an AuthMoreData and then OK.
 *
 * <p>Full: otherwise it says {@link #FULL_AUTHENTICATION}. Over TLS the client sends {@link #cleartext}. Without it the
 * client sends {@link #PUBLIC_KEY_REQUEST} unless it knows the key, gets the key in an AuthMoreData, and sends {@link
 * #encrypt}.
 */
public final class CachingSha2Password implements AuthPlugin {
    /** AuthMoreData from the server: the reply was right, OK follows. */
    public static final int FAST_AUTH_SUCCESS = 3;
    /** AuthMoreData from the server: it needs the password. */
    public static final int FULL_AUTHENTICATION = 4;
    /** The client's packet that asks for the server's RSA key. */
    public static final int PUBLIC_KEY_REQUEST = 2;

    private static final int HASH_LENGTH = 32;
    private static final String TRANSFORMATION = "RSA/ECB/OAEPWithSHA-1AndMGF1Padding";
    private static final String PEM_BEGIN = "-----BEGIN PUBLIC KEY-----";
    private static final String PEM_END = "-----END PUBLIC KEY-----";

    @Override
    public AuthPluginName name() {
        return AuthPluginName.CACHING_SHA2_PASSWORD;
    }

    @Override
    public boolean requiresTls() {
        return false;
    }

    @Override
    public Bytes reply(Bytes password, Bytes scramble) {
        if (password.isEmpty()) {
            return Bytes.EMPTY;
        }
        byte[] stage1 = Digests.sha256(password.toByteArray());
        return Bytes.of(Digests.xor(stage1, Digests.sha256(Digests.sha256(stage1), scramble.toByteArray())));
    }

    /** The reply in a client's first packet: for want of a password some clients send a NUL, others nothing. */
    public static Bytes replyIn(Bytes packet) {
        return packet.length() == 1 && packet.at(0) == 0 ? Bytes.EMPTY : packet;
    }

    /** SHA256(SHA256(password)): what the server keeps in its cache. */
    public static Bytes cachedHash(Bytes password) {
        return Bytes.of(Digests.sha256(Digests.sha256(password.toByteArray())));
    }

    /** Whether a reply is that of someone who knows the password with the cached hash, which is not of an empty one. */
    public static boolean verify(Bytes reply, Bytes scramble, Bytes cachedHash) {
        if (reply.length() != HASH_LENGTH) {
            return false;
        }
        byte[] cached = cachedHash.toByteArray();
        byte[] stage1 = Digests.xor(reply.toByteArray(), Digests.sha256(cached, scramble.toByteArray()));
        return MessageDigest.isEqual(Digests.sha256(stage1), cached);
    }

    /** The password and a NUL: full authentication over TLS, and nowhere else. */
    public static Bytes cleartext(Bytes password) {
        return MysqlClearPassword.terminated(password);
    }

    /**
     * Full authentication without TLS: the password and a NUL, XOR the scramble, encrypted with the server's key.
     *
     * @throws ProtocolException if the password is too long for the key
     */
    public static Bytes encrypt(Bytes password, Bytes scramble, PublicKey key) {
        return Bytes.of(encryptTerminated(cleartext(password).toByteArray(), scramble, key));
    }

    /**
     * As {@link #encrypt}, for a caller who wipes the password.
     *
     * @param terminated the password and a NUL
     */
    public static byte[] encryptTerminated(byte[] terminated, Bytes scramble, PublicKey key) {
        byte[] masked = Digests.xor(terminated, nonEmpty(scramble));
        try {
            Cipher cipher = Cipher.getInstance(TRANSFORMATION);
            cipher.init(Cipher.ENCRYPT_MODE, key);
            return cipher.doFinal(masked);
        } catch (GeneralSecurityException e) {
            throw new ProtocolException("caching_sha2_password: the password of " + (terminated.length - 1)
                    + " bytes cannot be encrypted with the server's " + key.getAlgorithm() + " key");
        } finally {
            Arrays.fill(masked, (byte) 0);
        }
    }

    /**
     * The server's side of {@link #encrypt}: the password.
     *
     * @throws ProtocolException if this was not encrypted with our key
     */
    public static Bytes decrypt(Bytes encrypted, Bytes scramble, PrivateKey key) {
        byte[] terminated = decryptTerminated(encrypted.toByteArray(), scramble, key);
        return Bytes.of(terminated, 0, terminated.length - 1);
    }

    /** As {@link #decrypt}, for a caller who wipes the result: the password and a NUL. */
    public static byte[] decryptTerminated(byte[] encrypted, Bytes scramble, PrivateKey key) {
        byte[] masked;
        try {
            Cipher cipher = Cipher.getInstance(TRANSFORMATION);
            cipher.init(Cipher.DECRYPT_MODE, key);
            masked = cipher.doFinal(encrypted);
        } catch (GeneralSecurityException e) {
            throw new ProtocolException("caching_sha2_password: " + encrypted.length
                    + " bytes of encrypted password cannot be decrypted with our key");
        }
        byte[] terminated = Digests.xor(masked, nonEmpty(scramble));
        Arrays.fill(masked, (byte) 0);
        if (terminated.length == 0 || terminated[terminated.length - 1] != 0) {
            throw new ProtocolException("caching_sha2_password: expected a NUL at the end of the decrypted password of "
                    + terminated.length + " bytes");
        }
        return terminated;
    }

    /**
     * Reads the key that the server sends in PEM form.
     *
     * @throws ProtocolException if it is none
     */
    public static PublicKey publicKey(Bytes pem) {
        String text = new String(pem.toByteArray(), StandardCharsets.ISO_8859_1);
        int begin = text.indexOf(PEM_BEGIN);
        int end = text.indexOf(PEM_END);
        if (begin < 0 || end < begin) {
            throw badKey(pem);
        }
        try {
            byte[] der = Base64.getMimeDecoder().decode(text.substring(begin + PEM_BEGIN.length(), end));
            return KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(der));
        } catch (IllegalArgumentException | GeneralSecurityException e) {
            throw badKey(pem);
        }
    }

    /** The form in which the server sends its key. */
    public static Bytes pem(PublicKey key) {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded());
        return Bytes.ofUtf8(PEM_BEGIN + "\n" + base64 + "\n" + PEM_END + "\n");
    }

    private static byte[] nonEmpty(Bytes scramble) {
        if (scramble.isEmpty()) {
            throw new ProtocolException("caching_sha2_password: expected a scramble, but it has 0 bytes");
        }
        return scramble.toByteArray();
    }

    private static ProtocolException badKey(Bytes pem) {
        return new ProtocolException("caching_sha2_password: expected an RSA key in PEM form, but the server has sent "
                + pem.length() + " bytes that are none");
    }
}
