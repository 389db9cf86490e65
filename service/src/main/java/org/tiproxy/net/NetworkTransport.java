package org.tiproxy.net;

import io.netty.channel.ChannelFactory;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

/** Which of the operating system's interfaces carries the sockets. */
public enum NetworkTransport {
    /** epoll where it works, NIO elsewhere. */
    AUTO,
    /** Linux's epoll through Netty's native library. */
    EPOLL,
    /** The JDK's NIO, everywhere. */
    NIO;

    /** The kernel's number for the state ESTABLISHED. */
    private static final int TCP_ESTABLISHED = 1;

    /** The kernel's number for the state CLOSE (include/net/tcp_states.h). */
    private static final int TCP_CLOSE = 7;

    /**
     * EPOLL or NIO.
     *
     * @throws ProxyException if EPOLL was asked for and does not work here
     */
    NetworkTransport resolved() throws ProxyException {
        if (this == EPOLL && !Epoll.isAvailable()) {
            throw new ProxyException(
                    ProxyError.INTERNAL,
                    "proxy.transport = \"epoll\" does not work on this machine (" + Epoll.unavailabilityCause()
                            + "): use \"auto\" or \"nio\"");
        }
        return this == AUTO ? (Epoll.isAvailable() ? EPOLL : NIO) : this;
    }

    IoHandlerFactory ioHandlerFactory() {
        return this == EPOLL ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    }

    ChannelFactory<? extends ServerChannel> serverChannelFactory() {
        return this == EPOLL ? EpollServerSocketChannel::new : NioServerSocketChannel::new;
    }

    /** Whether the kernel has given the connection up; false where it cannot be asked (NIO). */
    boolean wasReset(SocketChannel channel) {
        return channel instanceof EpollSocketChannel epoll
                && epoll.isOpen()
                && epoll.tcpInfo().state() == TCP_CLOSE;
    }

    /**
     * Whether the kernel has not yet heard of an end or a reset, though nobody has read so far; true where it cannot be
     * asked (NIO). On the channel's event loop.
     */
    boolean isEstablished(SocketChannel channel) {
        return !(channel instanceof EpollSocketChannel epoll)
                || (epoll.isOpen() && epoll.tcpInfo().state() == TCP_ESTABLISHED);
    }

    ChannelFactory<? extends SocketChannel> socketChannelFactory() {
        return this == EPOLL ? EpollSocketChannel::new : NioSocketChannel::new;
    }
}
