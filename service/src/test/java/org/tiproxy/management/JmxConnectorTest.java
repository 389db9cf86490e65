package org.tiproxy.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.Serializable;
import java.lang.management.ManagementFactory;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.HashMap;
import java.util.Map;
import javax.management.Attribute;
import javax.management.MBeanServer;
import javax.management.MBeanServerConnection;
import javax.management.openmbean.CompositeData;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;

class JmxConnectorTest {
    private final MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
    private Sample sample;

    /** What a client might send to make the server read an object of its choice. */
    record Unexpected(String text) implements Serializable {}

    @BeforeEach
    void registerSample() throws Exception {
        sample = Sample.register();
    }

    @AfterEach
    void unregisterSample() throws Exception {
        sample.close();
    }

    @Test
    void clientReadsWritesAndOperates() throws Exception {
        try (JmxConnector connector = open("127.0.0.1");
                JMXConnector client = connect(connector, null, null)) {
            MBeanServerConnection remote = client.getMBeanServerConnection();

            remote.setAttribute(Sample.NAME, new Attribute("Limit", 9));

            assertThat(remote.getAttribute(Sample.NAME, "Limit")).isEqualTo(9);
            assertThat(remote.invoke(Sample.NAME, "drain", new Object[] {5}, new String[] {"int"}))
                    .isEqualTo("drained in 5 s");
            CompositeData[] rows = (CompositeData[]) remote.getAttribute(Sample.NAME, "Rows");
            assertThat(rows[0].get("client")).isEqualTo("127.0.0.1:5000");
        }
    }

    @Test
    void urlNamesTheBoundAddressAndTheRealPort() throws Exception {
        try (JmxConnector connector = open("127.0.0.1")) {
            assertThat(connector.address().port()).isPositive();
            assertThat(connector.url())
                    .isEqualTo("service:jmx:rmi:///jndi/rmi://127.0.0.1:"
                            + connector.address().port() + "/jmxrmi");
        }
    }

    @Test
    void listensOnTheGivenAddressOnly() throws Exception {
        try (JmxConnector connector = open("127.0.0.1")) {
            int port = connector.address().port();
            try (ServerSocket elsewhere = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.2"))) {
                assertThat(elsewhere.isBound()).isTrue();
            }
            assertThatThrownBy(() -> new Socket("127.0.0.2", port).close()).isInstanceOf(ConnectException.class);
        }
    }

    @Test
    void stubsCarryTheBoundAddressWhateverTheMachineIsCalled() throws Exception {
        try (JmxConnector connector = open("127.0.0.3");
                JMXConnector client = connect(connector, null, null)) {
            assertThat(connector.url()).contains("//127.0.0.3:");
            assertThat(client.getMBeanServerConnection().getMBeanCount()).isPositive();
        }
        assertThat(System.getProperty("java.rmi.server.hostname")).isNull();
    }

    @Test
    void hostNameThatTheUserSetIsKept() throws Exception {
        System.setProperty("java.rmi.server.hostname", "127.0.0.1");
        try {
            open("127.0.0.1").close();
            assertThat(System.getProperty("java.rmi.server.hostname")).isEqualTo("127.0.0.1");
        } finally {
            System.clearProperty("java.rmi.server.hostname");
        }
    }

    @Test
    void rightPasswordIsLetIn() throws Exception {
        try (JmxConnector connector = openWithLogin();
                JMXConnector client = connect(connector, "operator", "s3cret")) {
            assertThat(client.getMBeanServerConnection().getAttribute(Sample.NAME, "Limit"))
                    .isEqualTo(7);
        }
    }

    @Test
    void wrongPasswordIsRefusedInPlainWordsAndWithoutThePassword() throws Exception {
        try (JmxConnector connector = openWithLogin()) {
            assertThatThrownBy(() -> connect(connector, "operator", "guess"))
                    .isInstanceOf(SecurityException.class)
                    .hasMessage("JMX login failed: wrong user or password");
            assertThatThrownBy(() -> connect(connector, "somebody", "s3cret"))
                    .isInstanceOf(SecurityException.class)
                    .hasMessage("JMX login failed: wrong user or password");
        }
    }

    @Test
    void missingLoginIsRefusedInPlainWords() throws Exception {
        try (JmxConnector connector = openWithLogin()) {
            assertThatThrownBy(() -> connect(connector, null, null))
                    .isInstanceOf(SecurityException.class)
                    .hasMessage("This JMX connector needs a user and a password");
        }
    }

    @Test
    void beansCanNeitherBeCreatedNorRemoved() throws Exception {
        try (JmxConnector connector = open("127.0.0.1");
                JMXConnector client = connect(connector, null, null)) {
            MBeanServerConnection remote = client.getMBeanServerConnection();

            assertThatThrownBy(() ->
                            remote.createMBean("javax.management.loading.MLet", Sample.name("tiproxy:type=Loader")))
                    .isInstanceOf(SecurityException.class)
                    .hasMessageContaining("createMBean is not allowed");
            assertThatThrownBy(() -> remote.unregisterMBean(Sample.NAME)).isInstanceOf(SecurityException.class);
            assertThat(beans.isRegistered(Sample.NAME)).isTrue();
        }
    }

    @Test
    void diagnosticOperationsAreRefusedButReadable() throws Exception {
        try (JmxConnector connector = open("127.0.0.1");
                JMXConnector client = connect(connector, null, null)) {
            MBeanServerConnection remote = client.getMBeanServerConnection();

            assertThatThrownBy(() -> remote.invoke(
                            Sample.name("com.sun.management:type=DiagnosticCommand"), "vmVersion", null, null))
                    .isInstanceOf(SecurityException.class)
                    .hasMessageContaining("attach locally");
            assertThat(remote.getAttribute(
                            Sample.name("com.sun.management:type=HotSpotDiagnostic"), "DiagnosticOptions"))
                    .isNotNull();
        }
    }

    @Test
    void argumentsOfOtherTypesAreNotRead() throws Exception {
        try (JmxConnector connector = open("127.0.0.1");
                JMXConnector client = connect(connector, null, null)) {
            MBeanServerConnection remote = client.getMBeanServerConnection();

            assertThatThrownBy(() -> remote.invoke(
                            Sample.NAME, "drain", new Object[] {new Unexpected("gadget")}, new String[] {"int"}))
                    .hasStackTraceContaining("filter status: REJECTED");
        }
    }

    @Test
    void takenPortIsReportedInASentence() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            JmxConfig config = new JmxConfig(new HostPort("127.0.0.1", taken.getLocalPort()), null, null);

            assertThatThrownBy(() -> JmxConnector.start(config, beans))
                    .isInstanceOf(IOException.class)
                    .hasMessage("JMX cannot listen on 127.0.0.1:" + taken.getLocalPort()
                            + ": Address already in use. Set jmx.addr to another address, or to \"off\".");
        }
    }

    @Test
    void otherMachinesAreNotServedWithoutALogin() {
        JmxConfig config = new JmxConfig(new HostPort("", 0), null, null);

        assertThatThrownBy(() -> JmxConnector.start(config, beans))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("without authentication");
    }

    @Test
    void clientsOfEveryAddressAreSentToOneThatExists() throws Exception {
        InetAddress everyAddress = InetAddress.getByAddress(new byte[4]);

        InetAddress named = InetAddress.getByName(JmxConnector.reachableAddress(everyAddress));

        assertThat(NetworkInterface.getByInetAddress(named)).isNotNull();
    }

    @Test
    void closedConnectorFreesThePortAndItsThreads() throws Exception {
        JmxConnector connector = open("127.0.0.1");
        try (JMXConnector client = connect(connector, null, null)) {
            client.getMBeanServerConnection().getMBeanCount();
        }
        connector.close();

        assertThatCode(connector::close).doesNotThrowAnyException();
        assertThatThrownBy(() -> connect(connector, null, null)).isInstanceOf(IOException.class);
        JmxConfig samePort = new JmxConfig(connector.address(), null, null);
        assertThatCode(() -> JmxConnector.start(samePort, beans).close()).doesNotThrowAnyException();
        Awaitility.await()
                .untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
                        .filteredOn(thread -> thread.getName().startsWith("RMI") && !thread.isDaemon())
                        .isEmpty());
    }

    private JmxConnector open(String host) throws IOException {
        return JmxConnector.start(new JmxConfig(new HostPort(host, 0), null, null), beans);
    }

    private JmxConnector openWithLogin() throws IOException {
        return JmxConnector.start(new JmxConfig(new HostPort("127.0.0.1", 0), "operator", new Secret("s3cret")), beans);
    }

    /** What every JMX client calls; there is no other way in, and the URL is our own. */
    @SuppressWarnings("BanJNDI")
    private static JMXConnector connect(JmxConnector connector, @Nullable String user, @Nullable String password)
            throws IOException {
        Map<String, Object> environment = new HashMap<>();
        if (user != null && password != null) {
            environment.put(JMXConnector.CREDENTIALS, new String[] {user, password});
        }
        return JMXConnectorFactory.connect(new JMXServiceURL(connector.url()), environment);
    }
}
