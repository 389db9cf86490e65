package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tiproxy.session.BackendTalk;

@Timeout(30)
class PooledConnectionTest {
    private final MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private final EventLoop first = loops.next();
    private final EventLoop second = loops.next();
    private ServerSocket server;
    private SocketChannel channel;
    private PooledConnection connection;

    @BeforeEach
    void connect() throws Exception {
        server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        channel = new NioSocketChannel();
        connection = new PooledConnection(channel);
        channel.pipeline().addLast(connection);
        first.register(channel).sync();
        channel.connect(server.getLocalSocketAddress()).sync();
    }

    @AfterEach
    void close() throws Exception {
        server.close();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
    }

    /** Why the connection is lost, if it is. */
    private Optional<String> move(EventLoop loop) {
        CompletableFuture<Optional<String>> moved = new CompletableFuture<>();
        connection.moveTo(loop, lost -> {
            assertThat(loop.inEventLoop()).isTrue();
            assertThat(moved.complete(Optional.ofNullable(lost))).isTrue();
        });
        return moved.join();
    }

    @Test
    void whatTheBackendSaysIsHeardOnTheOtherEventLoop() throws Exception {
        assertThat(move(second)).isEmpty();
        assertThat(move(second)).isEmpty();
        assertThat(channel.eventLoop()).isSameAs(second);
        CompletableFuture<Byte> heard = new CompletableFuture<>();
        second.submit(() -> connection.talk(
                        new BackendTalk() {
                            @Override
                            public void bytes(ByteBuffer chunk) {
                                heard.complete(chunk.get());
                            }

                            @Override
                            public boolean isOver() {
                                return heard.isDone();
                            }
                        },
                        Duration.ofSeconds(20),
                        lost -> {
                            if (lost != null) {
                                heard.completeExceptionally(new AssertionError(lost));
                            }
                        }))
                .sync();
        try (Socket backend = server.accept()) {
            backend.getOutputStream().write('x');
            assertThat(heard.join()).isEqualTo((byte) 'x');
            assertThat(move(first)).isEmpty();
        }
    }

    @Test
    void aConnectionThatIsClosedBetweenTheEventLoopsIsReportedAsLost() {
        channel.pipeline().addFirst(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelUnregistered(ChannelHandlerContext ctx) {
                ctx.channel().close();
            }
        });
        assertThat(move(second)).contains("closed by the backend");
        assertThat(connection.isAlive()).isFalse();
    }

    @Test
    void aConnectionThatIsClosedAlreadyIsReportedAsLost() throws Exception {
        channel.close().sync();
        assertThat(move(second)).contains("closed by the backend");
        assertThat(connection.isAlive()).isFalse();
    }
}
