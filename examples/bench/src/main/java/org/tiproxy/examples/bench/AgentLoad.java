package org.tiproxy.examples.bench;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Runs in a JVM of its own with the agent: the same load over connections that stay the driver's own and over redirected
 * ones, in turns, and prints a line {@code measure<TAB>target<TAB>microseconds} per round, the median of a slice.
 *
 * <p>Arguments: port, port of a server with TLS or 0, port of one with a certificate of its own making or 0, milliseconds of a
 * slice, rounds. The host {@code localhost} is excluded from redirecting.
 */
final class AgentLoad {
    static final String DIRECT_HOST = "localhost";
    private static final String REDIRECTED_HOST = "127.0.0.1";
    /** A visit runs a great deal of code, and the JVM has compiled all of it after some ten thousand. */
    private static final int WARM_UP_ROUNDS = 16;

    private final String port;
    private final String tlsPort;
    private final String ownTlsPort;
    private final long sliceNanos;

    private AgentLoad(String port, String tlsPort, String ownTlsPort, long sliceMillis) {
        this.port = port;
        this.tlsPort = tlsPort;
        this.ownTlsPort = ownTlsPort;
        this.sliceNanos = sliceMillis * 1_000_000;
    }

    public static void main(String[] arguments) throws Exception {
        Locale.setDefault(Locale.ROOT);
        new AgentLoad(arguments[0], arguments[1], arguments[2], Long.parseLong(arguments[3]))
                .run(Integer.parseInt(arguments[4]));
    }

    /** One thing that is measured, over and over. */
    private interface Unit {
        void run() throws SQLException;
    }

    private void run(int rounds) throws Exception {
        Map<String, Map<Target.Kind, Unit>> measures = new LinkedHashMap<>();
        List<AutoCloseable> open = new ArrayList<>();
        for (AgentDriver driver : AgentDriver.values()) {
            for (Target.Kind kind : List.of(Target.Kind.DIRECT, Target.Kind.TIPROXY)) {
                String host = kind == Target.Kind.DIRECT ? DIRECT_HOST : REDIRECTED_HOST;
                String plain = driver.url(host, port, false);
                Connection connection = connect(plain);
                open.add(connection);
                Statement statement = connection.createStatement();
                add(measures, driver.selectOne(), kind, () -> query(statement, "SELECT 1"));
                add(
                        measures,
                        driver.primaryKey(),
                        kind,
                        () -> query(statement, "SELECT c FROM sbtest1 WHERE id = 4711"));
                add(measures, driver.visit(), kind, () -> visit(plain));
                if (!tlsPort.equals("0")) {
                    String tls = driver.url(host, tlsPort, true);
                    add(measures, driver.visitWithTls(), kind, () -> visit(tls));
                }
                if (!ownTlsPort.equals("0")) {
                    String tls = driver.url(host, ownTlsPort, true);
                    add(measures, driver.visitWithServersOwnTls(), kind, () -> visit(tls));
                }
                HikariDataSource pool = pool(plain);
                open.add(pool);
                add(measures, driver.hikari(), kind, () -> {
                    try (Connection borrowed = pool.getConnection();
                            Statement each = borrowed.createStatement()) {
                        query(each, "SELECT 1");
                    }
                });
            }
        }
        for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
            boolean first = Math.floorMod(round, 2) == 0;
            for (Map.Entry<String, Map<Target.Kind, Unit>> measure : measures.entrySet()) {
                List<Map.Entry<Target.Kind, Unit>> turns =
                        new ArrayList<>(measure.getValue().entrySet());
                if (!first) {
                    Collections.reverse(turns);
                }
                for (Map.Entry<Target.Kind, Unit> turn : turns) {
                    double median = median(turn.getValue());
                    if (round >= 0) {
                        System.out.println(measure.getKey() + "\t" + turn.getKey() + "\t" + median);
                    }
                }
            }
        }
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    private static void add(Map<String, Map<Target.Kind, Unit>> measures, String name, Target.Kind kind, Unit unit) {
        measures.computeIfAbsent(name, key -> new LinkedHashMap<>()).put(kind, unit);
    }

    /** In microseconds. */
    private double median(Unit unit) throws SQLException {
        List<Long> times = new ArrayList<>();
        long end = System.nanoTime() + sliceNanos;
        while (System.nanoTime() < end || times.isEmpty()) {
            long start = System.nanoTime();
            unit.run();
            times.add(System.nanoTime() - start);
        }
        Collections.sort(times);
        return times.get(times.size() / 2) / 1e3;
    }

    private static void visit(String url) throws SQLException {
        try (Connection connection = connect(url);
                Statement statement = connection.createStatement()) {
            query(statement, "SELECT 1");
        }
    }

    private static Connection connect(String url) throws SQLException {
        return DriverManager.getConnection(url, Database.ACCOUNT, Database.ACCOUNT);
    }

    private static void query(Statement statement, String sql) throws SQLException {
        try (ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
        }
    }

    private static HikariDataSource pool(String url) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setUsername(Database.ACCOUNT);
        config.setPassword(Database.ACCOUNT);
        config.setMaximumPoolSize(2);
        return new HikariDataSource(config);
    }
}
