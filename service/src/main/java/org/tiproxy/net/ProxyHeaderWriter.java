package org.tiproxy.net;

import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.haproxy.HAProxyCommand;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.codec.haproxy.HAProxyMessageEncoder;
import io.netty.handler.codec.haproxy.HAProxyProtocolVersion;
import io.netty.handler.codec.haproxy.HAProxyProxiedProtocol;
import io.netty.util.NetUtil;
import java.net.Inet4Address;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/** Begins a connection with a PROXY header of version 2. */
final class ProxyHeaderWriter {
    private ProxyHeaderWriter() {}

    /**
     * Writes the header to a connected channel to which nothing was written.
     *
     * @param connection what it says; null for a connection on the proxy's own behalf
     */
    static void write(SocketChannel channel, @Nullable ProxiedConnection connection) {
        channel.pipeline().addFirst(HAProxyMessageEncoder.INSTANCE);
        channel.writeAndFlush(message(connection), channel.voidPromise());
        channel.pipeline().remove(HAProxyMessageEncoder.INSTANCE);
    }

    private static HAProxyMessage message(@Nullable ProxiedConnection connection) {
        if (connection == null) {
            return new HAProxyMessage(
                    HAProxyProtocolVersion.V2, HAProxyCommand.LOCAL, HAProxyProxiedProtocol.UNKNOWN, null, null, 0, 0);
        }
        InetAddress source = connection.source().getAddress();
        InetAddress destination = connection.destination().getAddress();
        boolean ipv4 = source instanceof Inet4Address && destination instanceof Inet4Address;
        return new HAProxyMessage(
                HAProxyProtocolVersion.V2,
                HAProxyCommand.PROXY,
                ipv4 ? HAProxyProxiedProtocol.TCP4 : HAProxyProxiedProtocol.TCP6,
                text(source, ipv4),
                text(destination, ipv4),
                connection.source().getPort(),
                connection.destination().getPort());
    }

    /** Both addresses of a header have the same family. */
    private static String text(InetAddress address, boolean ipv4) {
        String text = NetUtil.toAddressString(address);
        return address instanceof Inet4Address && !ipv4 ? "::ffff:" + text : text;
    }
}
