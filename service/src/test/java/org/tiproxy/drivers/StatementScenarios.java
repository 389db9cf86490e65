package org.tiproxy.drivers;

import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.util.LinkedHashMap;
import java.util.Map;

/** Statements of all kinds: several results, procedures, prepared ones, cursors, batches, transactions. */
final class StatementScenarios {
    private static final String AT_SERVER = "useServerPrepStmts=true";

    private StatementScenarios() {}

    static Map<String, Scenario> all() {
        Map<String, Scenario> all = new LinkedHashMap<>();
        all.put("several statements in one", StatementScenarios::severalStatements);
        all.put("procedures, prepared in the driver", run -> procedures(run, "useServerPrepStmts=false"));
        all.put("procedures, prepared at the server", run -> procedures(run, AT_SERVER));
        all.put("prepared statements", StatementScenarios::preparedStatements);
        all.put("cursors", StatementScenarios::cursors);
        all.put("streams closed half-way", StatementScenarios::streams);
        all.put("batches", run -> batches(run, "useServerPrepStmts=false"));
        all.put("batches of prepared statements", run -> batches(run, AT_SERVER));
        all.put(
                "rewritten batches",
                run -> batches(run, "rewriteBatchedStatements=true&useBulkStmts=false&allowMultiQueries=true"));
        all.put("bulk batches", run -> batches(run, AT_SERVER + "&useBulkStmts=true&rewriteBatchedStatements=true"));
        all.put("updatable results", StatementScenarios::updatableResults);
        all.putAll(basic());
        return all;
    }

    /** Those that every server has to pass. */
    static Map<String, Scenario> basic() {
        Map<String, Scenario> all = new LinkedHashMap<>();
        all.put("transactions", StatementScenarios::transactions);
        all.put("locks and deadlocks", StatementScenarios::locks);
        all.put("errors and warnings", StatementScenarios::errors);
        return all;
    }

    private static void severalStatements(ScenarioRun run) throws SQLException {
        for (String option : new String[] {"allowMultiQueries=true", "allowMultiQueries=true&" + AT_SERVER}) {
            try (Connection connection = run.connect(option)) {
                ScenarioRun.prepare(connection, "CREATE OR REPLACE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT)");
                run.execute(connection, "SELECT 1; SELECT 2, 'b'; SELECT NULL WHERE FALSE");
                run.execute(connection, "INSERT INTO t (a) VALUES (1), (2); UPDATE t SET a = a + 1; SELECT * FROM t;");
                run.execute(connection, "SELECT 1; DO 1; SELECT 2 FROM nowhere; SELECT 3");
                run.execute(connection, "SELECT 1; SELECT 2;; SELECT 3");
                run.execute(connection, "BEGIN; DELETE FROM t; ROLLBACK; SELECT COUNT(*) FROM t; -- the end");
                try (PreparedStatement both = connection.prepareStatement("SELECT ?; SELECT ? + 1")) {
                    both.setInt(1, 5);
                    both.setInt(2, 6);
                    run.out().attempt("prepared", () -> run.out().results(both, both.execute()));
                } catch (SQLException e) {
                    run.out().attempt("prepare", () -> {
                        throw e;
                    });
                }
                StringBuilder many = new StringBuilder("SELECT 0");
                for (int i = 1; i < 300; i++) {
                    many.append(";SELECT ").append(i);
                }
                run.execute(connection, many.toString());
                run.execute(connection, "SELECT 'after'");
            }
        }
        try (Connection connection = run.connect("allowMultiQueries=false")) {
            run.execute(connection, "SELECT 1; SELECT 2");
            run.execute(connection, "SELECT 1;");
        }
    }

    private static void procedures(ScenarioRun run, String option) throws SQLException {
        try (Connection connection = run.connect(option)) {
            ScenarioRun.prepare(
                    connection,
                    "CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, word VARCHAR(20))",
                    "CREATE PROCEDURE several(IN a INT, OUT b INT, INOUT c VARCHAR(20)) BEGIN SELECT a;"
                            + " INSERT INTO log (word) VALUES (c); SELECT a + 1, 'x' UNION SELECT 0, c;"
                            + " SET b = a * 2; SET c = CONCAT(c, '!'); END",
                    "CREATE PROCEDURE failing() BEGIN SELECT 1; SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31001,"
                            + " MESSAGE_TEXT = 'as asked'; SELECT 2; END",
                    "CREATE PROCEDURE silent() BEGIN DO 1; END",
                    "CREATE FUNCTION doubled(a INT) RETURNS INT DETERMINISTIC RETURN 2 * a");
            run.out().attempt("call", () -> {
                try (CallableStatement call = connection.prepareCall("{call several(?, ?, ?)}")) {
                    for (int i = 1; i <= 2; i++) {
                        call.setInt(1, 20 + i);
                        call.registerOutParameter(2, Types.INTEGER);
                        call.setString(3, "word" + i);
                        call.registerOutParameter(3, Types.VARCHAR);
                        run.out().results(call, call.execute());
                        run.out().value("b", () -> call.getInt(2));
                        run.out().value("c", () -> call.getString(3));
                    }
                }
            });
            run.out().attempt("function", () -> {
                try (CallableStatement call = connection.prepareCall("{? = call doubled(?)}")) {
                    call.registerOutParameter(1, Types.INTEGER);
                    call.setInt(2, 21);
                    call.execute();
                    run.out().value("doubled", () -> call.getInt(1));
                }
            });
            try (PreparedStatement call = connection.prepareStatement("CALL several(?, @b, @c)")) {
                call.setInt(1, 3);
                run.out().attempt("prepared call", () -> run.out().results(call, call.execute()));
            }
            run.execute(connection, "SELECT @b, @c");
            run.execute(connection, "CALL failing()");
            // MariaDB's drivers 3.x wait for ever after an error behind a result, without a proxy too.
            if (run.isConnectorJ() || !option.equals(AT_SERVER)) {
                try (PreparedStatement call = connection.prepareStatement("CALL failing()")) {
                    run.out().attempt("prepared, failing", () -> run.out().results(call, call.execute()));
                }
            }
            run.execute(connection, "CALL silent()");
            run.execute(connection, "CALL nowhere()");
            run.execute(connection, "SELECT * FROM log ORDER BY id");
        }
    }

    private static void preparedStatements(ScenarioRun run) throws SQLException {
        for (String option : new String[] {AT_SERVER, AT_SERVER + "&cachePrepStmts=true"}) {
            try (Connection connection = run.connect(option)) {
                ScenarioRun.prepare(
                        connection,
                        "CREATE OR REPLACE TABLE p (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(20))",
                        "INSERT INTO p (a) VALUES ('1'), ('2'), (NULL)");
                try (PreparedStatement select =
                        connection.prepareStatement("SELECT p.*, ? FROM p WHERE a = ? OR a <=> ?")) {
                    run.out().attempt("parameters", () -> {
                        ParameterMetaData parameters = select.getParameterMetaData();
                        run.out().value("count", parameters::getParameterCount);
                    });
                    run.out().value("columns", () -> select.getMetaData().getColumnCount());
                    select.setInt(1, 1);
                    select.setInt(2, 1);
                    select.setNull(3, Types.INTEGER);
                    query(run, select);
                    select.setString(1, "text");
                    select.setString(2, "2");
                    select.setString(3, "1");
                    query(run, select);
                    select.setDouble(1, 0.5);
                    select.setLong(2, 2L);
                    query(run, select);
                    // The table changes under the statement.
                    ScenarioRun.prepare(connection, "ALTER TABLE p ADD COLUMN b INT DEFAULT 7");
                    query(run, select);
                    ScenarioRun.prepare(connection, "DROP TABLE p");
                    query(run, select);
                    run.execute(connection, "SELECT 'still there'");
                }
                run.out()
                        .attempt(
                                "wrong syntax",
                                () -> connection.prepareStatement("SELEKT ?").execute());
                run.out()
                        .attempt(
                                "no table",
                                () -> connection
                                        .prepareStatement("SELECT * FROM nowhere")
                                        .execute());
                PreparedStatement[] open = new PreparedStatement[300];
                for (int i = 0; i < open.length; i++) {
                    open[i] = connection.prepareStatement("SELECT " + i + " + ?");
                    open[i].setInt(1, i);
                }
                for (int i = open.length - 1; i >= 0; i--) {
                    query(run, open[i]);
                    open[i].close();
                }
                // Whether a closed statement is closed at the server too, the server says.
                run.execute(connection, "SHOW SESSION STATUS LIKE 'Com_stmt_%'");
            }
        }
    }

    private static void query(ScenarioRun run, PreparedStatement select) {
        run.out().attempt("query", () -> {
            try (ResultSet rows = select.executeQuery()) {
                run.out().rows(rows);
            }
        });
    }

    private static void cursors(ScenarioRun run) throws SQLException {
        try (Connection connection = run.connect(run.isConnectorJ() ? "useCursorFetch=true&" + AT_SERVER : AT_SERVER);
                PreparedStatement first = connection.prepareStatement("SELECT seq, ? FROM seq_1_to_1000");
                PreparedStatement second =
                        connection.prepareStatement("SELECT REPEAT('z', seq) FROM seq_1_to_500 WHERE seq > ?")) {
            first.setFetchSize(10);
            first.setString(1, "first");
            second.setFetchSize(7);
            second.setInt(1, 3);
            try (ResultSet rows = first.executeQuery();
                    ResultSet others = second.executeQuery()) {
                // Two at once, with a command of its own in between.
                long sum = 0;
                while (rows.next()) {
                    sum += rows.getLong(1);
                    if (others.next()) {
                        sum += others.getString(1).length();
                    }
                    if (sum % 100 == 0) {
                        ScenarioRun.prepare(connection, "DO 1");
                    }
                }
                run.out().line("sum " + sum);
                run.out().value("after the end", others::next);
            }
            for (int i = 0; i < 3; i++) {
                first.setInt(1, i);
                try (ResultSet rows = first.executeQuery()) {
                    run.out().value("first", rows::next);
                    run.out().value("second column", () -> rows.getString(2));
                }
            }
            connection.setAutoCommit(false);
            try (ResultSet rows = first.executeQuery()) {
                rows.next();
                run.out().attempt("commit with an open cursor", connection::commit);
                run.out().value("next", rows::next);
                run.out().value("at", () -> rows.getInt(1));
            }
            run.out().attempt("failing", () -> {
                try (PreparedStatement failing = connection.prepareStatement(
                        "SELECT (SELECT seq FROM seq_1_to_2) FROM seq_1_to_10 WHERE ? = 1")) {
                    failing.setFetchSize(2);
                    failing.setInt(1, 1);
                    query(run, failing);
                }
            });
            run.execute(connection, "SHOW SESSION STATUS WHERE Variable_name LIKE 'Com_stmt_%'");
        }
    }

    private static void streams(ScenarioRun run) throws SQLException {
        for (String option : new String[] {"useServerPrepStmts=false", AT_SERVER}) {
            try (Connection connection = run.connect(option)) {
                for (int i = 0; i < 3; i++) {
                    try (PreparedStatement stream = connection.prepareStatement(
                            "SELECT seq, REPEAT('y', 100) FROM seq_1_to_20000",
                            ResultSet.TYPE_FORWARD_ONLY,
                            ResultSet.CONCUR_READ_ONLY)) {
                        stream.setFetchSize(run.isConnectorJ() ? Integer.MIN_VALUE : 10);
                        try (ResultSet rows = stream.executeQuery()) {
                            for (int row = 0; row < 15; row++) {
                                run.out().value("row", rows::next);
                                run.out().value("value", () -> rows.getInt(1));
                            }
                            // A second command while the first one's rows come in.
                            if (i == 1) {
                                run.execute(connection, "SELECT 'between'");
                            }
                        }
                    }
                    run.execute(connection, "SELECT 'after'");
                }
            }
        }
    }

    private static void batches(ScenarioRun run, String option) throws SQLException {
        try (Connection connection = run.connect(option)) {
            ScenarioRun.prepare(
                    connection, "CREATE TABLE b (id INT PRIMARY KEY AUTO_INCREMENT, a INT UNIQUE, w VARCHAR(100))");
            try (PreparedStatement insert = connection.prepareStatement(
                    "INSERT INTO b (a, w) VALUES (?, ?)", Statement.RETURN_GENERATED_KEYS)) {
                for (int i = 0; i < 1000; i++) {
                    insert.setInt(1, i);
                    if (i % 10 == 0) {
                        insert.setNull(2, Types.VARCHAR);
                    } else {
                        insert.setString(2, "word " + i);
                    }
                    insert.addBatch();
                }
                run.out().value("counts", insert::executeBatch);
                run.out().attempt("keys", () -> {
                    try (ResultSet keys = insert.getGeneratedKeys()) {
                        run.out().values(keys, 1);
                    }
                });
                // A duplicate in the middle.
                for (int a : new int[] {2000, 2001, 5, 2002}) {
                    insert.setInt(1, a);
                    insert.setString(2, "again");
                    insert.addBatch();
                }
                run.out().value("counts", insert::executeBatch);
            }
            try (PreparedStatement update = connection.prepareStatement("UPDATE b SET w = ? WHERE a < ?")) {
                for (int i = 1; i <= 20; i++) {
                    update.setString(1, "updated " + i);
                    update.setInt(2, i);
                    update.addBatch();
                }
                run.out().value("updates", update::executeBatch);
            }
            try (Statement statement = connection.createStatement()) {
                statement.addBatch("INSERT INTO b (a) VALUES (3000)");
                statement.addBatch("UPDATE b SET w = 'all' WHERE a >= 2000");
                statement.addBatch("DELETE FROM nowhere");
                statement.addBatch("DELETE FROM b WHERE a = 3000");
                run.out().value("mixed", statement::executeBatch);
            }
            run.execute(connection, "SELECT COUNT(*), SUM(a), SUM(CRC32(w)), MAX(id) FROM b");
        }
    }

    private static void updatableResults(ScenarioRun run) throws SQLException {
        try (Connection connection = run.connect();
                Statement statement =
                        connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
            ScenarioRun.prepare(
                    connection, "CREATE TABLE u (id INT PRIMARY KEY, a INT)", "INSERT INTO u VALUES (1, 1), (2, 2)");
            run.out().attempt("update", () -> {
                try (ResultSet rows = statement.executeQuery("SELECT id, a FROM u ORDER BY id")) {
                    rows.next();
                    rows.updateInt(2, 10);
                    rows.updateRow();
                    rows.moveToInsertRow();
                    rows.updateInt(1, 3);
                    rows.updateInt(2, 30);
                    rows.insertRow();
                }
            });
            run.execute(connection, "SELECT * FROM u ORDER BY id");
        }
    }

    private static void transactions(ScenarioRun run) throws SQLException {
        try (Connection connection = run.connect();
                Connection other = run.connect()) {
            ScenarioRun.prepare(connection, "CREATE TABLE t (a INT PRIMARY KEY) ENGINE=InnoDB");
            connection.setAutoCommit(false);
            run.out().value("autocommit", connection::getAutoCommit);
            run.execute(connection, "INSERT INTO t VALUES (1)");
            run.execute(other, "SELECT * FROM t");
            Savepoint named = connection.setSavepoint("named");
            run.execute(connection, "INSERT INTO t VALUES (2)");
            Savepoint unnamed = connection.setSavepoint();
            run.execute(connection, "INSERT INTO t VALUES (3)");
            run.out().attempt("back to the second", () -> connection.rollback(unnamed));
            run.execute(connection, "SELECT * FROM t");
            run.out().attempt("back to the first", () -> connection.rollback(named));
            run.out().attempt("release", () -> connection.releaseSavepoint(named));
            connection.commit();
            run.out().attempt("gone", () -> connection.rollback(named));
            run.execute(other, "SELECT * FROM t");
            run.execute(connection, "INSERT INTO t VALUES (9)");
            connection.setAutoCommit(true);
            run.execute(other, "SELECT * FROM t");
            for (int level : new int[] {
                Connection.TRANSACTION_READ_UNCOMMITTED,
                Connection.TRANSACTION_READ_COMMITTED,
                Connection.TRANSACTION_REPEATABLE_READ,
                Connection.TRANSACTION_SERIALIZABLE
            }) {
                connection.setTransactionIsolation(level);
                run.out().value("isolation", connection::getTransactionIsolation);
                connection.setAutoCommit(false);
                run.execute(connection, "SELECT COUNT(*) FROM t");
                if (level < Connection.TRANSACTION_SERIALIZABLE) {
                    run.execute(other, "INSERT INTO t VALUES (" + (100 + level) + ")");
                }
                run.execute(connection, "SELECT COUNT(*) FROM t");
                connection.rollback();
                connection.setAutoCommit(true);
            }
            connection.setReadOnly(true);
            run.execute(connection, "INSERT INTO t VALUES (50)");
            connection.setReadOnly(false);
            run.execute(connection, "START TRANSACTION READ ONLY");
            run.execute(connection, "INSERT INTO t VALUES (51)");
            run.execute(connection, "ROLLBACK");
        }
    }

    private static void locks(ScenarioRun run) throws SQLException {
        try (Connection connection = run.connect();
                Connection other = run.connect()) {
            ScenarioRun.prepare(
                    connection,
                    "CREATE TABLE t (a INT PRIMARY KEY, b INT) ENGINE=InnoDB",
                    "INSERT INTO t VALUES (1, 1)");
            connection.setAutoCommit(false);
            other.setAutoCommit(false);
            run.execute(connection, "SELECT * FROM t WHERE a = 1 FOR UPDATE");
            run.execute(other, "SELECT * FROM t WHERE a = 1 FOR UPDATE NOWAIT");
            connection.rollback();
            run.execute(other, "SELECT * FROM t WHERE a = 1 FOR UPDATE NOWAIT");
            other.rollback();
            run.execute(connection, "SELECT GET_LOCK('lock', 1)");
            run.execute(other, "SELECT GET_LOCK('lock', 0)");
        }
    }

    private static void errors(ScenarioRun run) throws SQLException {
        try (Connection connection = run.connect()) {
            ScenarioRun.prepare(
                    connection,
                    "CREATE TABLE parent (id INT PRIMARY KEY) ENGINE=InnoDB",
                    "CREATE TABLE e (id INT PRIMARY KEY, w VARCHAR(3) NOT NULL, p INT, FOREIGN KEY (p) REFERENCES parent(id))"
                            + " ENGINE=InnoDB");
            for (String sql : new String[] {
                "SELEKT 1",
                "SELECT * FROM nowhere",
                "SELECT nothing FROM e",
                "INSERT INTO e VALUES (1, 'abcd', NULL)",
                "INSERT INTO e VALUES (1, NULL, NULL)",
                "INSERT INTO e VALUES (1, 'abc', 5)",
                "INSERT INTO e VALUES (1, 'abc', NULL)",
                "INSERT INTO e VALUES (1, 'abc', NULL)",
                "SELECT 1/0, CAST('x' AS INT), POINT(1)",
                "SELECT (SELECT seq FROM seq_1_to_2)",
                "SELECT seq, IF(seq = 500, (SELECT 1 UNION SELECT 2), 0) FROM seq_1_to_1000",
                "USE nowhere",
                "",
                ";",
                "/* nothing */",
                "KILL 4000000000",
                "GRANT nothing ON *.* TO nobody",
                "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ä message'",
            }) {
                run.execute(connection, sql);
            }
            ScenarioRun.prepare(connection, "SET sql_mode = ''");
            run.execute(connection, "INSERT INTO e VALUES (2, 'abcd', NULL), (3, 'abcdef', NULL)");
            run.execute(connection, "INSERT IGNORE INTO e VALUES (2, 'abcd', NULL), (4, 'abc', 77)");
            run.execute(connection, "SELECT 1/0, CAST('x' AS INT)");
            run.execute(connection, "SHOW WARNINGS");
            run.execute(connection, "DROP TABLE IF EXISTS nowhere");
            run.out().warnings(connection.getWarnings());
            run.execute(connection, "UPDATE e SET w = w");
            run.execute(connection, "REPLACE INTO e VALUES (1, 'x', NULL)");
            run.execute(connection, "INSERT INTO e VALUES (1, 'y', NULL) ON DUPLICATE KEY UPDATE w = 'y'");
            run.execute(connection, "INSERT INTO e VALUES (7, 'y', NULL) RETURNING *");
            run.execute(connection, "EXPLAIN SELECT * FROM e WHERE id = 1");
            run.execute(connection, "ANALYZE TABLE e");
            run.execute(connection, "SHOW CREATE TABLE e");
        }
    }
}
