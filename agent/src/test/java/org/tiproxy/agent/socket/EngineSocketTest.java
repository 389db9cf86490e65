package org.tiproxy.agent.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tiproxy.inprocess.UnsupportedAccountException;

@Timeout(60)
class EngineSocketTest {
    private static final InetSocketAddress ADDRESS = new InetSocketAddress("127.0.0.1", 3306);

    private final FakeEngine engine = new FakeEngine();
    private final EngineSocket socket;

    EngineSocketTest() throws SocketException {
        socket = new EngineSocket(engine, false);
    }

    @AfterEach
    void close() throws IOException {
        socket.close();
    }

    private EngineSocket connected() throws IOException {
        socket.connect(ADDRESS, 5_000);
        return socket;
    }

    @Test
    void itIsConnectedToTheAddressThatTheDriverHasAskedFor() throws Exception {
        connected();

        assertThat(engine.asked).isEqualTo(ADDRESS);
        assertThat(engine.timeout).isEqualTo(Duration.ofSeconds(5));
        assertThat(socket.isConnected()).isTrue();
        assertThat(socket.isInMemory()).isTrue();
        assertThat(socket.getInetAddress()).isEqualTo(ADDRESS.getAddress());
        assertThat(socket.getPort()).isEqualTo(3306);
        assertThat(socket.getRemoteSocketAddress()).isEqualTo(ADDRESS);
        assertThat(socket.isBound()).isTrue();
        assertThat(socket.getLocalPort()).isZero();
    }

    @Test
    void anAddressWithoutANumberIsNotTheLoopback() throws Exception {
        socket.connect(InetSocketAddress.createUnresolved("db.example", 3306));

        assertThat(socket.getInetAddress().isLoopbackAddress()).isFalse();
        assertThat(engine.asked.getHostString()).isEqualTo("db.example");
    }

    @Test
    void aSocketThatIsLostIsClosed() throws Exception {
        FakeEngine lost = new FakeEngine();
        loseASocket(lost);
        await().until(() -> {
            System.gc();
            return lost.closed.get() > 0;
        });
        assertThat(lost.closed).hasValue(1);
    }

    private static void loseASocket(FakeEngine engine) throws IOException {
        EngineSocket forgotten = new EngineSocket(engine, false);
        forgotten.connect(ADDRESS, 0);
        assertThat(forgotten.getInputStream()).isNotNull();
        assertThat(forgotten.getOutputStream()).isNotNull();
    }

    @Test
    void optionsAreWhatWasSet() throws Exception {
        assertThat(socket.getTcpNoDelay()).isFalse();
        assertThat(socket.getSoLinger()).isEqualTo(-1);
        assertThat(socket.getReceiveBufferSize()).isPositive();

        socket.setTcpNoDelay(true);
        socket.setKeepAlive(true);
        socket.setSoLinger(true, 7);
        socket.setReceiveBufferSize(10_000);
        socket.setSendBufferSize(20_000);
        socket.setTrafficClass(8);
        socket.setReuseAddress(true);
        socket.setOOBInline(true);
        socket.setSoTimeout(123);

        assertThat(socket.getTcpNoDelay()).isTrue();
        assertThat(socket.getKeepAlive()).isTrue();
        assertThat(socket.getSoLinger()).isEqualTo(7);
        assertThat(socket.getReceiveBufferSize()).isEqualTo(10_000);
        assertThat(socket.getSendBufferSize()).isEqualTo(20_000);
        assertThat(socket.getTrafficClass()).isEqualTo(8);
        assertThat(socket.getReuseAddress()).isTrue();
        assertThat(socket.getOOBInline()).isTrue();
        assertThat(socket.getSoTimeout()).isEqualTo(123);
        assertThat(socket.getOption(StandardSocketOptions.TCP_NODELAY)).isTrue();
        assertThat(socket.supportedOptions()).contains(StandardSocketOptions.SO_KEEPALIVE);
    }

    @Test
    void everyPublicMethodOfASocketIsOurs() {
        assertThat(Arrays.stream(Socket.class.getDeclaredMethods())
                        .filter(method -> Modifier.isPublic(method.getModifiers()))
                        .filter(method -> !Modifier.isStatic(method.getModifiers()))
                        .filter(method -> !isOverridden(method)))
                .as("a method that is left to java.net.Socket would look for a file descriptor")
                .isEmpty();
    }

    private static boolean isOverridden(Method method) {
        return Arrays.stream(EngineSocket.class.getMethods())
                .anyMatch(own -> own.getName().equals(method.getName())
                        && Arrays.equals(own.getParameterTypes(), method.getParameterTypes())
                        && own.getDeclaringClass() != Socket.class);
    }

    @Test
    void t3ReadsWaitAsLongAsTheSocketsTimeoutSays() throws Exception {
        InputStream input = connected().getInputStream();
        socket.setSoTimeout(3);
        engine.answer((byte) 1);

        assertThat(input.read()).isEqualTo(1);
        assertThat(engine.readTimeout).isEqualTo(3);
    }

    @Test
    void t1OneThreadWritesWhileAnotherReads() throws Exception {
        InputStream input = connected().getInputStream();
        OutputStream output = socket.getOutputStream();
        CompletableFuture<Integer> read = CompletableFuture.supplyAsync(() -> readOne(input));
        engine.awaitReader();

        output.write(new byte[] {1, 2, 3});
        output.flush();

        assertThat(engine.written.toByteArray()).containsExactly(1, 2, 3);
        engine.answer((byte) 9);
        assertThat(read.get(20, TimeUnit.SECONDS)).isEqualTo(9);
    }

    private static int readOne(InputStream input) {
        try {
            return input.read();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void closingTheInputStreamEndsAReadOfAnotherThread() throws Exception {
        InputStream input = connected().getInputStream();
        CompletableFuture<Integer> read = CompletableFuture.supplyAsync(() -> readOne(input));
        engine.awaitReader();

        input.close();

        assertThat(catchThrowable(() -> read.get(20, TimeUnit.SECONDS)))
                .hasRootCauseInstanceOf(SocketException.class)
                .hasRootCauseMessage("Socket closed");
        assertThat(socket.isClosed()).isTrue();
    }

    @Test
    void t6NothingIsSynchronized() {
        for (Class<?> type : new Class<?>[] {
            EngineSocket.class, RecordingSocket.class, EngineInput.class, EngineOutput.class, SocketSettings.class
        }) {
            assertThat(type.getDeclaredMethods())
                    .as("a virtual thread would pin its carrier")
                    .noneMatch(method -> Modifier.isSynchronized(method.getModifiers()));
        }
    }

    @Test
    void availableIsWhatTheEngineHas() throws Exception {
        InputStream input = connected().getInputStream();
        assertThat(input.available()).isZero();
        engine.answer((byte) 1, (byte) 2);
        assertThat(input.available()).isEqualTo(2);
    }

    @Test
    void aClosedSocketSaysSo() throws Exception {
        InputStream input = connected().getInputStream();
        OutputStream output = socket.getOutputStream();
        socket.close();
        socket.close();

        assertThatThrownBy(input::read).isInstanceOf(SocketException.class).hasMessage("Socket closed");
        assertThatThrownBy(input::available).isInstanceOf(SocketException.class);
        assertThatThrownBy(() -> output.write(1)).isInstanceOf(SocketException.class);
        assertThatThrownBy(() -> socket.setSoTimeout(1)).isInstanceOf(SocketException.class);
        assertThatThrownBy(() -> socket.connect(ADDRESS)).isInstanceOf(SocketException.class);
    }

    @Test
    void afterShutdownOutputTheRestIsRead() throws Exception {
        InputStream input = connected().getInputStream();
        OutputStream output = socket.getOutputStream();
        output.write(new byte[] {1, 0, 0, 0, 1});
        socket.shutdownOutput();
        assertThat(socket.isOutputShutdown()).isTrue();
        assertThatThrownBy(() -> output.write(1)).isInstanceOf(SocketException.class);

        engine.answer((byte) 5);
        assertThat(input.read()).isEqualTo(5);
        socket.shutdownInput();
        assertThat(input.read()).isEqualTo(-1);
    }

    @Test
    void withoutARedirectARealSocketIsConnectedWithTheSameOptions() throws Exception {
        engine.nobody = true;
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(321);
            socket.connect(server.getLocalSocketAddress(), 5_000);
            try (Socket accepted = server.accept()) {
                socket.getOutputStream().write(7);
                assertThat(accepted.getInputStream().read()).isEqualTo(7);
            }
            assertThat(socket.isInMemory()).isFalse();
            assertThat(socket.getTcpNoDelay()).isTrue();
            assertThat(socket.getSoTimeout()).isEqualTo(321);
            assertThat(socket.getLocalPort()).isPositive();
            assertThat(engine.failures).isEmpty();
        }
    }

    @Test
    void troubleOfTheEnginesLetsTheDriverConnectAndIsCounted() throws Exception {
        engine.trouble = new IllegalStateException("out of order");
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            socket.connect(server.getLocalSocketAddress(), 5_000);
            assertThat(socket.isConnected()).isTrue();
            assertThat(engine.failures).containsExactly(engine.trouble);
        }
    }

    @Test
    void aBackendThatIsNotThereFailsInTheWordsOfTheRealSocket() throws Exception {
        engine.refusal = new ConnectException("the engine's words");
        int nobody;
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = server.getLocalPort();
        }

        assertThatThrownBy(() -> socket.connect(new InetSocketAddress("127.0.0.1", nobody), 5_000))
                .isInstanceOf(ConnectException.class)
                .hasMessage("Connection refused");
        assertThat(engine.failures).isEmpty();
    }

    @Test
    void aFullPoolIsNotCircumvented() {
        engine.refusal = new SocketTimeoutException("no place in the pool");

        assertThatThrownBy(() -> socket.connect(ADDRESS, 5_000)).isSameAs(engine.refusal);
    }

    @Test
    void aRuleThatLeadsElsewhereIsNotCircumvented() {
        engine.refusal = new ConnectException("no backend");
        engine.elsewhere = true;

        assertThatThrownBy(() -> socket.connect(ADDRESS, 5_000)).isSameAs(engine.refusal);
    }

    @Test
    void noTroubleOfOursLeadsAroundARule() {
        engine.trouble = new IllegalStateException("no trust store");
        engine.elsewhere = true;

        assertThatThrownBy(() -> socket.connect(ADDRESS, 5_000))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no trust store")
                .hasCause(engine.trouble);
    }

    @Test
    void troubleBeforeTheFirstByteLetsARealSocketTakeOver() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            socket.connect(server.getLocalSocketAddress(), 5_000);
            InputStream input = socket.getInputStream();
            OutputStream output = socket.getOutputStream();
            engine.broken = new IllegalStateException("out of order");
            CompletableFuture<Integer> first = CompletableFuture.supplyAsync(() -> readOne(input));
            try (Socket accepted = server.accept()) {
                accepted.getOutputStream().write(42);
                assertThat(first.get(20, TimeUnit.SECONDS)).isEqualTo(42);
                output.write(43);
                assertThat(accepted.getInputStream().read()).isEqualTo(43);
            }
            assertThat(engine.failures).containsExactly(engine.broken);
            assertThat(engine.closed.get()).isPositive();
        }
    }

    @Test
    void laterTroubleIsALostConnection() throws Exception {
        InputStream input = connected().getInputStream();
        engine.answer((byte) 1);
        assertThat(input.read()).isEqualTo(1);
        engine.broken = new IllegalStateException("out of order");

        assertThatThrownBy(input::read)
                .isInstanceOf(SocketException.class)
                .hasMessageContaining("out of order")
                .hasCause(engine.broken);
    }

    @Test
    void anAccountThatTheEngineCannotLogInIsConnectedByTheDriverItself() throws Exception {
        engine.refusal = new UnsupportedAccountException("dialog", "the backend wants dialog");
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            socket.connect(server.getLocalSocketAddress(), 5_000);

            assertThat(socket.isInMemory()).isFalse();
            assertThat(socket.getPort()).isEqualTo(server.getLocalPort());
            assertThat(engine.turnedBack).isSameAs(engine.refusal);
            assertThat(engine.failures).isEmpty();
        }
    }

    @Test
    void anAccountThatTheEngineCannotLogInIsRefusedWhereTheRulesLeadElsewhere() {
        engine.refusal = new UnsupportedAccountException("dialog", "the backend wants dialog");
        engine.elsewhere = true;

        assertThatThrownBy(() -> socket.connect(ADDRESS, 5_000)).isSameAs(engine.refusal);
        assertThat(engine.turnedBack).isNull();
    }
}
