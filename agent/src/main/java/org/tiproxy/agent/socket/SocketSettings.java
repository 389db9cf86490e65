package org.tiproxy.agent.socket;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What was set on a socket that has no connection of its own: answered when asked for, and applied to the real socket if
 * one is needed after all. Thread-safe.
 */
final class SocketSettings {
    /** As a socket of the JDK's on Linux says before it is connected. */
    private static final int BUFFER_SIZE = 65_536;

    private static final int NO_LINGER = -1;

    private final Map<SocketOption<?>, Object> options = new ConcurrentHashMap<>();
    private volatile int soTimeout;
    private volatile boolean oobInline;
    private volatile int @Nullable [] preferences;
    private volatile @Nullable SocketAddress local;

    /** What every socket knows, and what was set besides. */
    Set<SocketOption<?>> supported() {
        Set<SocketOption<?>> all = new HashSet<>(options.keySet());
        all.addAll(Set.of(
                StandardSocketOptions.TCP_NODELAY,
                StandardSocketOptions.SO_KEEPALIVE,
                StandardSocketOptions.SO_LINGER,
                StandardSocketOptions.SO_RCVBUF,
                StandardSocketOptions.SO_SNDBUF,
                StandardSocketOptions.SO_REUSEADDR,
                StandardSocketOptions.IP_TOS));
        return all;
    }

    <T> void set(SocketOption<T> option, @Nullable T value) {
        if (value == null) {
            options.remove(option);
        } else {
            options.put(option, value);
        }
    }

    /** What was set, or what a new socket has; null for what this class does not know. */
    @Nullable
    Object get(SocketOption<?> option) {
        Object value = options.get(option);
        return value != null ? value : initial(option);
    }

    private static @Nullable Object initial(SocketOption<?> option) {
        if (option == StandardSocketOptions.SO_LINGER) {
            return NO_LINGER;
        }
        if (option == StandardSocketOptions.SO_RCVBUF || option == StandardSocketOptions.SO_SNDBUF) {
            return BUFFER_SIZE;
        }
        if (option == StandardSocketOptions.IP_TOS) {
            return 0;
        }
        return option.type() == Boolean.class ? (Object) false : null;
    }

    boolean flag(SocketOption<Boolean> option) {
        return Boolean.TRUE.equals(get(option));
    }

    int number(SocketOption<Integer> option) {
        return get(option) instanceof Integer value ? value : 0;
    }

    int soTimeout() {
        return soTimeout;
    }

    void setSoTimeout(int millis) {
        soTimeout = millis;
    }

    boolean oobInline() {
        return oobInline;
    }

    void setOobInline(boolean on) {
        oobInline = on;
    }

    void setPreferences(int connectionTime, int latency, int bandwidth) {
        preferences = new int[] {connectionTime, latency, bandwidth};
    }

    void bind(@Nullable SocketAddress address) {
        local = address == null ? new InetSocketAddress(0) : address;
    }

    boolean isBound() {
        return local != null;
    }

    @Nullable
    InetAddress localAddress() {
        return local instanceof InetSocketAddress address ? address.getAddress() : null;
    }

    /** Sets everything on a real socket that is not connected yet. */
    void applyTo(Socket real) throws IOException {
        int[] wanted = preferences;
        if (wanted != null) {
            real.setPerformancePreferences(wanted[0], wanted[1], wanted[2]);
        }
        for (Map.Entry<SocketOption<?>, Object> option : new LinkedHashMap<>(options).entrySet()) {
            apply(real, option.getKey(), option.getValue());
        }
        real.setSoTimeout(soTimeout);
        if (oobInline) {
            real.setOOBInline(true);
        }
        SocketAddress address = local;
        if (address != null) {
            real.bind(address);
        }
    }

    private static <T> void apply(Socket real, SocketOption<T> option, Object value) throws IOException {
        if (option == StandardSocketOptions.SO_LINGER && value.equals(NO_LINGER)) {
            real.setSoLinger(false, 0);
            return;
        }
        try {
            real.setOption(option, option.type().cast(value));
        } catch (UnsupportedOperationException e) {
            SocketException failure =
                    new SocketException("the socket option " + option.name() + " is not supported here");
            failure.initCause(e);
            throw failure;
        }
    }
}
