package org.tiproxy.net;

import static org.tiproxy.testing.SessionTraces.makeAMessOfMySql;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;
import org.tiproxy.testing.MySqlServer;
import org.tiproxy.testing.SessionTraces;

/** On MySQL, whose accounts have caching_sha2_password. */
@Timeout(240)
@ParameterizedClass
@CsvSource({
    "jdbc:mysql, known, plain",
    "jdbc:mariadb, known, tls",
    "jdbc:mysql, pass-through, tls",
    "jdbc:mariadb, pass-through, plain"
})
class PooledMySqlServerIT extends PooledForeignServer {
    @TempDir
    static Path folder;

    private static @Nullable MySqlServer server;

    @BeforeAll
    static void startServer() throws Exception {
        MySqlServer.assumePresent();
        if (server == null) {
            server = MySqlServer.start(folder, SessionTraces.MYSQL_ACCOUNTS);
        }
    }

    @AfterAll
    static void stopServer() {
        if (server != null) {
            server.close();
            server = null;
        }
    }

    @Override
    int port() {
        return Objects.requireNonNull(server).port();
    }

    @Override
    List<String> traces() {
        return SessionTraces.MYSQL_TRACES;
    }

    @Override
    void makeAMess(Connection connection) throws SQLException {
        makeAMessOfMySql(connection);
    }

    @Override
    boolean countsCommands() {
        return true;
    }
}
