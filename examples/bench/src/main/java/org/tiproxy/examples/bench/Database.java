package org.tiproxy.examples.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/** The database that the SQL sections use, and JDBC connections to it, direct or through a proxy. */
final class Database {
    /** Name, password and schema of the only account. */
    static final String ACCOUNT = "demo";
    /** In sysbench's table. */
    static final int ROWS = 10_000;

    private static final Duration START_LIMIT = Duration.ofMinutes(2);
    private static final Duration PAUSE = Duration.ofMillis(50);
    /** Only what a connection needs: the driver's own questions at the start would be a part of what is measured. */
    private static final String OPTIONS = "?useServerPrepStmts=true&connectTimeout=60000&socketTimeout=120000"
            + "&allowPublicKeyRetrieval=true&sslMode=";

    private Database() {}

    static Connection connect(InetSocketAddress address) throws SQLException {
        return connect(address, false);
    }

    private static Connection connect(InetSocketAddress address, boolean tls) throws SQLException {
        String mode = tls ? "trust" : "disable";
        return DriverManager.getConnection(
                "jdbc:mariadb://127.0.0.1:" + address.getPort() + "/" + ACCOUNT + OPTIONS + mode, ACCOUNT, ACCOUNT);
    }

    /** One whole visit: connect, one query, its answer, close. */
    static void visit(InetSocketAddress address) throws IOException {
        visit(address, false);
    }

    /** The same, with or without TLS. */
    static void visit(InetSocketAddress address, boolean tls) throws IOException {
        try (Connection connection = connect(address, tls)) {
            selectOne(connection);
        } catch (SQLException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** A connection that has had one query answered. */
    static AutoCloseable open(InetSocketAddress address) throws IOException {
        try {
            Connection connection = connect(address);
            selectOne(connection);
            return connection;
        } catch (SQLException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static void selectOne(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT 1")) {
            rows.next();
        }
    }

    /**
     * Visits until a visit succeeds.
     *
     * @param alive fails when waiting on makes no sense
     */
    static void awaitAnswer(InetSocketAddress address, Connections.Check alive) throws IOException {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (true) {
            try {
                visit(address);
                return;
            } catch (IOException e) {
                alive.run();
                if (System.nanoTime() - deadline > 0) {
                    throw new SocketTimeoutException(
                            "no answer within %s, at last: %s".formatted(START_LIMIT, e.getMessage()));
                }
                Connections.pause(PAUSE);
            }
        }
    }

    /** Makes the table that sysbench's scripts expect. */
    static void fill(InetSocketAddress address) throws IOException {
        try (Connection connection = connect(address);
                Statement statement = connection.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS sbtest1");
            statement.execute("""
                    CREATE TABLE sbtest1 (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL DEFAULT 0,
                        c CHAR(120) NOT NULL DEFAULT '', pad CHAR(60) NOT NULL DEFAULT '', KEY k_1 (k))""");
            statement.execute("""
                    INSERT INTO sbtest1
                        SELECT seq, 1 + FLOOR(RAND() * %1$d), RPAD(RAND(), 119, MD5(seq)), RPAD(RAND(), 59, MD5(seq))
                        FROM seq_1_to_%1$d""".formatted(ROWS));
        } catch (SQLException e) {
            throw new IOException("the tables could not be made: " + e.getMessage(), e);
        }
    }
}
