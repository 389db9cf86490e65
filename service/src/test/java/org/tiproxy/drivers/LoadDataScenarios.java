package org.tiproxy.drivers;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** {@code LOAD DATA LOCAL}: the client sends rows in the middle of an answer. */
final class LoadDataScenarios {
    private static final String TABLE = "CREATE OR REPLACE TABLE loaded (id INT, word VARCHAR(200))";
    private static final String INTO = " INTO TABLE loaded FIELDS TERMINATED BY ','";

    /**
     * Those that send a file in a later statement with a wrong sequence number, or refuse it: that ends the session at the
     * server too, in other words or after a long wait.
     */
    private static final Set<JdbcDriver> MISCOUNTING = EnumSet.of(
            JdbcDriver.CONNECTOR_J_5_1_49,
            JdbcDriver.CONNECTOR_J_5_1_40,
            JdbcDriver.MARIADB_3_3_3,
            JdbcDriver.MARIADB_3_1_4,
            JdbcDriver.MARIADB_2_7_13,
            JdbcDriver.MARIADB_2_4_4);

    private LoadDataScenarios() {}

    static Map<String, Scenario> all() {
        Map<String, Scenario> all = new LinkedHashMap<>();
        all.put("LOAD DATA LOCAL of files", LoadDataScenarios::files);
        all.put("LOAD DATA LOCAL of a stream", LoadDataScenarios::stream);
        all.put("LOAD DATA LOCAL refused", LoadDataScenarios::refused);
        return all;
    }

    private static String allowed(ScenarioRun run, boolean allowed) {
        return (run.isConnectorJ() ? "allowLoadLocalInfile=" : "allowLocalInfile=") + allowed;
    }

    private static String load(Path file) {
        return "LOAD DATA LOCAL INFILE '" + file + "'" + INTO;
    }

    private static void files(ScenarioRun run) throws SQLException, IOException {
        Path small = Files.writeString(run.folder().resolve("small.csv"), "1,one\n2,two\n3,three\n");
        Path odd = Files.writeString(run.folder().resolve("odd.csv"), "1,one,more\nx,two\n3\n");
        Path empty = Files.writeString(run.folder().resolve("empty.csv"), "");
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < 20_000; i++) {
            rows.append(i).append(",row number ").append(i).append(" of many\n");
        }
        Path large = Files.writeString(run.folder().resolve("large.csv"), rows);
        try (Connection connection = run.connect(allowed(run, true), "allowMultiQueries=true")) {
            ScenarioRun.prepare(connection, TABLE);
            run.execute(connection, load(small));
            run.execute(connection, load(empty));
            run.execute(connection, load(large));
            run.execute(connection, load(odd));
            ScenarioRun.prepare(connection, "SET sql_mode = ''");
            run.execute(connection, load(odd));
            run.execute(connection, load(run.folder().resolve("missing.csv")));
            run.execute(connection, "SELECT 'still there'");
            run.execute(connection, "LOAD DATA LOCAL INFILE '" + small + "' INTO TABLE nowhere");
            if (!MISCOUNTING.contains(run.driver())) {
                run.execute(connection, "SELECT 1; " + load(small) + "; SELECT 2; " + load(odd) + "; SELECT 3");
            }
            run.execute(connection, "SELECT COUNT(*), SUM(id), SUM(CRC32(word)) FROM loaded");
        }
    }

    private static void stream(ScenarioRun run) throws SQLException {
        try (Connection connection = run.connect(allowed(run, true));
                Statement statement = connection.createStatement()) {
            ScenarioRun.prepare(connection, TABLE);
            byte[] content = "7,seven\n8,eight\n".repeat(5000).getBytes(StandardCharsets.UTF_8);
            run.out().attempt("stream", () -> {
                Method setter = Arrays.stream(statement.getClass().getMethods())
                        .filter(method -> method.getName().equals("setLocalInfileInputStream"))
                        .findFirst()
                        .orElse(null);
                if (setter == null) {
                    run.out().line("the driver has no streams");
                    return;
                }
                try {
                    setter.setAccessible(true);
                    setter.invoke(statement, (InputStream) new ByteArrayInputStream(content));
                } catch (InvocationTargetException | IllegalAccessException e) {
                    throw new IllegalStateException(e);
                }
                run.out().results(statement, statement.execute(load(Path.of("/nowhere/at all"))));
            });
            run.execute(connection, "SELECT COUNT(*), SUM(id) FROM loaded");
        }
    }

    private static void refused(ScenarioRun run) throws SQLException, IOException {
        Path small = Files.writeString(run.folder().resolve("small.csv"), "1,one\n");
        try (Connection connection = run.connect(allowed(run, false))) {
            ScenarioRun.prepare(connection, TABLE);
            run.execute(connection, load(small));
            run.execute(connection, "SELECT 'still there'");
        }
        try (Connection connection = run.connect(allowed(run, true));
                Connection admin = run.admin()) {
            ScenarioRun.prepare(connection, TABLE);
            ScenarioRun.prepare(admin, "SET GLOBAL local_infile = 0");
            run.execute(connection, load(small));
            run.execute(connection, "SELECT 'still there'");
            ScenarioRun.prepare(admin, "SET GLOBAL local_infile = 1");
        }
    }
}
