package org.tiproxy.common;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.regex.Pattern;

/**
 * An IP address or a range of them: {@code 10.1.2.3}, {@code 10.0.0.0/8}, {@code ::1}, {@code fd00::/8}. An IPv4 address in
 * IPv6 notation ({@code ::ffff:10.1.2.3}) is the IPv4 address.
 */
public final class IpNetwork {
    private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F.]*:[0-9a-fA-F:.]*");
    private static final Pattern PREFIX = Pattern.compile("[0-9]{1,3}");

    private final byte[] address;
    private final int prefixLength;

    private IpNetwork(byte[] address, int prefixLength) {
        this.address = address;
        this.prefixLength = prefixLength;
    }

    /**
     * Reads an address, or an address and the number of leading bits that count. Names are not looked up.
     *
     * @throws IllegalArgumentException with a phrase that says what is wrong
     */
    public static IpNetwork parse(String text) {
        int slash = text.indexOf('/');
        byte[] address = parseAddress(slash < 0 ? text : text.substring(0, slash));
        int bits = Byte.SIZE * address.length;
        if (slash < 0) {
            return new IpNetwork(address, bits);
        }
        String digits = text.substring(slash + 1);
        int prefixLength = PREFIX.matcher(digits).matches() ? Integer.parseInt(digits) : -1;
        if (prefixLength < 0 || prefixLength > bits) {
            throw new IllegalArgumentException("it needs a number of bits from 0 to " + bits + " after the '/'");
        }
        for (int bit = prefixLength; bit < bits; bit++) {
            if ((address[bit / Byte.SIZE] & mask(bit)) != 0) {
                throw new IllegalArgumentException("the address has bits set behind the first " + prefixLength);
            }
        }
        return new IpNetwork(address, prefixLength);
    }

    private static byte[] parseAddress(String text) {
        if (!IPV4.matcher(text).matches() && !IPV6.matcher(text).matches()) {
            throw new IllegalArgumentException("not an IP address");
        }
        try {
            return InetAddress.getByName(text).getAddress();
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("not an IP address", e);
        }
    }

    private static int mask(int bit) {
        return 0x80 >> bit % Byte.SIZE;
    }

    /** Whether {@code candidate} is of the same family and in the range. */
    public boolean contains(InetAddress candidate) {
        byte[] other = candidate.getAddress();
        if (other.length != address.length) {
            return false;
        }
        for (int bit = 0; bit < prefixLength; bit++) {
            if (((address[bit / Byte.SIZE] ^ other[bit / Byte.SIZE]) & mask(bit)) != 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof IpNetwork network
                && prefixLength == network.prefixLength
                && Arrays.equals(address, network.address);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(address) * 31 + prefixLength;
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        try {
            String host = InetAddress.getByAddress(address).getHostAddress();
            return prefixLength == Byte.SIZE * address.length ? host : host + "/" + prefixLength;
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address of " + address.length + " bytes", e);
        }
    }
}
