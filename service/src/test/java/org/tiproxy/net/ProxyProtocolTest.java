package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.tiproxy.common.HostPort;
import org.tiproxy.engine.ProxySession;
import org.tiproxy.error.ProxyError;
import org.tiproxy.wire.Hex;

/** PROXY headers that are received and sent; the test is the client, or another proxy, and the backend. */
@Timeout(60)
@ParameterizedClass
@EnumSource(
        value = NetworkTransport.class,
        names = {"EPOLL", "NIO"})
class ProxyProtocolTest {
    private static final String SIGNATURE = "0d0a0d0a000d0a515549540a";

    @Parameter
    NetworkTransport transport;

    private final TestProxy proxy = new TestProxy();
    private final List<Socket> accepted = new ArrayList<>();
    private ServerSocket server;

    @BeforeEach
    void listen() throws IOException {
        server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        server.setSoTimeout(30_000);
        proxy.transport = transport;
        proxy.protocol = ProxyConfig.Protocol.TCP;
        proxy.trusted = "127.0.0.0/8";
    }

    @AfterEach
    void close() throws IOException {
        proxy.close();
        server.close();
        for (Socket socket : accepted) {
            socket.close();
        }
    }

    private void start() throws Exception {
        proxy.start(new HostPort("127.0.0.1", server.getLocalPort()));
    }

    private Socket backend() throws IOException {
        Socket socket = server.accept();
        socket.setSoTimeout(30_000);
        accepted.add(socket);
        return socket;
    }

    private ProxySession session() {
        await().until(() -> proxy.sessions.sessions().size() == 1);
        return proxy.sessions.sessions().iterator().next();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Sends a header and "hello"; the session has this client then, and the backend gets the rest. */
    private void expectClient(byte[] header, String client) throws Exception {
        start();
        Socket socket = proxy.connect();
        ProxySession session = session();
        socket.getOutputStream().write(Hex.join(header, ascii("hello")));
        assertThat(backend().getInputStream().readNBytes(5)).isEqualTo(ascii("hello"));
        assertThat(session.client()).hasToString(client);
        assertThat(session.bytesReceived()).isEqualTo(5);
    }

    @Test
    void aHeaderOfVersion1NamesTheClient() throws Exception {
        expectClient(ascii("PROXY TCP4 10.1.2.3 10.1.2.4 4660 3306\r\n"), "10.1.2.3:4660");
    }

    @Test
    void aHeaderOfVersion1WithIpv6NamesTheClient() throws Exception {
        expectClient(ascii("PROXY TCP6 2001:db8::1 2001:db8::2 4660 3306\r\n"), "[2001:db8:0:0:0:0:0:1]:4660");
    }

    @Test
    void aHeaderOfVersion2NamesTheClient() throws Exception {
        expectClient(ProxyHeaders.v2Tcp4(), "10.1.2.3:4660");
    }

    @Test
    void aHeaderOfVersion2WithIpv6NamesTheClient() throws Exception {
        expectClient(ProxyHeaders.v2Tcp6(), "[2001:db8:0:0:0:0:0:1]:4660");
    }

    @Test
    void aHeaderThatNamesNobodyLeavesTheSocketsAddress() throws Exception {
        start();
        for (byte[] header :
                new byte[][] {ProxyHeaders.v2Local(), ascii("PROXY UNKNOWN\r\n"), ascii("PROXY UNKNOWN a b 1 2\r\n")}) {
            Socket socket = proxy.connect();
            ProxySession session = session();
            socket.getOutputStream().write(Hex.join(header, ascii("hello")));
            assertThat(backend().getInputStream().readNBytes(5)).isEqualTo(ascii("hello"));
            assertThat(session.client()).isEqualTo(new HostPort("127.0.0.1", socket.getLocalPort()));
            socket.close();
            session.close(ProxyError.CLOSED_BY_OPERATOR, "next");
            await().until(() -> proxy.sessions.sessions().isEmpty());
        }
    }

    @Test
    void aHeaderMayComeByteByByte() throws Exception {
        start();
        for (byte[] header :
                new byte[][] {ProxyHeaders.v2Tcp4(), ascii("PROXY TCP4 10.1.2.3 10.1.2.4 4660 3306\r\n")}) {
            for (int split = 1; split < header.length; split++) {
                Socket socket = proxy.connect();
                ProxySession session = session();
                socket.setTcpNoDelay(true);
                socket.getOutputStream().write(header, 0, split);
                socket.getOutputStream().flush();
                socket.getOutputStream()
                        .write(Hex.join(Arrays.copyOfRange(header, split, header.length), ascii("hello")));
                assertThat(backend().getInputStream().readNBytes(5)).isEqualTo(ascii("hello"));
                assertThat(session.client()).hasToString("10.1.2.3:4660");
                session.close(ProxyError.CLOSED_BY_OPERATOR, "next");
                await().until(() -> proxy.sessions.sessions().isEmpty());
            }
        }
    }

    @Test
    void whoeverIsNotTrustedSendsOrdinaryBytes() throws Exception {
        proxy.trusted = "10.0.0.0/8";
        start();
        Socket socket = proxy.connect();
        byte[] header = ProxyHeaders.v2Tcp4();
        socket.getOutputStream().write(header);
        assertThat(backend().getInputStream().readNBytes(header.length)).isEqualTo(header);
        assertThat(session().client()).isEqualTo(new HostPort("127.0.0.1", socket.getLocalPort()));
    }

    /** The connection is ended, and counted, without a connection to the backend. */
    private void expectRefused(byte[] bytes, String text) throws Exception {
        Socket socket = proxy.connect();
        ProxySession session = session();
        socket.getOutputStream().write(bytes);
        await().untilAsserted(() -> assertThat(session.ended())
                .startsWith("CLIENT (BAD_PROXY_HEADER): ")
                .contains(text));
        assertThat(session.backend()).isNull();
        await().until(() -> proxy.sessions.sessions().isEmpty());
    }

    @Test
    void aBrokenHeaderEndsTheConnection() throws Exception {
        start();
        expectRefused(ascii("GET / HTTP/1.1\r\n\r\n"), "is broken");
        expectRefused(ascii("PROXY TCP4 10.1.2.3 10.1.2.4.5 1 2\r\n"), "is broken");
        expectRefused(ascii("OPTIONS / HTTP/1.0\r\nHost: x\r\nAccept: *\r\n\r\n"), "is broken");
        expectRefused(ascii("PROXY TCP4 " + "1".repeat(200)), "is broken");
        // The version is none that there is.
        expectRefused(ProxyHeaders.hex(SIGNATURE, "31", "11", "0000"), "is broken");
        // IPv4 needs 12 bytes.
        expectRefused(ProxyHeaders.hex(SIGNATURE, "21", "11", "0004", "0a010203"), "is broken");
        // A TLV that is longer than the header.
        expectRefused(
                ProxyHeaders.hex(SIGNATURE, "21", "11", "0010", "0a010203", "0a010204", "1234", "0cea", "04 ffff 00"),
                "is broken");
        // More than 2 KiB of TLVs.
        expectRefused(Hex.join(ProxyHeaders.hex(SIGNATURE, "21", "11", "ffff"), new byte[5000]), "is broken");
        // A version for which Netty's decoder waits without end.
        expectRefused(Hex.join(ProxyHeaders.hex(SIGNATURE, "ff"), new byte[5000]), "is broken");
        assertThat(proxy.listener.badProxyHeadersTotal()).isEqualTo(9);
    }

    @Test
    void aHeaderThatDoesNotComeInTimeEndsTheConnection() throws Exception {
        proxy.login = new LoginLimits(Duration.ofMillis(100), 10, 1000);
        start();
        proxy.connect();
        proxy.connect().getOutputStream().write(ascii("PROXY TCP4 10.1.2.3"));
        await().untilAsserted(
                        () -> assertThat(proxy.listener.badProxyHeadersTotal()).isEqualTo(2));
        await().until(() -> proxy.sessions.sessions().isEmpty());
    }

    @Test
    void whoeverLeavesBeforeItsHeaderIsNoFailure() throws Exception {
        start();
        proxy.connect().close();
        await().untilAsserted(() -> {
            assertThat(proxy.sessions.connectionsTotal()).isEqualTo(1);
            assertThat(proxy.sessions.active()).isZero();
        });
        assertThat(proxy.listener.badProxyHeadersTotal()).isZero();
    }

    @Test
    void mySqlGreetsAfterTheHeader() throws Exception {
        proxy.protocol = ProxyConfig.Protocol.MYSQL;
        start();
        MySqlPeer client = new MySqlPeer(proxy.connect());
        ProxySession session = session();
        client.send(ProxyHeaders.v2Tcp4());
        client.logIn(new MySqlPeer(backend()));
        assertThat(session.client()).hasToString("10.1.2.3:4660");
        assertThat(session.user()).isEqualTo("root");
    }

    @Test
    void aMySqlClientThatWaitsForTheGreetingInsteadIsTold() throws Exception {
        proxy.protocol = ProxyConfig.Protocol.MYSQL;
        proxy.login = new LoginLimits(Duration.ofMillis(100), 10, 1000);
        start();
        MySqlPeer client = new MySqlPeer(proxy.connect());
        MySqlPeer.Packet packet = client.read();
        assertThat(packet.sequenceId()).isZero();
        assertThat(packet.err().code()).isEqualTo(1043);
        assertThat(packet.err().message())
                .isEqualTo("no complete PROXY header came within 100 ms; connections from 127.0.0.1 must begin with one"
                        + " (proxy.proxy-protocol-networks)");
        assertThat(client.atEnd()).isTrue();
        assertThat(proxy.listener.badProxyHeadersTotal()).isEqualTo(1);
        assertThat(proxy.listener.halfOpenLogins()).isZero();
    }

    @Test
    void theBackendIsToldWhoTheClientIsBeforeAnythingElse() throws Exception {
        proxy.trusted = "";
        proxy.towardsBackend = ProxyProtocolConfig.Version.V2;
        start();
        Socket socket = proxy.connect();
        socket.getOutputStream().write(ascii("hello"));
        byte[] ports = ProxyHeaders.hex(
                String.format("%04x%04x", socket.getLocalPort(), proxy.address().port()));
        assertThat(backend().getInputStream().readNBytes(33))
                .isEqualTo(Hex.join(
                        ProxyHeaders.hex(SIGNATURE, "21", "11", "000c", "7f000001", "7f000001"),
                        ports,
                        ascii("hello")));
    }

    @Test
    void theBackendIsToldWhatTheHeaderSaid() throws Exception {
        proxy.towardsBackend = ProxyProtocolConfig.Version.V2;
        start();
        Socket socket = proxy.connect();
        socket.getOutputStream().write(ProxyHeaders.v2Tcp6());
        assertThat(backend().getInputStream().readNBytes(ProxyHeaders.v2Tcp6().length))
                .isEqualTo(ProxyHeaders.v2Tcp6());
    }

    @Test
    void addressesOfTwoFamiliesBecomeIpv6() throws Exception {
        proxy.towardsBackend = ProxyProtocolConfig.Version.V2;
        start();
        proxy.connect().getOutputStream().write(ascii("PROXY TCP6 ::ffff:10.1.2.3 2001:db8::2 4660 3306\r\n"));
        assertThat(backend().getInputStream().readNBytes(52))
                .isEqualTo(ProxyHeaders.hex(
                        SIGNATURE,
                        "21",
                        "21",
                        "0024",
                        "00000000000000000000ffff0a010203",
                        "20010db8000000000000000000000002",
                        "1234",
                        "0cea"));
    }
}
