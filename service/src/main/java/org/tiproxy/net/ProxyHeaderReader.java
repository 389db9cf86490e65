package org.tiproxy.net;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.codec.haproxy.HAProxyMessageDecoder;
import io.netty.handler.codec.haproxy.HAProxyProtocolException;
import io.netty.handler.codec.haproxy.HAProxyProxiedProtocol.AddressFamily;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reads the PROXY header that a connection begins with, then takes itself out of the pipeline: what follows the header
 * goes to the session. A broken header closes the connection at once, as the protocol's specification demands; after a
 * missing one there is time to say so.
 */
final class ProxyHeaderReader extends ChannelInboundHandlerAdapter {
    /** Who waits for the header. */
    interface Recipient {
        /**
         * The header is complete.
         *
         * @param connection what it says; null if it names no client: a health check, or a client that has no IP address
         */
        void headerRead(@Nullable ProxiedConnection connection);

        /** There is no header, or a broken one; the text says which. */
        void headerFailed(String text);
    }

    /** Room for what load balancers add behind the addresses: names, TLS details, ids. */
    private static final int MAX_ADDITIONS = 2048;

    private static final int MAX_HEADER = 16 + 216 + MAX_ADDITIONS;

    private final Duration timeout;
    private final Recipient recipient;
    private @Nullable Future<?> timer;
    private boolean failed;

    private ProxyHeaderReader(Duration timeout, Recipient recipient) {
        this.timeout = timeout;
        this.recipient = recipient;
    }

    /** Puts a reader in front of everything else in the pipeline. */
    static void install(ChannelPipeline pipeline, Duration timeout, Recipient recipient) {
        pipeline.addFirst(new Decoder(), new ProxyHeaderReader(timeout, recipient));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        timer = ctx.executor()
                .schedule(
                        () -> fail("no complete PROXY header came within " + timeout.toMillis() + " ms"),
                        timeout.toNanos(),
                        TimeUnit.NANOSECONDS);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        Future<?> pending = timer;
        if (pending != null) {
            pending.cancel(false);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (failed) {
            ReferenceCountUtil.release(message);
            return;
        }
        if (!(message instanceof HAProxyMessage header)) {
            // Bytes in front of the end of a header never come this far.
            ctx.fireChannelRead(message);
            return;
        }
        ProxiedConnection connection;
        try {
            connection = connection(header);
        } finally {
            header.release();
        }
        ctx.pipeline().remove(this);
        recipient.headerRead(connection);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof IOException) {
            ctx.fireExceptionCaught(cause);
        } else if (!failed) {
            Throwable root =
                    cause instanceof HAProxyProtocolException && cause.getCause() != null ? cause.getCause() : cause;
            fail("the PROXY header is broken: " + root.getMessage());
        }
    }

    /** Stays in the pipeline: the decoder may find more to complain of in what follows, which is of no interest. */
    private void fail(String text) {
        failed = true;
        Future<?> pending = timer;
        if (pending != null) {
            pending.cancel(false);
        }
        recipient.headerFailed(text);
    }

    private static @Nullable ProxiedConnection connection(HAProxyMessage header) {
        AddressFamily family = header.proxiedProtocol().addressFamily();
        if (family != AddressFamily.AF_IPv4 && family != AddressFamily.AF_IPv6) {
            return null;
        }
        // Literal addresses, which the decoder has checked: nothing is looked up.
        return new ProxiedConnection(
                new InetSocketAddress(header.sourceAddress(), header.sourcePort()),
                new InetSocketAddress(header.destinationAddress(), header.destinationPort()));
    }

    /** Netty's decoder, which waits without end for some wrong beginnings. */
    private static final class Decoder extends HAProxyMessageDecoder {
        Decoder() {
            super(MAX_ADDITIONS);
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
            super.channelRead(ctx, message);
            if (!ctx.isRemoved() && actualReadableBytes() > MAX_HEADER) {
                throw new HAProxyProtocolException("found none in the first " + MAX_HEADER + " bytes");
            }
        }
    }
}
