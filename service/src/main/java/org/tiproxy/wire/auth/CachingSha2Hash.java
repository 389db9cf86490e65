package org.tiproxy.wire.auth;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import org.tiproxy.wire.Bytes;

/**
 * What MySQL 8 stores for caching_sha2_password: {@code $A$005$}, 20 bytes of salt, 43 characters of SHA-256-crypt, with
 * the rounds in thousands, hexadecimal. It can check a password, but neither the scrambled reply of a client nor a login
 * at a server can be computed from it.
 *
 * <p>Checking costs some milliseconds by design.
 */
public final class CachingSha2Hash {
    private static final String PREFIX = "$A$";
    private static final int ROUNDS_LENGTH = 3;
    private static final int SALT_LENGTH = 20;
    private static final int DIGEST_LENGTH = 43;
    private static final int LENGTH = PREFIX.length() + ROUNDS_LENGTH + 1 + SALT_LENGTH + DIGEST_LENGTH;
    private static final int ROUNDS_UNIT = 1000;
    private static final byte[] NOTHING = {};
    private static final String ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private final int rounds;
    private final byte[] salt;
    private final byte[] digest;

    private CachingSha2Hash(int rounds, byte[] salt, byte[] digest) {
        this.rounds = rounds;
        this.salt = salt;
        this.digest = digest;
    }

    /**
     * Reads a stored hash: the text of {@code authentication_string}, or {@code 0x} and its hexadecimal digits, which is
     * the safer form because the salt may have any bytes.
     *
     * @throws IllegalArgumentException if it is none; the message does not show it
     */
    public static CachingSha2Hash parse(String stored) {
        byte[] bytes = stored.startsWith("0x")
                ? HexFormat.of().parseHex(stored.substring(2))
                : stored.getBytes(StandardCharsets.ISO_8859_1);
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        if (bytes.length != LENGTH || !text.startsWith(PREFIX) || text.charAt(PREFIX.length() + ROUNDS_LENGTH) != '$') {
            throw new IllegalArgumentException("expected a hash of caching_sha2_password, " + LENGTH
                    + " bytes that begin with $A$005$, but found " + bytes.length + " bytes");
        }
        int saltStart = PREFIX.length() + ROUNDS_LENGTH + 1;
        int rounds = Integer.parseInt(text, PREFIX.length(), PREFIX.length() + ROUNDS_LENGTH, 16);
        if (rounds == 0) {
            throw new IllegalArgumentException("a hash of caching_sha2_password with 0 rounds");
        }
        return new CachingSha2Hash(
                rounds * ROUNDS_UNIT,
                Arrays.copyOfRange(bytes, saltStart, saltStart + SALT_LENGTH),
                Arrays.copyOfRange(bytes, saltStart + SALT_LENGTH, LENGTH));
    }

    /** Whether this is the hash of a password. */
    public boolean matches(Bytes password) {
        byte[] key = password.toByteArray();
        try {
            return MessageDigest.isEqual(crypt(rounds, salt, key), digest);
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    /** Nothing of the hash. */
    @Override
    public String toString() {
        return "CachingSha2Hash[rounds=" + rounds + "]";
    }

    /** SHA-256-crypt as Ulrich Drepper has specified it, with a salt of any length. */
    static byte[] crypt(int rounds, byte[] salt, byte[] key) {
        byte[] alternate = Digests.sha256(key, salt, key);
        ByteArrayOutputStream bits = new ByteArrayOutputStream();
        for (int length = key.length; length > 0; length >>= 1) {
            bits.writeBytes((length & 1) == 0 ? key : alternate);
        }
        byte[] hash = Digests.sha256(key, salt, spread(alternate, key.length), bits.toByteArray());
        byte[] keys = spread(hashOfCopies(key, key.length), key.length);
        byte[] salts = spread(hashOfCopies(salt, 16 + (hash[0] & 0xff)), salt.length);
        for (int round = 0; round < rounds; round++) {
            boolean odd = (round & 1) != 0;
            hash = Digests.sha256(
                    odd ? keys : hash,
                    round % 3 == 0 ? NOTHING : salts,
                    round % 7 == 0 ? NOTHING : keys,
                    odd ? hash : keys);
        }
        return encode(hash);
    }

    private static byte[] hashOfCopies(byte[] part, int copies) {
        ByteArrayOutputStream all = new ByteArrayOutputStream(part.length * copies);
        for (int i = 0; i < copies; i++) {
            all.writeBytes(part);
        }
        return Digests.sha256(all.toByteArray());
    }

    /** {@code length} bytes of a hash, over and over again. */
    private static byte[] spread(byte[] hash, int length) {
        byte[] result = new byte[length];
        for (int i = 0; i < length; i++) {
            result[i] = hash[i % hash.length];
        }
        return result;
    }

    /** Groups of three bytes, ten apart from each other and rotating, as four characters, lowest bits first. */
    private static byte[] encode(byte[] hash) {
        byte[] text = new byte[DIGEST_LENGTH];
        int at = 0;
        int high = 0;
        int middle = 10;
        int low = 20;
        for (int group = 0; group < 10; group++) {
            at = put(text, at, 4, hash[high] & 0xff, hash[middle] & 0xff, hash[low] & 0xff);
            high = (high + 21) % 30;
            middle = (middle + 21) % 30;
            low = (low + 21) % 30;
        }
        put(text, at, 3, 0, hash[31] & 0xff, hash[30] & 0xff);
        return text;
    }

    private static int put(byte[] text, int start, int count, int high, int middle, int low) {
        int value = high << 16 | middle << 8 | low;
        for (int i = 0; i < count; i++) {
            text[start + i] = (byte) ALPHABET.charAt(value & 0x3f);
            value >>= 6;
        }
        return start + count;
    }
}
