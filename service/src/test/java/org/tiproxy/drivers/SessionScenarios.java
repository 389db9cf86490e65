package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.lang.reflect.InvocationTargetException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** What concerns the connection itself: users, schemas, cancelling, time limits, options. */
final class SessionScenarios {
    private static final int NO_SUCH_THREAD = 1094;

    private SessionScenarios() {}

    static Map<String, Scenario> all() {
        Map<String, Scenario> all = new LinkedHashMap<>(basic());
        all.put("change of user", SessionScenarios::changeOfUser);
        all.put("reset of the session", SessionScenarios::reset);
        all.put("a statement cancelled by another thread", SessionScenarios::cancel);
        all.put("a statement's time limit", SessionScenarios::queryTimeout);
        all.put("a socket's time limit", SessionScenarios::socketTimeout);
        all.put("KILL", SessionScenarios::kill);
        all.put("a connection aborted while it works", SessionScenarios::abort);
        all.put("compression asked for", SessionScenarios::compression);
        all.put("connection attributes", SessionScenarios::attributes);
        return all;
    }

    /** Those that every server has to pass. */
    static Map<String, Scenario> basic() {
        Map<String, Scenario> all = new LinkedHashMap<>();
        all.put("logins", SessionScenarios::logins);
        all.put("schemas and options of a connection", SessionScenarios::options);
        return all;
    }

    private static void login(ScenarioRun run, String user, String password, String... options) {
        run.out().attempt(user, () -> {
            try (Connection connection = run.connectAs(user, password, options)) {
                run.execute(connection, "SELECT USER(), CURRENT_USER(), DATABASE(), VERSION()");
                run.out().value("valid", () -> connection.isValid(5));
            }
        });
    }

    private static void logins(ScenarioRun run) {
        for (String[] account : Accounts.LOGINS) {
            login(run, account[0], account[1]);
        }
        run.out().attempt("no such schema", () -> run.connectTo("nowhere").close());
        run.out().attempt("no schema", () -> {
            try (Connection connection = run.connectTo("")) {
                run.execute(connection, "SELECT DATABASE()");
            }
        });
        run.out().attempt("a new schema", () -> {
            try (Connection connection = run.connectTo("work2", "createDatabaseIfNotExist=true")) {
                run.execute(connection, "SELECT DATABASE()");
                run.execute(connection, "DROP DATABASE work2");
            }
        });
        run.out().attempt("too many", () -> {
            try (Connection first = run.connectAs(Accounts.ONE_CONNECTION, Accounts.PASSWORD)) {
                run.out().value("valid", () -> first.isValid(5));
                run.connectAs(Accounts.ONE_CONNECTION, Accounts.PASSWORD).close();
            }
        });
    }

    private static void options(ScenarioRun run) throws SQLException {
        try (Connection connection = run.connect(
                "sessionVariables=sql_mode=ANSI,wait_timeout=77", "useAffectedRows=true", "autoReconnect=true")) {
            ScenarioRun.prepare(
                    connection,
                    "CREATE TABLE o (a INT)",
                    "INSERT INTO o VALUES (1), (1)",
                    "CREATE OR REPLACE DATABASE elsewhere");
            run.execute(connection, "UPDATE o SET a = 1");
            run.execute(connection, "SELECT @@sql_mode, @@wait_timeout, \"a\" FROM \"o\"");
            run.out().value("catalog", connection::getCatalog);
            run.out().attempt("to another", () -> connection.setCatalog("elsewhere"));
            run.execute(connection, "SELECT DATABASE()");
            run.execute(connection, "USE work");
            run.out().value("catalog", connection::getCatalog);
            run.out().attempt("to nowhere", () -> connection.setCatalog("nowhere"));
            run.execute(connection, "DROP DATABASE elsewhere");
            run.out().value("valid", () -> connection.isValid(1));
            run.out().value("native", () -> connection.nativeSQL("{fn now()}"));
            run.out().value("read only", connection::isReadOnly);
            run.out().value("holdability", connection::getHoldability);
        }
        Connection closed = run.connect();
        closed.close();
        run.out().value("valid", () -> closed.isValid(1));
        run.execute(closed, "SELECT 1");
        try (Connection connection = run.connect("useAffectedRows=false")) {
            run.execute(connection, "UPDATE o SET a = 1");
        }
    }

    /** Calls a method that only some drivers have. */
    private static void driverMethod(ScenarioRun run, Connection connection, String name, String... arguments) {
        run.out().attempt(name, () -> {
            Class<?>[] types = new Class<?>[arguments.length];
            Arrays.fill(types, String.class);
            try {
                connection.getClass().getMethod(name, types).invoke(connection, (Object[]) arguments);
            } catch (InvocationTargetException e) {
                if (e.getCause() instanceof SQLException cause) {
                    throw cause;
                }
                throw new IllegalStateException(e.getCause());
            } catch (NoSuchMethodException | IllegalAccessException e) {
                run.out().line("no " + name);
            }
        });
    }

    private static void changeOfUser(ScenarioRun run) throws SQLException {
        try (Connection connection = run.connect()) {
            ScenarioRun.prepare(connection, "CREATE TEMPORARY TABLE mine (a INT)", "SET @a = 1");
            driverMethod(run, connection, "changeUser", Accounts.NATIVE, Accounts.PASSWORD);
            run.execute(connection, "SELECT CURRENT_USER(), DATABASE(), @a");
            run.execute(connection, "SELECT * FROM mine");
            driverMethod(run, connection, "changeUser", Accounts.NO_PASSWORD, "");
            run.execute(connection, "SELECT CURRENT_USER(), DATABASE()");
            driverMethod(run, connection, "changeUser", Accounts.NATIVE, "wrong");
            run.execute(connection, "SELECT CURRENT_USER(), DATABASE()");
        }
    }

    private static void reset(ScenarioRun run) throws SQLException {
        try (Connection connection = run.connect()) {
            ScenarioRun.prepare(connection, "SET @a = 1", "CREATE TEMPORARY TABLE mine (a INT)");
            driverMethod(run, connection, "resetServerState");
            driverMethod(run, connection, "reset");
            run.execute(connection, "SELECT CURRENT_USER(), DATABASE(), @a");
            run.execute(connection, "SELECT * FROM mine");
        }
    }

    /** Something to do while a statement runs. */
    private interface Meanwhile {
        void act(Statement running) throws SQLException;
    }

    /** Runs a statement on a thread of its own, does something else once the server runs it, and notes the outcome. */
    private static void whileRunning(ScenarioRun run, Connection connection, String sql, Meanwhile meanwhile)
            throws Exception {
        answeredBefore(connection);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (Statement statement = connection.createStatement();
                Connection admin = run.admin()) {
            CompletableFuture<Void> done = CompletableFuture.runAsync(
                    () -> run.out().lost(sql, () -> {
                        try (ResultSet rows = statement.executeQuery(sql)) {
                            run.out().rows(rows);
                        }
                    }),
                    thread);
            await().atMost(Duration.ofSeconds(30)).until(() -> running(admin, sql) != 0);
            meanwhile.act(statement);
            done.get(60, TimeUnit.SECONDS);
        } finally {
            thread.shutdownNow();
        }
    }

    /**
     * Has both kinds of answers read on one thread: the first OK and the first error read at once on two threads can end in
     * an {@link ExceptionInInitializerError}, as MariaDB Connector/J 3.0 to 4.0 keeps its loggers in a plain HashMap.
     */
    private static void answeredBefore(Connection connection) throws SQLException {
        ScenarioRun.prepare(connection, "DO 1");
        assertThatThrownBy(() -> ScenarioRun.prepare(connection, "SELEKT 1")).isInstanceOf(SQLException.class);
    }

    /** The server's id of the connection that runs a statement; 0 if there is none. */
    private static long running(Connection admin, String sql) throws SQLException {
        return Long.parseLong(ScenarioRun.text(
                admin,
                "SELECT COALESCE(MAX(id), 0) FROM information_schema.processlist WHERE id <> CONNECTION_ID()"
                        + " AND info LIKE '" + sql.replace("'", "''") + "'"));
    }

    private static void cancel(ScenarioRun run) throws Exception {
        try (Connection connection = run.connect()) {
            whileRunning(run, connection, "SELECT SLEEP(50)", Statement::cancel);
            run.execute(connection, "SELECT 'still there'");
            String joins = "SELECT COUNT(*) FROM seq_1_to_20000 a JOIN seq_1_to_20000 b JOIN seq_1_to_1000 c"
                    + " WHERE a.seq * b.seq + c.seq < 0";
            whileRunning(run, connection, joins, Statement::cancel);
            run.execute(connection, "SELECT 'still there'");
            // With nothing to cancel.
            try (Statement statement = connection.createStatement()) {
                run.out().attempt("cancel", statement::cancel);
            }
            run.execute(connection, "DO 1");
        }
    }

    private static void queryTimeout(ScenarioRun run) throws Exception {
        try (Connection connection = run.connect();
                Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            run.out()
                    .attempt(
                            "too long",
                            () -> run.out()
                                    .results(
                                            statement,
                                            statement.execute(
                                                    "SELECT MAX(BENCHMARK(50000000, MD5(seq))) FROM seq_1_to_1000")));
            run.out().attempt("short", () -> run.out().results(statement, statement.execute("SELECT 1")));
            run.execute(connection, "SELECT 'still there'");
        }
    }

    private static void socketTimeout(ScenarioRun run) throws Exception {
        try (Connection connection = run.connect("socketTimeout=300")) {
            run.execute(connection, "SELECT 1");
            run.execute(connection, "SELECT SLEEP(20)");
            run.out().value("closed", connection::isClosed);
            run.execute(connection, "SELECT 1");
        }
    }

    private static void kill(ScenarioRun run) throws Exception {
        try (Connection killer = run.connect();
                Connection connection = run.connect()) {
            String id = ScenarioRun.text(connection, "SELECT CONNECTION_ID()");
            whileRunning(
                    run, connection, "SELECT SLEEP(51)", running -> ScenarioRun.prepare(killer, "KILL QUERY " + id));
            run.execute(connection, "SELECT 'still there'");
            ScenarioRun.prepare(killer, "KILL " + id);
            run.out().lost("gone", () -> ScenarioRun.text(connection, "SELECT 1"));
            run.out().lost("gone", () -> ScenarioRun.text(connection, "SELECT 1"));
            run.out().value("closed", connection::isClosed);
            run.out().attempt("itself", () -> ScenarioRun.prepare(killer, "KILL CONNECTION_ID()"));
            run.out().lost("gone", () -> ScenarioRun.text(killer, "SELECT 1"));
        }
    }

    private static void abort(ScenarioRun run) throws Exception {
        try (Connection connection = run.connect()) {
            whileRunning(run, connection, "SELECT SLEEP(52)", running -> connection.abort(Runnable::run));
            run.out().value("closed", connection::isClosed);
            try (Connection admin = run.admin();
                    Statement statement = admin.createStatement()) {
                // Not every driver ends what runs: the server would go on sleeping.
                long id = running(admin, "SELECT SLEEP(52)");
                if (id != 0) {
                    try {
                        statement.execute("KILL " + id);
                    } catch (SQLException e) {
                        if (e.getErrorCode() != NO_SUCH_THREAD) {
                            throw e;
                        }
                    }
                }
            }
        }
    }

    private static void compression(ScenarioRun run) throws SQLException {
        try (Connection connection = run.connect("useCompression=true")) {
            run.execute(connection, "SELECT seq, REPEAT('compress me', 20000) FROM seq_1_to_10");
            run.execute(connection, "SELECT LENGTH('" + "and me ".repeat(50_000) + "')");
        }
    }

    private static void attributes(ScenarioRun run) throws SQLException {
        try (Connection connection = run.connect("connectionAttributes=program:comparison,other:ä")) {
            run.execute(
                    connection,
                    "SELECT attr_name, attr_value FROM performance_schema.session_connect_attrs"
                            + " WHERE processlist_id = CONNECTION_ID() AND attr_name <> '_thread' ORDER BY attr_name");
        }
    }
}
