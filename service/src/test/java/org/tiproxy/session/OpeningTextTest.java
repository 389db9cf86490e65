package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OpeningTextTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "/* mysql-connector-j-9.4.0 (Revision: abc) */SELECT  @@session.auto_increment_increment AS"
                        + " auto_increment_increment, @@character_set_client AS character_set_client,"
                        + " @@performance_schema AS performance_schema, @@wait_timeout AS wait_timeout",
                "SET character_set_results = NULL",
                "SET autocommit=1",
                "SET SESSION autocommit=0;",
                "SET NAMES latin1",
                "SET NAMES 'utf8mb4' COLLATE utf8mb4_bin, autocommit = 1",
                "SET character_set_client = utf8mb4",
                "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                "SET SESSION TRANSACTION READ ONLY",
                "SET sql_mode='ANSI,STRICT_TRANS_TABLES'",
                "set autocommit=1, sql_mode = concat(@@sql_mode,',STRICT_TRANS_TABLES')",
                "SELECT @@max_allowed_packet,@@system_time_zone,@@time_zone,@@auto_increment_increment",
                "set sql_mode=CONCAT(@@sql_mode,',STRICT_TRANS_TABLES'),session_track_system_variables ="
                        + " CONCAT(@@global.session_track_system_variables,',transaction_isolation'),NAMES utf8mb4",
                "set session_track_system_variables=CONCAT('autocommit,',IF(@@session_track_system_variables = '*', '', 'a'))",
                "SET @@session.sql_mode = @@global.sql_mode",
                "SET wait_timeout = -1",
                "select @@version_comment\r\n;"
            })
    void whatDriversSayAfterTheLoginMayOpen(String sql) {
        assertThat(matches(sql)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT 1",
                "SELECT @@timestamp",
                "SELECT @@last_insert_id",
                "SELECT @@global.sql_mode",
                "SELECT @@read_only",
                "SELECT @@pseudo_thread_id",
                "SELECT @@sql_mode FROM t",
                "SELECT @@sql_mode INTO @x",
                "SELECT @@sql_mode, @x",
                "SELECT @@sql_mode, SLEEP(1)",
                "SELECT @@sql_mode; DROP TABLE t",
                "SELECT @@sql_mode /*! , SLEEP(1) */",
                "SELECT @@sql_mode /*M! , SLEEP(1) */",
                "SELECT @@sql_mode -- ",
                "SET @x = 1",
                "SET GLOBAL autocommit = 1",
                "SET @@global.autocommit = 1",
                "SET PERSIST autocommit = 1",
                "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
                "SET SESSION TRANSACTION",
                "SET sql_mode = (SELECT 1)",
                "SET sql_mode = f()",
                "SET sql_mode = CONCAT(f(), 'a')",
                "SET sql_mode = 'a\\' , @x = 'b'",
                "SET sql_mode = 'a''b'",
                "SET time_zone = NOW()",
                "SET autocommit",
                "SET autocommit = ",
                "SET insert_id = 5",
                "SET timestamp = 5",
                "SET ROLE r",
                "SET PASSWORD = 'x'",
                "SET STATEMENT max_statement_time = 1 FOR SELECT 1",
                "SET autocommit := 1, @x := 2",
                "SHOW VARIABLES",
                "INSERT INTO t VALUES (1)",
                "SET `autocommit` = 1",
                "/* nothing"
            })
    void everythingElseMayNot(String sql) {
        assertThat(matches(sql)).isFalse();
    }

    private static boolean matches(String sql) {
        byte[] bytes = ("##" + sql).getBytes(StandardCharsets.UTF_8);
        return OpeningText.matches(bytes, 2, bytes.length - 2);
    }
}
