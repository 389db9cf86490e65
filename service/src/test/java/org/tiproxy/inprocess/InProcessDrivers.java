package org.tiproxy.inprocess;

import java.io.IOException;
import java.net.Socket;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.common.Ticker;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.TimerThread;

/** Real drivers over an {@link InProcessProxy}, by the socket factories that they can be given in the URL. */
final class InProcessDrivers implements AutoCloseable {
    /** What the sockets lead to that are made now, also by threads of the drivers: one test at a time. */
    private static volatile InProcessDrivers current;

    /** How a driver is told to use the proxy. */
    enum Driver {
        CONNECTOR_J("jdbc:mysql://127.0.0.1:%d/demo?sslMode=DISABLED&allowPublicKeyRetrieval=true&socketFactory="
                + InProcessConnectorJ.class.getName()),
        MARIADB("jdbc:mariadb://127.0.0.1:%d/demo?socketFactory=" + InProcessMariaDb.class.getName());

        final String url;

        Driver(String url) {
            this.url = url;
        }
    }

    final InProcessProxy proxy;
    private final TimerThread timer = new TimerThread("test-housekeeping");
    private final int port;
    private final String user;
    private final String password;
    /** As the URL would have it. */
    volatile BackendTls tls = BackendTls.DISABLED;

    InProcessDrivers(int port, UnaryOperator<PoolConfig.Builder> pooling) {
        this(port, "demo", "demo", pooling);
    }

    InProcessDrivers(int port, String user, String password, UnaryOperator<PoolConfig.Builder> pooling) {
        this(port, user, password, pooling, List::of);
    }

    InProcessDrivers(
            int port,
            String user,
            String password,
            UnaryOperator<PoolConfig.Builder> pooling,
            Function<HostPort, List<HostPort>> backends) {
        this.port = port;
        this.user = user;
        this.password = password;
        this.proxy = new InProcessProxy(
                pooling.apply(PoolConfig.builder()).build(), backends, Ticker.SYSTEM, timer, PoolListener.NONE, true);
    }

    static Socket newSocket() throws IOException {
        InProcessDrivers drivers = current;
        return new MemorySocket((address, timeout) -> drivers.proxy.open(new DriverLogin(
                HostPort.of(address),
                drivers.user,
                new Secret(drivers.password),
                drivers.tls,
                Duration.ofMillis(timeout))));
    }

    Connection connect(Driver driver, String... options) throws SQLException {
        current = this;
        String url = driver.url.formatted(port);
        for (String option : options) {
            url += "&" + option;
        }
        return DriverManager.getConnection(url, user, password);
    }

    /** Connections of the only pool. */
    InProcessPool pool() {
        return proxy.onlyPool();
    }

    @Override
    public void close() {
        proxy.close();
        timer.close();
    }
}
