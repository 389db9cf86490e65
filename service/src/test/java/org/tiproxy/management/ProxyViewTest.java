package org.tiproxy.management;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.jolokia.json.JSONArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tiproxy.common.HostPort;
import org.tiproxy.engine.FakeSession;
import org.tiproxy.engine.Listener;
import org.tiproxy.engine.ProxyLifecycle;
import org.tiproxy.engine.SessionCounters;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.session.EndReason;
import org.tiproxy.session.SessionEnd;
import org.tiproxy.session.TransactionState;

/** The proxy's bean as a JMX client without our classes sees it: over HTTP. */
class ProxyViewTest {
    private static final String BEAN = "tiproxy:type=Proxy,name=ProxyViewTest";

    private final SessionRegistry sessions = new SessionRegistry(0);
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private JolokiaEndpoint endpoint;
    private RawHttp http;

    @BeforeEach
    void open() throws Exception {
        Listener listener = new SilentListener();
        ProxyView view = new ProxyView(
                new ProxyLifecycle(listener, sessions, timer), sessions, listener, "127.0.0.1:3306", "mysql", "NIO");
        ManagementFactory.getPlatformMBeanServer().registerMBean(view, Sample.name(BEAN));
        endpoint = JolokiaEndpoint.start(new JolokiaConfig(new HostPort("127.0.0.1", 0), null, null, List.of()));
        http = new RawHttp(endpoint.address());
    }

    @AfterEach
    void close() throws Exception {
        endpoint.close();
        ManagementFactory.getPlatformMBeanServer().unregisterMBean(Sample.name(BEAN));
        timer.shutdownNow();
    }

    private Object read(String attribute) throws Exception {
        return http.get("/jolokia/read/" + BEAN + "/" + attribute).value();
    }

    private RawHttp.Answer exec(String operation) throws Exception {
        return http.get("/jolokia/exec/" + BEAN + "/" + operation);
    }

    @Test
    void countersAreZeroOrEmptyWhereNothingIsKnown() throws Exception {
        assertThat(read("CommandsTotal")).isEqualTo(0L);
        assertThat(read("SessionsInTransaction")).isEqualTo(0L);
        assertThat(read("TlsSessions")).isEqualTo(0L);
        assertThat(read("AuthFailuresTotal")).isEqualTo(0L);
        assertThat(read("HandshakeFailuresTotal")).isEqualTo(0L);
        assertThat(read("HandshakeFailuresByReason")).isEqualTo(Map.of());
        assertThat(read("SessionsEndedByReason")).isEqualTo(Map.of());
        assertThat(read("ErrorsBySource")).isEqualTo(Map.of("client", 0L, "proxy", 0L, "backend", 0L));
    }

    @Test
    void mapsAndRecordsComeOutAsObjects() throws Exception {
        SessionCounters.Share open = sessions.counters().newShare();
        open.loggedIn(true);
        open.commandBegun();
        open.transactionChanged(TransactionState.ACTIVE);
        for (EndReason reason : List.of(EndReason.SPEAKS_HTTP, EndReason.SPEAKS_HTTP, EndReason.LOGIN_REFUSED)) {
            sessions.counters().newShare().ended(new SessionEnd(reason.source(), reason, ""));
        }
        sessions.counters().newShare().ended(new SessionEnd(ErrorSource.BACKEND, EndReason.BACKEND_CLOSED, ""));

        assertThat(read("CommandsTotal")).isEqualTo(1L);
        assertThat(read("SessionsInTransaction")).isEqualTo(1L);
        assertThat(read("TlsSessions")).isEqualTo(1L);
        assertThat(read("AuthFailuresTotal")).isEqualTo(1L);
        assertThat(read("HandshakeFailuresTotal")).isEqualTo(2L);
        assertThat(read("HandshakeFailuresByReason")).isEqualTo(Map.of("SPEAKS_HTTP", 2L));
        assertThat(read("SessionsEndedByReason"))
                .isEqualTo(Map.of("SPEAKS_HTTP", 2L, "LOGIN_REFUSED", 1L, "BACKEND_CLOSED", 1L));
        assertThat(read("ErrorsBySource")).isEqualTo(Map.of("client", 3L, "proxy", 0L, "backend", 1L));
        assertThat(read("ErrorsBySource/backend")).isEqualTo(1L);
    }

    @Test
    void rowsShowWhatTheSessionsAreDoing() throws Exception {
        sessions.add(new FakeSession(7).executing("COM_QUERY"));

        JSONArray rows = (JSONArray) exec("listConnections").value();

        assertThat((Map<?, ?>) rows.get(0))
                .isEqualTo(Map.ofEntries(
                        Map.entry("id", 7L),
                        Map.entry("client", "127.0.0.1:5000"),
                        Map.entry("backend", "127.0.0.1:3306"),
                        Map.entry("since", "1970-01-01T00:00:00Z"),
                        Map.entry("bytesReceived", 1L),
                        Map.entry("bytesSent", 2L),
                        Map.entry("user", "demo"),
                        Map.entry("schema", "shop"),
                        Map.entry("command", "COM_QUERY"),
                        Map.entry("commandMillis", 1500L),
                        Map.entry("transaction", "NONE"),
                        Map.entry("tls", false),
                        Map.entry("backendConnectionId", 107L),
                        Map.entry("connectionId", 1073741831L)));
    }

    @Test
    void killsAnswerWithASentenceOrFailWithOne() throws Exception {
        sessions.add(new FakeSession(7).executing("COM_QUERY"));
        assertThat(exec("killQuery/7").at("error").toString())
                .contains("no other session of user 'demo' is idle")
                .contains("killSession(7)");
        sessions.add(new FakeSession(8));
        assertThat(exec("killQuery/7").value().toString()).contains("KILL QUERY 107");
        assertThat(exec("killSession/7").value()).isEqualTo(true);
        assertThat(exec("killSession/9").value()).isEqualTo(false);
    }

    private static final class SilentListener implements Listener {
        @Override
        public void open() {}

        @Override
        public void accept(boolean accept) {}

        @Override
        public void close() {}

        @Override
        public HostPort address() {
            return new HostPort("127.0.0.1", 4000);
        }
    }
}
