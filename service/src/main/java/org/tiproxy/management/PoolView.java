package org.tiproxy.management;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.tiproxy.engine.SharedConnections;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.PoolStatistics;

/** The shared backend connections as JMX shows them. */
public final class PoolView implements PoolMXBean {
    private final SharedConnections connections;

    /** A view of the connections. */
    public PoolView(SharedConnections connections) {
        this.connections = connections;
    }

    private PoolStatistics numbers() {
        return connections.control().statistics();
    }

    private PoolConfig config() {
        return connections.control().config();
    }

    private void change(UnaryOperator<PoolConfig.Builder> how) {
        connections
                .control()
                .reconfigure(config -> how.apply(config.toBuilder()).build());
    }

    private static void requirePositive(long millis) {
        if (millis < 1) {
            throw new IllegalArgumentException(millis + " ms: expected at least 1");
        }
    }

    private static long micros(Duration time) {
        return TimeUnit.NANOSECONDS.toMicros(time.toNanos());
    }

    @Override
    public String getMode() {
        return connections.mode();
    }

    @Override
    public int getActive() {
        return numbers().active();
    }

    @Override
    public int getIdle() {
        return numbers().idle();
    }

    @Override
    public int getPending() {
        return numbers().pending();
    }

    @Override
    public int getTotal() {
        return numbers().total();
    }

    @Override
    public int getMaxSize() {
        return config().maxConnectionsPerAddress();
    }

    @Override
    public void setMaxSize(int size) {
        change(builder -> builder.maxConnectionsPerAddress(size));
    }

    @Override
    public int getMinIdle() {
        return config().minIdle();
    }

    @Override
    public void setMinIdle(int size) {
        change(builder -> builder.minIdle(size));
    }

    @Override
    public long getAcquireTimeoutMillis() {
        return config().acquireTimeout().toMillis();
    }

    @Override
    public void setAcquireTimeoutMillis(long millis) {
        change(builder -> builder.acquireTimeout(Duration.ofMillis(millis)));
    }

    @Override
    public long getIdleTimeoutMillis() {
        return config().idleTimeout().toMillis();
    }

    @Override
    public void setIdleTimeoutMillis(long millis) {
        change(builder -> builder.idleTimeout(Duration.ofMillis(millis)));
    }

    @Override
    public long getMaxLifetimeMillis() {
        return config().maxLifetime().toMillis();
    }

    @Override
    public void setMaxLifetimeMillis(long millis) {
        change(builder -> builder.maxLifetime(Duration.ofMillis(millis)));
    }

    @Override
    public long getKeepAliveMillis() {
        return config().keepAlive().toMillis();
    }

    @Override
    public void setKeepAliveMillis(long millis) {
        change(builder -> builder.keepAlive(Duration.ofMillis(millis)));
    }

    @Override
    public long getValidationBypassMillis() {
        return config().probeBypass().toMillis();
    }

    @Override
    public void setValidationBypassMillis(long millis) {
        change(builder -> builder.probeBypass(Duration.ofMillis(millis)));
    }

    @Override
    public long getValidationTimeoutMillis() {
        return config().probeTimeout().toMillis();
    }

    @Override
    public void setValidationTimeoutMillis(long millis) {
        requirePositive(millis);
        change(builder -> builder.probeTimeout(Duration.ofMillis(millis)));
    }

    @Override
    public long getLeakDetectionThresholdMillis() {
        return config().leakDetectionThreshold().toMillis();
    }

    @Override
    public void setLeakDetectionThresholdMillis(long millis) {
        change(builder -> builder.leakDetectionThreshold(Duration.ofMillis(millis)));
    }

    @Override
    public boolean isSuspended() {
        return numbers().suspended();
    }

    @Override
    public long getAcquiredTotal() {
        return numbers().acquiredTotal();
    }

    @Override
    public long getCreatedTotal() {
        return numbers().createdTotal();
    }

    @Override
    public long getClosedTotal() {
        return numbers().closedTotal();
    }

    @Override
    public long getReusedTotal() {
        return numbers().reusedTotal();
    }

    @Override
    public long getTimeoutsTotal() {
        return numbers().timeoutsTotal();
    }

    @Override
    public long getBrokenTotal() {
        return numbers().brokenTotal();
    }

    @Override
    public long getLeakedTotal() {
        return numbers().leakedTotal();
    }

    @Override
    public long getAcquireWaitP50Micros() {
        return micros(numbers().acquireWait().p50());
    }

    @Override
    public long getAcquireWaitP99Micros() {
        return micros(numbers().acquireWait().p99());
    }

    @Override
    public long getAcquireWaitMaxMicros() {
        return micros(numbers().acquireWait().max());
    }

    @Override
    public long getConnectTimeP50Micros() {
        return micros(numbers().connectTime().p50());
    }

    @Override
    public long getConnectTimeP99Micros() {
        return micros(numbers().connectTime().p99());
    }

    @Override
    public long getConnectTimeMaxMicros() {
        return micros(numbers().connectTime().max());
    }

    @Override
    public String getLastFailure() {
        String failure = numbers().lastFailure();
        return failure == null ? "" : failure;
    }

    @Override
    public String getLastFailureTime() {
        Instant time = numbers().lastFailureTime();
        return time == null ? "" : time.toString();
    }

    @Override
    public List<PoolAddressRow> getAddresses() {
        return numbers().addresses().stream().map(PoolAddressRow::of).toList();
    }

    @Override
    public List<PoolConnectionRow> listConnections() {
        return connections.listConnections().stream().map(PoolConnectionRow::of).toList();
    }

    @Override
    public int evictIdle() {
        return connections.control().evictIdle();
    }

    @Override
    public int softEvict() {
        return connections.control().softEvict();
    }

    @Override
    public int evictUser(String user) {
        return connections.evictUser(user);
    }

    @Override
    public String suspend() {
        connections.control().suspend();
        return "suspended: clients wait for a connection, at most " + getAcquireTimeoutMillis() + " ms";
    }

    @Override
    public String resume() {
        connections.control().resume();
        return "resumed";
    }
}
