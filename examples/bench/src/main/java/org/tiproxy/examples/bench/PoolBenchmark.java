package org.tiproxy.examples.bench;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.tiproxy.common.HostPort;
import org.tiproxy.pool.ConnectionFactory;
import org.tiproxy.pool.ConnectionPool;
import org.tiproxy.pool.Lease;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.StaticAddresses;

/** Acquire and release on connections that do nothing: tiproxy's pool beside HikariCP. {@link PoolBench} runs it. */
@NullUnmarked
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(1)
public class PoolBenchmark {
    /** How many connections a pool may have. 4 is fewer than 8 threads want. */
    @Param({"32", "4"})
    public int size;

    private HikariDataSource hikari;
    private ConnectionPool<Connection> tiproxy;

    /** Makes both pools. */
    @Setup(Level.Trial)
    public void open() {
        HikariConfig config = new HikariConfig();
        config.setDataSource(new StubDriver());
        config.setMinimumIdle(0);
        config.setMaximumPoolSize(size);
        config.setConnectionTimeout(8000);
        hikari = new HikariDataSource(config);
        tiproxy = ConnectionPool.create(
                new StubFactory(),
                StaticAddresses.of(new HostPort("127.0.0.1", 1)),
                PoolConfig.builder()
                        .maxConnectionsPerAddress(size)
                        .acquireTimeout(Duration.ofSeconds(8))
                        .build());
    }

    /** Closes both. */
    @TearDown(Level.Trial)
    public void close() {
        hikari.close();
        tiproxy.close();
    }

    /** HikariCP. */
    @Benchmark
    public Connection hikari() throws SQLException {
        Connection connection = hikari.getConnection();
        connection.close();
        return connection;
    }

    /** tiproxy. */
    @Benchmark
    public Connection tiproxy() throws InterruptedException {
        Lease<Connection> lease = tiproxy.acquire();
        Connection connection = lease.connection();
        lease.release();
        return connection;
    }

    private static final class StubFactory implements ConnectionFactory<Connection> {
        @Override
        public CompletableFuture<Connection> connect(HostPort address, Duration timeout) {
            return CompletableFuture.completedFuture(new StubConnection());
        }

        @Override
        public CompletableFuture<Boolean> probe(Connection connection, Duration timeout) {
            return CompletableFuture.completedFuture(true);
        }

        @Override
        public void close(Connection connection) {}
    }
}
