package org.tiproxy.net;

import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.socket.nio.NioChannelOption;
import java.net.SocketOption;
import jdk.net.ExtendedSocketOptions;

/** What every relayed socket gets. */
final class SocketOptions {
    // A dead peer is noticed after 60 s + 6 * 10 s: two minutes, where the operating system's default is two hours.
    private static final int KEEP_IDLE_SECONDS = 60;
    private static final int KEEP_INTERVAL_SECONDS = 10;
    private static final int KEEP_COUNT = 6;

    private static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(32 * 1024, 64 * 1024);

    private final boolean keepAlive;
    private final NetworkTransport transport;
    private final boolean halfClose;

    /**
     * Options for every socket of a listener.
     *
     * @param halfClose whether one side may end its output and still be answered; if not, that closes the socket
     */
    SocketOptions(boolean keepAlive, boolean halfClose, NetworkTransport transport) {
        this.keepAlive = keepAlive;
        this.halfClose = halfClose;
        this.transport = transport;
    }

    void apply(ChannelConfig config) {
        config.setAutoRead(false);
        config.setAutoClose(!halfClose);
        config.setOption(ChannelOption.ALLOW_HALF_CLOSURE, halfClose);
        config.setOption(ChannelOption.TCP_NODELAY, true);
        config.setWriteBufferWaterMark(WATER_MARK);
        if (keepAlive) {
            config.setOption(ChannelOption.SO_KEEPALIVE, true);
            if (transport == NetworkTransport.EPOLL) {
                config.setOption(EpollChannelOption.TCP_KEEPIDLE, KEEP_IDLE_SECONDS);
                config.setOption(EpollChannelOption.TCP_KEEPINTVL, KEEP_INTERVAL_SECONDS);
                config.setOption(EpollChannelOption.TCP_KEEPCNT, KEEP_COUNT);
            } else {
                set(config, ExtendedSocketOptions.TCP_KEEPIDLE, KEEP_IDLE_SECONDS);
                set(config, ExtendedSocketOptions.TCP_KEEPINTERVAL, KEEP_INTERVAL_SECONDS);
                set(config, ExtendedSocketOptions.TCP_KEEPCOUNT, KEEP_COUNT);
            }
        }
    }

    private static void set(ChannelConfig config, SocketOption<Integer> option, int value) {
        // False where the operating system does not have it; then its own default stays.
        boolean known = config.setOption(NioChannelOption.of(option), value);
        assert known || !System.getProperty("os.name").equals("Linux");
    }
}
