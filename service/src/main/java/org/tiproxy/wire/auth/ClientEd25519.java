package org.tiproxy.wire.auth;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.EdECPoint;
import java.security.spec.EdECPublicKeySpec;
import java.security.spec.NamedParameterSpec;
import java.util.Arrays;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.protocol.AuthPluginName;

/**
 * client_ed25519 of MariaDB: the reply is an Ed25519 signature of the server's 32-byte scramble.
 *
 * <p>It is Ed25519 as in RFC 8032, except that the password, of any length, takes the place of the 32 random bytes of a
 * secret key: scalar and prefix are the halves of SHA512(password). The JDK insists on 32 bytes, so it cannot sign
 * here; verifying needs only the public key, and that the JDK does.
 */
public final class ClientEd25519 implements AuthPlugin {
    private static final int KEY_LENGTH = 32;
    private static final int SIGNATURE_LENGTH = 64;

    @Override
    public AuthPluginName name() {
        return AuthPluginName.CLIENT_ED25519;
    }

    @Override
    public boolean requiresTls() {
        return false;
    }

    /** The signature. There is no special case for an empty password: servers store a key for that, too. */
    @Override
    public Bytes reply(Bytes password, Bytes scramble) {
        byte[] message = scramble.toByteArray();
        byte[] expanded = Digests.sha512(password.toByteArray());
        BigInteger secret = secretScalar(expanded);
        byte[] publicKey = Ed25519Point.multipleOfBase(secret).encode();
        byte[] prefix = Arrays.copyOfRange(expanded, KEY_LENGTH, 2 * KEY_LENGTH);
        BigInteger nonce = scalar(Digests.sha512(prefix, message));
        byte[] commitment = Ed25519Point.multipleOfBase(nonce).encode();
        BigInteger challenge = scalar(Digests.sha512(commitment, publicKey, message));
        byte[] answer =
                Ed25519Point.littleEndian(challenge.multiply(secret).add(nonce).mod(Ed25519Point.ORDER));
        byte[] signature = Arrays.copyOf(commitment, SIGNATURE_LENGTH);
        System.arraycopy(answer, 0, signature, KEY_LENGTH, KEY_LENGTH);
        return Bytes.of(signature);
    }

    /** The public key of a password: what the server stores, in Base64 without padding. */
    public static Bytes publicKey(Bytes password) {
        return Bytes.of(Ed25519Point.multipleOfBase(secretScalar(Digests.sha512(password.toByteArray())))
                .encode());
    }

    /** Whether a reply is that of someone who knows the password with the public key. */
    public static boolean verify(Bytes reply, Bytes scramble, Bytes publicKey) {
        if (reply.length() != SIGNATURE_LENGTH || publicKey.length() != KEY_LENGTH) {
            return false;
        }
        byte[] y = publicKey.toByteArray();
        boolean xOdd = y[KEY_LENGTH - 1] < 0;
        y[KEY_LENGTH - 1] &= 0x7f;
        try {
            EdECPoint point = new EdECPoint(xOdd, Ed25519Point.fromLittleEndian(y));
            PublicKey key = KeyFactory.getInstance("Ed25519")
                    .generatePublic(new EdECPublicKeySpec(NamedParameterSpec.ED25519, point));
            Signature verifier = Signature.getInstance("Ed25519");
            verifier.initVerify(key);
            verifier.update(scramble.toByteArray());
            return verifier.verify(reply.toByteArray());
        } catch (GeneralSecurityException e) {
            // Also how the JDK says that key or signature are no points of the curve.
            return false;
        }
    }

    /** The first half of the hash, with the bits fixed as RFC 8032 says. */
    private static BigInteger secretScalar(byte[] expanded) {
        byte[] half = Arrays.copyOf(expanded, KEY_LENGTH);
        half[0] &= (byte) 0xf8;
        half[KEY_LENGTH - 1] &= 0x7f;
        half[KEY_LENGTH - 1] |= 0x40;
        return Ed25519Point.fromLittleEndian(half);
    }

    private static BigInteger scalar(byte[] hash) {
        return Ed25519Point.fromLittleEndian(hash).mod(Ed25519Point.ORDER);
    }
}
