package org.tiproxy.pool;

import java.time.Duration;

/**
 * How a pool behaves. Every value can be changed while the pool runs, see {@link PoolControl#reconfigure}.
 *
 * @param name what the pool is called in logs
 * @param maxConnectionsPerAddress 1 or more: the most connections to one address, counting those that are being opened or
 *     closed, and over all keys
 * @param minIdle 0 to maxConnectionsPerAddress: how many idle connections per address to keep ready, whatever their
 *     keys. Those that are missing are opened with the key that was asked for last, see {@link
 *     KeyedConnectionFactory#opensAhead}
 * @param acquireTimeout how long an acquire may wait; zero for "only what is idle now"
 * @param connectTimeout how long opening a connection may take
 * @param probeTimeout how long a probe may take before the connection counts as dead
 * @param probeBypass an idle connection that is known to have worked this recently is lent without a probe; zero to
 *     probe each before it is lent, except for one that was just opened for the caller
 * @param idleTimeout how long a connection beyond minIdle may be idle; zero for ever
 * @param maxLifetime how old a connection may become, less up to a tenth, so that those opened together do not end
 *     together; one in use is closed when it comes back; zero for ever
 * @param keepAlive how long a connection may be idle before it is probed; zero for never
 * @param leakDetectionThreshold a lease held longer is logged with its acquirer's stack, which then costs a stack trace
 *     per acquire; zero for never
 * @param minBackoff the pause after a failed connect; each further failure doubles it
 * @param maxBackoff the longest such pause
 * @param failFast whether waiting callers fail as soon as no address can be connected to, instead of at their timeout
 */
public record PoolConfig(
        String name,
        int maxConnectionsPerAddress,
        int minIdle,
        Duration acquireTimeout,
        Duration connectTimeout,
        Duration probeTimeout,
        Duration probeBypass,
        Duration idleTimeout,
        Duration maxLifetime,
        Duration keepAlive,
        Duration leakDetectionThreshold,
        Duration minBackoff,
        Duration maxBackoff,
        boolean failFast) {

    /** The longest time that fits the arithmetic with nanoseconds, with room to spare. */
    private static final Duration LONGEST = Duration.ofDays(365 * 100);

    /** The defaults with which {@link #builder} begins. */
    public static final PoolConfig DEFAULT = new PoolConfig(
            "pool",
            10,
            0,
            Duration.ofSeconds(30),
            Duration.ofSeconds(5),
            Duration.ofSeconds(5),
            Duration.ofMillis(500),
            Duration.ofMinutes(10),
            Duration.ofMinutes(30),
            Duration.ofMinutes(2),
            Duration.ZERO,
            Duration.ofMillis(100),
            Duration.ofSeconds(4),
            false);

    /** Checks the ranges. */
    public PoolConfig {
        if (maxConnectionsPerAddress < 1) {
            throw new IllegalArgumentException(
                    "maxConnectionsPerAddress %d is below 1".formatted(maxConnectionsPerAddress));
        }
        if (minIdle < 0 || minIdle > maxConnectionsPerAddress) {
            throw new IllegalArgumentException("minIdle %d is not between 0 and maxConnectionsPerAddress %d"
                    .formatted(minIdle, maxConnectionsPerAddress));
        }
        check("acquireTimeout", acquireTimeout, false);
        check("connectTimeout", connectTimeout, true);
        check("probeTimeout", probeTimeout, true);
        check("probeBypass", probeBypass, false);
        check("idleTimeout", idleTimeout, false);
        check("maxLifetime", maxLifetime, false);
        check("keepAlive", keepAlive, false);
        check("leakDetectionThreshold", leakDetectionThreshold, false);
        check("minBackoff", minBackoff, true);
        check("maxBackoff", maxBackoff, true);
        if (maxBackoff.compareTo(minBackoff) < 0) {
            throw new IllegalArgumentException(
                    "maxBackoff %s is shorter than minBackoff %s".formatted(maxBackoff, minBackoff));
        }
    }

    private static void check(String name, Duration value, boolean positive) {
        if (value.isNegative() || (positive && value.isZero()) || value.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(
                    "%s %s is not between %s and 100 years".formatted(name, value, positive ? "a nanosecond" : "zero"));
        }
    }

    /** Begins with the defaults. */
    public static Builder builder() {
        return DEFAULT.toBuilder();
    }

    /** Begins with these values. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /** Collects values; {@link #build} checks them. */
    public static final class Builder {
        private String name;
        private int maxConnectionsPerAddress;
        private int minIdle;
        private Duration acquireTimeout;
        private Duration connectTimeout;
        private Duration probeTimeout;
        private Duration probeBypass;
        private Duration idleTimeout;
        private Duration maxLifetime;
        private Duration keepAlive;
        private Duration leakDetectionThreshold;
        private Duration minBackoff;
        private Duration maxBackoff;
        private boolean failFast;

        private Builder(PoolConfig from) {
            name = from.name;
            maxConnectionsPerAddress = from.maxConnectionsPerAddress;
            minIdle = from.minIdle;
            acquireTimeout = from.acquireTimeout;
            connectTimeout = from.connectTimeout;
            probeTimeout = from.probeTimeout;
            probeBypass = from.probeBypass;
            idleTimeout = from.idleTimeout;
            maxLifetime = from.maxLifetime;
            keepAlive = from.keepAlive;
            leakDetectionThreshold = from.leakDetectionThreshold;
            minBackoff = from.minBackoff;
            maxBackoff = from.maxBackoff;
            failFast = from.failFast;
        }

        /** See {@link PoolConfig#name()}. */
        public Builder name(String value) {
            name = value;
            return this;
        }

        /** See {@link PoolConfig#maxConnectionsPerAddress()}. */
        public Builder maxConnectionsPerAddress(int value) {
            maxConnectionsPerAddress = value;
            return this;
        }

        /** See {@link PoolConfig#minIdle()}. */
        public Builder minIdle(int value) {
            minIdle = value;
            return this;
        }

        /** See {@link PoolConfig#acquireTimeout()}. */
        public Builder acquireTimeout(Duration value) {
            acquireTimeout = value;
            return this;
        }

        /** See {@link PoolConfig#connectTimeout()}. */
        public Builder connectTimeout(Duration value) {
            connectTimeout = value;
            return this;
        }

        /** See {@link PoolConfig#probeTimeout()}. */
        public Builder probeTimeout(Duration value) {
            probeTimeout = value;
            return this;
        }

        /** See {@link PoolConfig#probeBypass()}. */
        public Builder probeBypass(Duration value) {
            probeBypass = value;
            return this;
        }

        /** See {@link PoolConfig#idleTimeout()}. */
        public Builder idleTimeout(Duration value) {
            idleTimeout = value;
            return this;
        }

        /** See {@link PoolConfig#maxLifetime()}. */
        public Builder maxLifetime(Duration value) {
            maxLifetime = value;
            return this;
        }

        /** See {@link PoolConfig#keepAlive()}. */
        public Builder keepAlive(Duration value) {
            keepAlive = value;
            return this;
        }

        /** See {@link PoolConfig#leakDetectionThreshold()}. */
        public Builder leakDetectionThreshold(Duration value) {
            leakDetectionThreshold = value;
            return this;
        }

        /** See {@link PoolConfig#minBackoff()}. */
        public Builder minBackoff(Duration value) {
            minBackoff = value;
            return this;
        }

        /** See {@link PoolConfig#maxBackoff()}. */
        public Builder maxBackoff(Duration value) {
            maxBackoff = value;
            return this;
        }

        /** See {@link PoolConfig#failFast()}. */
        public Builder failFast(boolean value) {
            failFast = value;
            return this;
        }

        /**
         * The configuration.
         *
         * @throws IllegalArgumentException with a sentence that names the value that is out of range
         */
        public PoolConfig build() {
            return new PoolConfig(
                    name,
                    maxConnectionsPerAddress,
                    minIdle,
                    acquireTimeout,
                    connectTimeout,
                    probeTimeout,
                    probeBypass,
                    idleTimeout,
                    maxLifetime,
                    keepAlive,
                    leakDetectionThreshold,
                    minBackoff,
                    maxBackoff,
                    failFast);
        }
    }
}
