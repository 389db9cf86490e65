package org.tiproxy.drivers;

import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Time;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Values of all types, both ways, and large ones. */
final class TypeScenarios {
    /** Largest payload of one packet. */
    private static final int PACKET = (1 << 24) - 1;

    private static final String TABLE = """
            CREATE TABLE types (
              id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT,
              bit1 BIT(1), bit13 BIT(13), flag BOOL, tiny TINYINT, tinyu TINYINT UNSIGNED, small SMALLINT,
              smallu SMALLINT UNSIGNED, medium MEDIUMINT, mediumu MEDIUMINT UNSIGNED, whole INT,
              padded INT(9) UNSIGNED ZEROFILL, large BIGINT, largeu BIGINT UNSIGNED,
              simple FLOAT, twice DOUBLE, exact DECIMAL(65,30), money DECIMAL(10,2) UNSIGNED,
              day DATE, hour TIME, hour6 TIME(6), moment DATETIME, moment6 DATETIME(6), stamp TIMESTAMP(3) NULL, since YEAR,
              fixed CHAR(10) CHARACTER SET latin1, word VARCHAR(50), wide VARCHAR(50) CHARACTER SET ucs2,
              bin BINARY(8), varbin VARBINARY(300),
              blob1 TINYBLOB, blob2 BLOB, blob3 MEDIUMBLOB, blob4 LONGBLOB,
              text1 TINYTEXT, text2 TEXT, text3 MEDIUMTEXT, text4 LONGTEXT CHARACTER SET latin1,
              doc JSON, choice ENUM('small','Größe','large'), several SET('a','b','c'), place POINT,
              address INET6, ident UUID,
              twofold BIGINT AS (whole + 1) VIRTUAL,
              KEY (whole), UNIQUE KEY (large, day))
            """;

    private static final String[] ROWS = {"INSERT INTO types (id) VALUES (1)", """
        INSERT INTO types VALUES (2, b'1', b'1010101010101', TRUE, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647,
          4294967295, 9223372036854775807, 18446744073709551615, 3.25e30, 1.7976931348623157e308,
          99999999999999999999999999999999999.999999999999999999999999999999, 99999999.99,
          '9999-12-31', '838:59:59', '838:59:58.999999', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999999',
          '2038-01-19 03:14:07.999', 2155, 'äöüß', 'naïve 😀 text', 'Ωmega', 0x0001020304050607, 0xff00ff,
          REPEAT('a', 255), REPEAT(0xfe, 300), REPEAT('c', 70000), REPEAT(0xff, 1000), 'tiny', 'text', REPEAT('é', 40000),
          REPEAT('ü', 300), '{"a": [1, 2, "drei"]}', 'Größe', 'a,c', POINT(1.5, -2), '2001:db8::ff00:42:8329',
          '123e4567-e89b-12d3-a456-426655440000', DEFAULT)
        """, """
        INSERT INTO types VALUES (3, b'0', 0, FALSE, -128, 0, -32768, 0, -8388608, 0, -2147483648,
          0, -9223372036854775808, 0, -1.5e-30, -2.2250738585072014e-308, -0.000000000000000000000000000001, 0,
          '1000-01-01', '-838:59:59', '-00:00:00.000001', '1000-01-01 00:00:00', '1000-01-01 00:00:00.000001',
          '1970-01-01 00:00:01', 1901, '', '', '', '', '', '', '', '', '', '', '', '', '', '[]', 'small', '', POINT(0, 0),
          '::', '00000000-0000-0000-0000-000000000000', DEFAULT)
        """, """
        INSERT INTO types (id, whole, large, day, moment, stamp, since)
          VALUES (4, 7, 1, '2024-02-29', '2024-02-29 12:34:56', '2024-02-29 12:34:56.789', 2024)
        """};

    private TypeScenarios() {}

    static Map<String, Scenario> all() {
        Map<String, Scenario> all = new LinkedHashMap<>(basic());
        all.put("zero dates", TypeScenarios::zeroDates);
        all.put("character sets", TypeScenarios::characterSets);
        all.put("what the driver asks of the schema", TypeScenarios::metadata);
        all.put("large and wide rows", TypeScenarios::largeRows);
        return all;
    }

    /** Those that take their time. */
    static Map<String, Scenario> large() {
        return Map.of("payloads around 16 MiB", TypeScenarios::edges);
    }

    /** Those that every server has to pass. */
    static Map<String, Scenario> basic() {
        Map<String, Scenario> all = new LinkedHashMap<>();
        all.put("types as text", run -> types(run, "useServerPrepStmts=false"));
        all.put("types in binary", run -> types(run, "useServerPrepStmts=true"));
        all.put("parameters of all kinds, in the text", run -> parameters(run, "useServerPrepStmts=false"));
        all.put("parameters of all kinds, at the server", run -> parameters(run, "useServerPrepStmts=true"));
        return all;
    }

    private static void types(ScenarioRun run, String option) throws SQLException {
        try (Connection connection = run.connect(option)) {
            ScenarioRun.prepare(connection, TABLE);
            for (String row : ROWS) {
                ScenarioRun.prepare(connection, row);
            }
            run.execute(connection, "SELECT * FROM types ORDER BY id");
            try (PreparedStatement select =
                    connection.prepareStatement("SELECT types.*, ? AS given FROM types WHERE id >= ? ORDER BY id")) {
                select.setString(1, "given");
                select.setInt(2, 1);
                try (ResultSet rows = select.executeQuery()) {
                    run.out().rows(rows);
                }
            }
            temporal(run, connection);
        }
    }

    /** Values in the classes that the driver converts to. */
    private static void temporal(ScenarioRun run, Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT day, hour, moment6, stamp, whole, largeu, exact FROM types" + " ORDER BY id")) {
            while (rows.next()) {
                run.out().value("date", () -> rows.getDate(1));
                run.out().value("time", () -> rows.getTime(2));
                run.out().value("timestamp", () -> rows.getTimestamp(3));
                run.out().value("local", () -> rows.getObject(3, LocalDateTime.class));
                run.out().value("stamp", () -> rows.getTimestamp(4));
                run.out().value("byte of int", () -> rows.getByte(5));
                run.out().value("long of unsigned", () -> rows.getLong(6));
                run.out().value("decimal", () -> rows.getBigDecimal(7));
            }
        }
    }

    private static void parameters(ScenarioRun run, String option) throws SQLException {
        try (Connection connection = run.connect(option)) {
            ScenarioRun.prepare(
                    connection,
                    "CREATE TABLE given (id INT PRIMARY KEY AUTO_INCREMENT, number BIGINT, exact DECIMAL(30,10),"
                            + " twice DOUBLE, word VARCHAR(100), bytes LONGBLOB, words LONGTEXT, day DATE, hour TIME(6),"
                            + " moment DATETIME(6))");
            try (PreparedStatement insert = connection.prepareStatement(
                    "INSERT INTO given (number, exact, twice, word, bytes, words, day, hour, moment)"
                            + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    Statement.RETURN_GENERATED_KEYS)) {
                insert.setInt(1, -5);
                insert.setBigDecimal(2, new BigDecimal("12345678901234567890.0123456789"));
                insert.setDouble(3, Math.PI);
                insert.setString(4, "a 'quoted' \\ \"text\" \u0000 \n 😀");
                insert.setBytes(5, bytes(1000));
                insert.setString(6, "x".repeat(100_000));
                insert.setDate(7, Date.valueOf("2024-02-29"));
                insert.setTime(8, Time.valueOf("23:59:58"));
                insert.setTimestamp(9, Timestamp.valueOf("2024-02-29 12:34:56.789012"));
                run.out().value("inserted", insert::executeUpdate);
                try (ResultSet keys = insert.getGeneratedKeys()) {
                    run.out().rows(keys);
                }
                // Other types for the same parameters: the statement's types change between two executions.
                insert.setString(1, "42");
                insert.setLong(2, Long.MAX_VALUE);
                insert.setInt(3, 1);
                insert.setBoolean(4, true);
                insert.setBinaryStream(5, new ByteArrayInputStream(bytes(200_000)), 200_000);
                insert.setCharacterStream(6, new StringReader("é".repeat(50_000)), 50_000);
                insert.setObject(7, LocalDate.of(2000, 1, 2));
                insert.setObject(8, LocalTime.of(1, 2, 3));
                insert.setObject(9, LocalDateTime.of(2000, 1, 2, 3, 4, 5, 6000));
                run.out().value("inserted", insert::executeUpdate);
                for (int i = 1; i <= 9; i++) {
                    insert.setNull(i, Types.VARCHAR);
                }
                run.out().value("inserted", insert::executeUpdate);
                insert.setString(1, "no number");
                run.out().value("refused", insert::executeUpdate);
                insert.clearParameters();
                run.out().value("no parameters", insert::executeUpdate);
            }
            run.execute(connection, "SELECT * FROM given ORDER BY id");
        }
    }

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }

    private static void zeroDates(ScenarioRun run) throws SQLException {
        for (String option : new String[] {"useServerPrepStmts=false", "useServerPrepStmts=true"}) {
            try (Connection connection = run.connect(option)) {
                ScenarioRun.prepare(
                        connection,
                        "SET sql_mode = ''",
                        "CREATE OR REPLACE TABLE zero (day DATE, moment DATETIME, since YEAR)",
                        "INSERT INTO zero VALUES ('0000-00-00', '0000-00-00 00:00:00', 0), ('2024-00-00', '2024-02-00', 1)");
                run.execute(connection, "SELECT * FROM zero");
                try (PreparedStatement select = connection.prepareStatement("SELECT * FROM zero");
                        ResultSet rows = select.executeQuery()) {
                    run.out().rows(rows);
                }
            }
        }
    }

    private static void characterSets(ScenarioRun run) throws SQLException {
        String[] options = run.isConnectorJ()
                ? new String[] {
                    "characterEncoding=UTF-8", "characterEncoding=ISO8859_1", "connectionCollation=utf8mb4_bin"
                }
                : new String[] {
                    "useServerPrepStmts=false",
                    "useServerPrepStmts=true",
                    "sessionVariables=collation_connection=utf8mb4_bin"
                };
        for (String option : options) {
            try (Connection connection = run.connect(option)) {
                ScenarioRun.prepare(
                        connection,
                        "CREATE OR REPLACE TABLE words (id INT AUTO_INCREMENT PRIMARY KEY, l VARCHAR(50) CHARACTER SET latin1,"
                                + " u VARCHAR(50) CHARACTER SET utf8mb4, s VARCHAR(50) CHARACTER SET sjis)");
                run.execute(connection, "INSERT INTO words (l, u) VALUES ('Größe €', 'Größe € naïve')");
                run.execute(connection, "INSERT INTO words (u) VALUES ('日本語 😀')");
                run.execute(connection, "INSERT INTO words (s) VALUES (_sjis 0x93fa967b)");
                try (PreparedStatement insert = connection.prepareStatement("INSERT INTO words (l, u) VALUES (?, ?)")) {
                    insert.setString(1, "ÄÖÜ");
                    insert.setString(2, "ÄÖÜ Ω");
                    run.out().value("inserted", insert::executeUpdate);
                }
                run.execute(connection, "SELECT *, HEX(u), 'Größe' = l FROM words ORDER BY id");
                run.execute(
                        connection,
                        "SHOW SESSION VARIABLES WHERE Variable_name LIKE 'character_set%' OR Variable_name LIKE 'coll%'");
                // MariaDB Connector/J 4 refuses it and closes the connection.
                run.execute(connection, "SET NAMES latin1");
                run.execute(connection, "SELECT HEX(l), LENGTH(u), CHARSET('x') FROM words ORDER BY id");
            }
        }
    }

    private static void metadata(ScenarioRun run) throws SQLException {
        try (Connection connection = run.connect()) {
            ScenarioRun.prepare(connection, TABLE, "CREATE VIEW seen AS SELECT id, day FROM types");
            DatabaseMetaData data = connection.getMetaData();
            run.out().value("product", data::getDatabaseProductName);
            run.out().value("version", data::getDatabaseProductVersion);
            run.out().value("driver", data::getDriverVersion);
            run.out().value("user", data::getUserName);
            run.out().value("transactions", data::getDefaultTransactionIsolation);
            run.out().value("words", data::getSQLKeywords);
            listing(run, () -> data.getTables(Scenario.SCHEMA, null, "%", null));
            listing(run, () -> data.getColumns(Scenario.SCHEMA, null, "types", "%"));
            listing(run, () -> data.getPrimaryKeys(Scenario.SCHEMA, null, "types"));
            listing(run, () -> data.getIndexInfo(Scenario.SCHEMA, null, "types", false, true));
            listing(run, data::getTypeInfo);
        }
    }

    /** Something that gives rows. */
    private interface Rows {
        ResultSet open() throws SQLException;
    }

    private static void listing(ScenarioRun run, Rows rows) {
        run.out().attempt("listing", () -> {
            try (ResultSet result = rows.open()) {
                run.out().values(result, result.getMetaData().getColumnCount());
            }
        });
    }

    private static void largeRows(ScenarioRun run) throws SQLException {
        for (String option : new String[] {"useServerPrepStmts=false", "useServerPrepStmts=true"}) {
            try (Connection connection = run.connect(option)) {
                StringBuilder wide = new StringBuilder("SELECT 0 AS c0");
                for (int i = 1; i < 1000; i++) {
                    wide.append(", ")
                            .append(i % 7 == 0 ? "NULL" : Integer.toString(i))
                            .append(" AS c")
                            .append(i);
                }
                // 1001 columns are more than there are sequence numbers.
                run.execute(connection, wide.toString());
                prepared(run, connection, wide.toString());
                prepared(run, connection, "SELECT seq, REPEAT(CHAR(96 + seq), 700000) FROM seq_1_to_5");
                prepared(run, connection, "SELECT seq, IF(seq % 3 = 0, NULL, REPEAT('x', seq)) FROM seq_1_to_1000");
                prepared(run, connection, "SELECT 1 FROM DUAL WHERE FALSE");
            }
        }
    }

    private static void prepared(ScenarioRun run, Connection connection, String sql) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(sql);
                ResultSet rows = select.executeQuery()) {
            run.out().rows(rows);
        }
    }

    private static void edges(ScenarioRun run) throws SQLException {
        try (Connection connection = run.connect("useServerPrepStmts=true")) {
            String head = "SELECT LENGTH('";
            String tail = "'), 1";
            for (int extra = -2; extra <= 2; extra++) {
                // To the server: a command byte and the text.
                int letters = PACKET + extra - 1 - head.length() - tail.length();
                run.execute(connection, head + "x".repeat(letters) + tail);
                // From the server: 4 bytes for the first one's length, its bytes, and "1" with its length.
                try (Statement statement = connection.createStatement();
                        ResultSet rows =
                                statement.executeQuery("SELECT REPEAT(0xfe, " + (PACKET + extra - 6) + "), 1")) {
                    content(run, rows);
                }
            }
            // In binary, both ways, with more than two packets: a row of status byte, NULL bits and one column.
            try (PreparedStatement echo = connection.prepareStatement("SELECT ? AS echo, 1")) {
                byte[] bytes = new byte[2 * PACKET + 3];
                bytes[PACKET] = (byte) 0xff;
                bytes[bytes.length - 1] = (byte) 0xfe;
                echo.setBytes(1, bytes);
                try (ResultSet rows = echo.executeQuery()) {
                    content(run, rows);
                }
            }
            run.execute(connection, "SELECT 'still there'");
        }
    }

    /** Cheaper than all conversions of a transcript. */
    private static void content(ScenarioRun run, ResultSet rows) throws SQLException {
        while (rows.next()) {
            byte @Nullable [] bytes = rows.getBytes(1);
            run.out().value("content", () -> bytes);
            run.out().value("second", () -> rows.getInt(2));
        }
    }
}
