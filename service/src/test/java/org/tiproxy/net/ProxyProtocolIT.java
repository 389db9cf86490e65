package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.tiproxy.common.HostPort;
import org.tiproxy.testing.MariaDbServer;

/** A real server that accepts PROXY headers shows the client's address, not the proxy's. */
@Timeout(180)
@ParameterizedClass
@EnumSource(ProxyConfig.Protocol.class)
class ProxyProtocolIT {
    @TempDir
    static Path folder;

    private static MariaDbServer server;

    @Parameter
    ProxyConfig.Protocol protocol;

    private final TestProxy front = new TestProxy();
    private final TestProxy behind = new TestProxy();

    @BeforeAll
    static void startServer() throws Exception {
        if (server == null) {
            // The readiness check, like a supervisor's probe, connects without a header: the server does not insist.
            server = MariaDbServer.start(folder, "--proxy-protocol-networks=127.0.0.1");
        }
    }

    @AfterAll
    static void stopServer() {
        server.close();
        server = null;
    }

    @AfterEach
    void close() throws Exception {
        front.close();
        behind.close();
    }

    /** Whom the server takes for the connection's client. */
    private static String hostOf(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SHOW PROCESSLIST")) {
            while (rows.next()) {
                if ("SHOW PROCESSLIST".equals(rows.getString("Info"))) {
                    return rows.getString("Host");
                }
            }
            throw new AssertionError("the process list does not show its own query");
        }
    }

    /** The one client that a proxy has: for the first proxy, the address of the client's socket. */
    private static String clientOf(TestProxy proxy) {
        assertThat(proxy.sessions.sessions()).hasSize(1);
        return proxy.sessions.sessions().iterator().next().client().toString();
    }

    private TestProxy started(TestProxy proxy, HostPort backend) throws Exception {
        proxy.protocol = protocol;
        proxy.towardsBackend = ProxyProtocolConfig.Version.V2;
        return proxy.start(backend);
    }

    private HostPort serverAddress() {
        return new HostPort("127.0.0.1", server.port());
    }

    @Test
    void theProcessListShowsTheClientsAddress() throws Exception {
        started(front, serverAddress());
        String url = "jdbc:mariadb://" + front.address() + "/demo";
        try (Connection connection = DriverManager.getConnection(url, "demo", "demo")) {
            assertThat(hostOf(connection)).isEqualTo(clientOf(front));
        }
    }

    @Test
    void aChainOfProxiesShowsTheFirstOnesClient() throws Exception {
        behind.trusted = "127.0.0.1";
        started(behind, serverAddress());
        started(front, behind.address());
        String url = "jdbc:mariadb://" + front.address() + "/demo";
        try (Connection connection = DriverManager.getConnection(url, "demo", "demo")) {
            assertThat(hostOf(connection)).isEqualTo(clientOf(front)).isEqualTo(clientOf(behind));
        }
    }
}
