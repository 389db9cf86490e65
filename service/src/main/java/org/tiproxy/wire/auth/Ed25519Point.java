package org.tiproxy.wire.auth;

import java.math.BigInteger;

/**
 * A point on the curve of Ed25519 (RFC 8032, section 5.1) in extended homogeneous coordinates: x = X/Z, y = Y/Z, xy =
 * T/Z. Only what a signature needs: sums of points and multiples of the base point.
 *
 * <p>The time that this takes depends on the numbers. That is good enough for the one signature per login that a client
 * computes in its own process, and for nothing else.
 */
final class Ed25519Point {
    /** The order of the base point. */
    static final BigInteger ORDER =
            BigInteger.ONE.shiftLeft(252).add(new BigInteger("27742317777372353535851937790883648493"));

    private static final BigInteger P = BigInteger.ONE.shiftLeft(255).subtract(BigInteger.valueOf(19));
    /** Two times the curve's constant d = -121665/121666. */
    private static final BigInteger D2 = BigInteger.valueOf(-121665)
            .multiply(BigInteger.valueOf(121666).modInverse(P))
            .shiftLeft(1)
            .mod(P);

    private static final int ENCODED_LENGTH = 32;
    private static final Ed25519Point ZERO =
            new Ed25519Point(BigInteger.ZERO, BigInteger.ONE, BigInteger.ONE, BigInteger.ZERO);
    private static final Ed25519Point BASE = affine(
            new BigInteger("15112221349535400772501151409588531511454012693041857206046113283949847762202"),
            new BigInteger("46316835694926478169428394003475163141307993866256225615783033603165251855960"));

    private final BigInteger x;
    private final BigInteger y;
    private final BigInteger z;
    private final BigInteger t;

    private Ed25519Point(BigInteger x, BigInteger y, BigInteger z, BigInteger t) {
        this.x = x;
        this.y = y;
        this.z = z;
        this.t = t;
    }

    /** {@code scalar} times the base point. */
    static Ed25519Point multipleOfBase(BigInteger scalar) {
        Ed25519Point result = ZERO;
        for (int bit = scalar.bitLength() - 1; bit >= 0; bit--) {
            result = result.plus(result);
            if (scalar.testBit(bit)) {
                result = result.plus(BASE);
            }
        }
        return result;
    }

    /** The sum by the formulas of RFC 8032, section 5.1.4, which hold for equal points too. */
    private Ed25519Point plus(Ed25519Point other) {
        BigInteger a = y.subtract(x).multiply(other.y.subtract(other.x)).mod(P);
        BigInteger b = y.add(x).multiply(other.y.add(other.x)).mod(P);
        BigInteger c = t.multiply(D2).multiply(other.t).mod(P);
        BigInteger d = z.shiftLeft(1).multiply(other.z).mod(P);
        BigInteger e = b.subtract(a);
        BigInteger f = d.subtract(c);
        BigInteger g = d.add(c);
        BigInteger h = b.add(a);
        return new Ed25519Point(
                e.multiply(f).mod(P),
                g.multiply(h).mod(P),
                f.multiply(g).mod(P),
                e.multiply(h).mod(P));
    }

    /** 32 bytes: y, little endian, with the lowest bit of x on top. */
    byte[] encode() {
        BigInteger inverse = z.modInverse(P);
        byte[] encoded = littleEndian(y.multiply(inverse).mod(P));
        if (x.multiply(inverse).mod(P).testBit(0)) {
            encoded[ENCODED_LENGTH - 1] |= (byte) 0x80;
        }
        return encoded;
    }

    /** 32 bytes of a number, the lowest first. */
    static byte[] littleEndian(BigInteger number) {
        byte[] bigEndian = number.toByteArray();
        byte[] result = new byte[ENCODED_LENGTH];
        for (int i = 0; i < Math.min(bigEndian.length, ENCODED_LENGTH); i++) {
            result[i] = bigEndian[bigEndian.length - 1 - i];
        }
        return result;
    }

    /** The number in bytes whose lowest is the first. */
    static BigInteger fromLittleEndian(byte[] bytes) {
        byte[] bigEndian = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            bigEndian[i] = bytes[bytes.length - 1 - i];
        }
        return new BigInteger(1, bigEndian);
    }

    private static Ed25519Point affine(BigInteger x, BigInteger y) {
        return new Ed25519Point(x, y, BigInteger.ONE, x.multiply(y).mod(P));
    }
}
