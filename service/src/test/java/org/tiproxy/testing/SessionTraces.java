package org.tiproxy.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What sessions can leave behind on a connection, and how it shows. */
public final class SessionTraces {
    /** Users a and b, with {@code pass of a} and {@code pass of b}, who may do different things; for an administrator. */
    public static final List<String> ACCOUNTS = List.of(
            "CREATE DATABASE secrets",
            "CREATE TABLE secrets.of_a (x VARCHAR(20))",
            "CREATE TABLE secrets.of_b (x VARCHAR(20))",
            "INSERT INTO secrets.of_a VALUES ('of a')",
            "INSERT INTO secrets.of_b VALUES ('of b')",
            "CREATE TABLE demo.plain (x INT)",
            "CREATE SEQUENCE demo.numbers",
            "CREATE ROLE role_a, role_b, other_a",
            "GRANT SELECT ON secrets.of_a TO role_a",
            "GRANT SELECT ON secrets.of_b TO role_b",
            "CREATE USER a@'127.0.0.1' IDENTIFIED BY 'pass of a', b@'127.0.0.1' IDENTIFIED BY 'pass of b'",
            "GRANT ALL ON demo.* TO a@'127.0.0.1', b@'127.0.0.1'",
            "GRANT RELOAD, PROCESS ON *.* TO a@'127.0.0.1', b@'127.0.0.1'",
            "GRANT role_a TO a@'127.0.0.1'",
            "GRANT other_a TO a@'127.0.0.1'",
            "GRANT role_b TO b@'127.0.0.1'",
            "SET DEFAULT ROLE role_a FOR a@'127.0.0.1'",
            "CREATE DATABASE greek CHARACTER SET greek",
            "GRANT ALL ON greek.* TO a@'127.0.0.1', b@'127.0.0.1'",
            "CREATE FUNCTION demo.other_role() RETURNS INT SQL SECURITY INVOKER BEGIN SET ROLE other_a; RETURN 1; END",
            "CREATE FUNCTION demo.no_role() RETURNS INT SQL SECURITY INVOKER BEGIN SET ROLE NONE; RETURN 1; END",
            "CREATE FUNCTION demo.profiled() RETURNS INT SQL SECURITY INVOKER BEGIN SET profiling = 1; RETURN 1; END",
            "CREATE PROCEDURE demo.any_role() SQL SECURITY INVOKER"
                    + " BEGIN EXECUTE IMMEDIATE CONCAT('SET RO', 'LE other_a'); END",
            "CREATE TABLE demo.triggering (x INT)",
            "CREATE DEFINER=a@'127.0.0.1' TRIGGER demo.triggered BEFORE INSERT ON demo.triggering"
                    + " FOR EACH ROW BEGIN SET ROLE other_a; END");

    /** The same accounts for MySQL, where roles have a host and there are no sequences. */
    public static final List<String> MYSQL_ACCOUNTS = List.of(
            "CREATE USER admin@'127.0.0.1' IDENTIFIED BY 'admin'",
            "GRANT ALL ON *.* TO admin@'127.0.0.1' WITH GRANT OPTION",
            "CREATE DATABASE secrets",
            "CREATE TABLE secrets.of_a (x VARCHAR(20))",
            "CREATE TABLE secrets.of_b (x VARCHAR(20))",
            "INSERT INTO secrets.of_a VALUES ('of a')",
            "INSERT INTO secrets.of_b VALUES ('of b')",
            "CREATE TABLE demo.plain (x INT)",
            "CREATE ROLE role_a, role_b, other_a",
            "GRANT SELECT ON secrets.of_a TO role_a",
            "GRANT SELECT ON secrets.of_b TO role_b",
            "CREATE USER a@'127.0.0.1' IDENTIFIED BY 'pass of a', b@'127.0.0.1' IDENTIFIED BY 'pass of b'",
            "GRANT ALL ON demo.* TO a@'127.0.0.1', b@'127.0.0.1'",
            "GRANT BACKUP_ADMIN, PROCESS, RELOAD, SESSION_VARIABLES_ADMIN ON *.* TO a@'127.0.0.1', b@'127.0.0.1'",
            "GRANT role_a, other_a TO a@'127.0.0.1'",
            "GRANT role_b TO b@'127.0.0.1'",
            "SET DEFAULT ROLE role_a TO a@'127.0.0.1'",
            "CREATE DATABASE greek CHARACTER SET greek",
            "GRANT ALL ON greek.* TO a@'127.0.0.1', b@'127.0.0.1'",
            "CREATE PROCEDURE demo.no_role() SQL SECURITY INVOKER SET ROLE NONE",
            "CREATE PROCEDURE demo.other_role() SQL SECURITY INVOKER SET ROLE other_a");

    /** What user a can leave behind at MySQL in ways of which some do not show in the text; one session each. */
    public static final List<String> MYSQL_TRACES = List.of(
            "SELECT 1",
            "SET ROLE other_a",
            "SET ROLE NONE",
            "SET ROLE ALL",
            "CALL demo.no_role()",
            "CALL demo.other_role()",
            "USE greek",
            "SET NAMES greek",
            "SET character_set_results = NULL",
            "SET character_set_database = greek, collation_server = greek_bin",
            "SET sql_select_limit = 0",
            "PREPARE text_statement FROM 'SELECT 1'",
            "LOCK TABLES demo.plain WRITE",
            "LOCK INSTANCE FOR BACKUP",
            "SET SESSION session_track_gtids = ALL_GTIDS, session_track_transaction_info = 'CHARACTERISTICS'",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT",
            "SELECT 1");

    /** The same accounts for TiDB, which has no procedures. */
    public static final List<String> TIDB_ACCOUNTS = List.of(
            "CREATE USER admin@'127.0.0.1' IDENTIFIED BY 'admin'",
            "GRANT ALL ON *.* TO admin@'127.0.0.1' WITH GRANT OPTION",
            "CREATE DATABASE secrets",
            "CREATE TABLE secrets.of_a (x VARCHAR(20))",
            "CREATE TABLE secrets.of_b (x VARCHAR(20))",
            "INSERT INTO secrets.of_a VALUES ('of a')",
            "INSERT INTO secrets.of_b VALUES ('of b')",
            "CREATE TABLE demo.plain (x INT)",
            "CREATE SEQUENCE demo.numbers",
            "CREATE ROLE role_a, role_b, other_a",
            "GRANT SELECT ON secrets.of_a TO role_a",
            "GRANT SELECT ON secrets.of_b TO role_b",
            "CREATE USER a@'127.0.0.1' IDENTIFIED BY 'pass of a', b@'127.0.0.1' IDENTIFIED BY 'pass of b'",
            "GRANT ALL ON demo.* TO a@'127.0.0.1', b@'127.0.0.1'",
            "GRANT PROCESS, RELOAD, SUPER ON *.* TO a@'127.0.0.1', b@'127.0.0.1'",
            "GRANT role_a, other_a TO a@'127.0.0.1'",
            "GRANT role_b TO b@'127.0.0.1'",
            "SET DEFAULT ROLE role_a TO a@'127.0.0.1'",
            "CREATE DATABASE latin CHARACTER SET latin1",
            "GRANT ALL ON latin.* TO a@'127.0.0.1', b@'127.0.0.1'");

    /** What user a can leave behind at TiDB; one session each. */
    public static final List<String> TIDB_TRACES = List.of(
            "SELECT 1",
            "SET ROLE other_a",
            "SET ROLE NONE",
            "SET ROLE ALL",
            "USE latin",
            "SET NAMES latin1",
            "SET character_set_results = NULL",
            "SET sql_select_limit = 0",
            "PREPARE text_statement FROM 'SELECT 1'",
            "SET SESSION tidb_mem_quota_query = 1000000, tidb_isolation_read_engines = 'tikv,tidb'",
            "SET SESSION tidb_read_staleness = -5",
            "START TRANSACTION READ ONLY AS OF TIMESTAMP NOW() - INTERVAL 1 SECOND",
            "CREATE TEMPORARY TABLE demo.temporary_a (x INT)",
            "CREATE SESSION BINDING FOR SELECT * FROM demo.plain USING SELECT * FROM demo.plain",
            "BEGIN PESSIMISTIC",
            "DO GET_LOCK('lock_a', 0), GET_LOCK('lock_b', 0)",
            "SELECT 1");

    /** What user a can leave behind in ways of which some do not show in the text; one session each. */
    public static final List<String> SUBTLE_TRACES = List.of(
            "SELECT 1",
            "SET ROLE other_a",
            "SET ROLE NONE",
            "SELECT demo.other_role()",
            "SELECT demo.no_role()",
            "CALL demo.any_role()",
            "INSERT INTO demo.triggering VALUES (1)",
            "EXECUTE IMMEDIATE CONCAT('SET RO', 'LE other_a')",
            "USE greek",
            "EXECUTE IMMEDIATE CONCAT('US', 'E greek')",
            "SET NAMES greek",
            "SET character_set_results = NULL",
            "SET character_set_results = ucs2",
            "SET character_set_database = greek, collation_server = greek_bin",
            "SET sql_select_limit = 0",
            "SET profiling = 0",
            "PREPARE text_statement FROM 'SELECT 1'",
            "SELECT demo.profiled()",
            "SELECT 1");

    /** What is allowed to differ: ids, clocks, and what the driver's attributes are made of. */
    private static final List<String> VARIES =
            List.of("pseudo_thread_id", "statement_id", "timestamp", "rand_seed1", "rand_seed2");

    private static final List<String> QUESTIONS = List.of(
            "SELECT CURRENT_USER(), USER(), CURRENT_ROLE(), DATABASE()",
            "SELECT @a, @b, @secret",
            "SELECT LAST_INSERT_ID(), ROW_COUNT(), FOUND_ROWS()",
            "SELECT IS_USED_LOCK('lock_a'), IS_FREE_LOCK('lock_b'), IS_FREE_LOCK('lock_a')",
            "SHOW PROFILES",
            "SELECT * FROM information_schema.enabled_roles",
            "SELECT * FROM information_schema.applicable_roles",
            "SELECT COUNT(*) FROM information_schema.innodb_trx",
            "SHOW WARNINGS",
            "SHOW GRANTS",
            "SHOW DATABASES",
            "SHOW FULL TABLES",
            "SELECT @@collation_connection, @@collation_database, @@character_set_results, @@in_transaction",
            "SELECT * FROM temporary_a",
            "SELECT * FROM secrets.of_a",
            "SELECT * FROM secrets.of_b",
            "EXECUTE text_statement",
            "SELECT LASTVAL(demo.numbers)",
            "SELECT 1; SELECT 2",
            "SELECT COUNT (*) FROM demo.plain",
            "SELECT \"quoted\"",
            "INSERT INTO demo.plain VALUES (7)",
            "DELETE FROM demo.plain WHERE x = 7",
            "SHOW SESSION STATUS LIKE 'Com_create_table'",
            "SHOW SESSION STATUS LIKE 'Prepared_stmt_count'",
            "HANDLER h READ FIRST",
            "SELECT CURRENT_ROLE()",
            "SELECT ROLES_GRAPHML()",
            "SHOW SESSION STATUS LIKE 'Com_stmt_prepare'",
            "SHOW SESSION BINDINGS",
            "SELECT @@tidb_current_ts, @@last_insert_id, @@warning_count");

    private SessionTraces() {}

    /** Writes a server's {@code --init-file} with the usual user and {@code admin}, password {@code admin}. */
    public static Path writeAdministrator(Path folder) throws IOException {
        List<String> lines =
                new ArrayList<>(Files.readAllLines(MariaDbServer.script().resolveSibling("accounts.sql")));
        lines.add("CREATE USER admin@'127.0.0.1' IDENTIFIED BY 'admin';");
        lines.add("GRANT ALL ON *.* TO admin@'127.0.0.1' WITH GRANT OPTION;");
        return Files.write(folder.resolve("accounts.sql"), lines);
    }

    /** Executes statements whose results do not matter. */
    public static void run(Connection connection, String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** Everything that a session can be asked, with errors as answers. */
    public static Map<String, String> answers(Connection connection) {
        Map<String, String> answers = new LinkedHashMap<>();
        ask(connection, "SHOW SESSION VARIABLES").forEach(row -> {
            String name = row.substring(1, row.indexOf(','));
            if (!VARIES.contains(name)) {
                answers.put(name, row);
            }
        });
        for (String question : QUESTIONS) {
            answers.put(question, ask(connection, question).toString());
        }
        return answers;
    }

    /** The rows of one question, or the error. */
    public static List<String> ask(Connection connection, String sql) {
        List<String> rows = new ArrayList<>();
        try (Statement statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return List.of(statement.getUpdateCount() + " changed");
            }
            try (ResultSet result = statement.getResultSet()) {
                while (result.next()) {
                    List<String> row = new ArrayList<>();
                    for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                        row.add(result.getString(i));
                    }
                    rows.add(row.toString().replace(", ", ","));
                }
            }
        } catch (SQLException e) {
            // The driver puts the connection's id in front.
            rows.add(e.getErrorCode() + " " + String.valueOf(e.getMessage()).replaceAll("\\(conn=\\d+\\) ", ""));
        }
        return rows;
    }

    /** Leaves behind whatever a session can leave behind at MySQL, and does not tidy up. */
    public static void makeAMessOfMySql(Connection connection) throws SQLException {
        makeAMessWith(
                connection,
                "SET NAMES latin1 COLLATE latin1_german1_ci",
                "SET SESSION sql_mode = 'ANSI', wait_timeout = 1234, time_zone = '+09:00', sql_select_limit = 2",
                "SET SESSION session_track_state_change = ON, session_track_schema = OFF, max_execution_time = 1000",
                "SET SESSION session_track_gtids = OWN_GTID, default_collation_for_utf8mb4 = utf8mb4_general_ci",
                "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                "SET SESSION transaction_read_only = ON",
                "SET SESSION transaction_read_only = OFF, autocommit = 0, foreign_key_checks = 0, unique_checks = 0",
                "SET insert_id = 99, timestamp = 12345, lc_time_names = 'de_DE', group_concat_max_len = 17",
                "SELECT LAST_INSERT_ID(4711)",
                "HANDLER demo.plain OPEN AS h",
                "SET ROLE NONE");
    }

    /** Leaves behind whatever a session can leave behind at TiDB, and does not tidy up. */
    public static void makeAMessOfTiDb(Connection connection) throws SQLException {
        makeAMessWith(
                connection,
                "SELECT NEXTVAL(demo.numbers)",
                "SET NAMES latin1",
                "SET SESSION sql_mode = 'ANSI', wait_timeout = 1234, time_zone = '+09:00', sql_select_limit = 2",
                "SET SESSION max_execution_time = 1000, tidb_distsql_scan_concurrency = 3",
                "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                "SET SESSION autocommit = 0, foreign_key_checks = 0, group_concat_max_len = 17",
                "SET timestamp = 12345",
                "SELECT LAST_INSERT_ID(4711)",
                "SET ROLE NONE");
    }

    /** Leaves behind whatever a session can leave behind, and does not tidy up. */
    public static void makeAMess(Connection connection) throws SQLException {
        makeAMessWith(
                connection,
                "SELECT NEXTVAL(demo.numbers)",
                "SET NAMES latin1 COLLATE latin1_german1_ci",
                "SET SESSION sql_mode = 'ANSI,ORACLE', wait_timeout = 1234, time_zone = '+09:00', sql_select_limit = 2",
                "SET SESSION session_track_state_change = ON, session_track_schema = OFF, max_statement_time = 1000",
                "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                "SET SESSION tx_read_only = ON",
                "SET SESSION tx_read_only = OFF, autocommit = 0, foreign_key_checks = 0, unique_checks = 0",
                "SET insert_id = 99, timestamp = 12345, lc_time_names = 'de_DE', group_concat_max_len = 17",
                "SELECT LAST_INSERT_ID(4711)",
                "HANDLER demo.plain OPEN AS h");
    }

    /** What all servers know, around what one does. */
    private static void makeAMessWith(Connection connection, String... own) throws SQLException {
        run(
                connection,
                "SET @a = 1, @b = 'two', @secret = 'of a'",
                "CREATE TEMPORARY TABLE demo.temporary_a (x INT)",
                "INSERT INTO demo.temporary_a VALUES (1)",
                "PREPARE text_statement FROM 'SELECT \"secret of a\"'",
                "DO GET_LOCK('lock_a', 0), GET_LOCK('lock_b', 0)");
        run(connection, own);
        run(connection, "USE information_schema", "INSERT INTO demo.plain VALUES (1)");
        PreparedStatement prepared = connection.prepareStatement("SELECT ?");
        prepared.setInt(1, 1);
        prepared.executeQuery();
    }
}
