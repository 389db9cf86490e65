package org.tiproxy.net;

import static org.tiproxy.testing.SessionTraces.makeAMessOfTiDb;

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
import org.tiproxy.testing.SessionTraces;
import org.tiproxy.testing.TiDbServer;

/** On TiDB, which has COM_RESET_CONNECTION and COM_CHANGE_USER of its own. */
@Timeout(240)
@ParameterizedClass
@CsvSource({
    "jdbc:mysql, known, plain",
    "jdbc:mariadb, known, tls",
    "jdbc:mysql, pass-through, tls",
    "jdbc:mariadb, pass-through, plain"
})
class PooledTiDbServerIT extends PooledForeignServer {
    @TempDir
    static Path folder;

    private static @Nullable TiDbServer server;

    @BeforeAll
    static void startServer() throws Exception {
        TiDbServer.assumePresent();
        if (server == null) {
            server = TiDbServer.start(folder, SessionTraces.TIDB_ACCOUNTS);
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
        return SessionTraces.TIDB_TRACES;
    }

    @Override
    void makeAMess(Connection connection) throws SQLException {
        makeAMessOfTiDb(connection);
    }

    @Override
    boolean countsCommands() {
        return false;
    }
}
