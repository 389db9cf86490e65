package org.tiproxy.agent.driver;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.util.Objects;
import java.util.Properties;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.install.Redirector;
import org.tiproxy.agent.socket.EngineSocket;
import org.tiproxy.common.Secret;
import org.tiproxy.inprocess.DriverConnection;
import org.tiproxy.inprocess.DriverProxy;

/**
 * What woven drivers call, with the point's name, the class and the values of the method: see the advices. It answers null
 * where the driver's own code shall run, and never throws. Thread-safe.
 */
public final class DriverHook implements Function<Object[], @Nullable Object> {
    /** What a session of Connector/J's has left for the factory of its socket, which the same thread calls. */
    private static final ThreadLocal<@Nullable Opening> OPENING = new ThreadLocal<>();

    private final Redirector redirector;
    private final DriverProxy proxy;
    private final DriverVersions versions = new DriverVersions();

    /** A hook in front of an engine. */
    public DriverHook(Redirector redirector, DriverProxy proxy) {
        this.redirector = redirector;
        this.proxy = proxy;
    }

    @Override
    public @Nullable Object apply(Object[] call) {
        try {
            return answer((String) call[0], (Class<?>) call[1], call);
        } catch (Bypass e) {
            redirector.bypassed(e.reason(), e.detail());
            return null;
        } catch (IOException | RuntimeException | LinkageError e) {
            redirector.failedOpen(e);
            return null;
        }
    }

    private @Nullable Object answer(String point, Class<?> driver, Object[] call) throws Bypass, IOException {
        switch (point) {
            case ConnectorJ.CONNECT -> around(call);
            case ConnectorJ.SOCKET -> {
                return socketOfThread(driver);
            }
            case ConnectorJ.TLS -> {
                Opening opening = OPENING.get();
                return inMemory(opening == null ? null : opening.socket);
            }
            case ConnectorJ.CHANGE_USER -> changeUser(socketOf(call[2]), call[3]);
            case ConnectorJ5.SOCKET -> {
                return socket(driver, ConnectorJ5.read((Properties) Objects.requireNonNull(arguments(call[2])[0])));
            }
            case MariaDb.SOCKET -> {
                return socket(driver, MariaDb.read(arguments(call[2])));
            }
            case MariaDb2.SOCKET -> {
                return socket(driver, MariaDb2.read(arguments(call[2])));
            }
            case ConnectorJ5.TLS, MariaDb.TLS, MariaDb2.TLS -> {
                return inMemory(call[2]);
            }
            case ConnectorJ5.CHANGE_USER -> changeUser(call[2], call[3]);
            default -> throw new IllegalArgumentException("no point of this agent: " + point);
        }
        return null;
    }

    private static @Nullable Object[] arguments(Object value) {
        return (Object[]) value;
    }

    /** A session of Connector/J's that begins to connect, or has ended that. */
    private static void around(Object[] call) {
        Opening current = OPENING.get();
        if (call.length > 2) {
            OPENING.set(new Opening(call[2], arguments(call[3]), current));
            return;
        }
        Opening outer = current == null ? null : current.outer;
        if (outer == null) {
            OPENING.remove();
        } else {
            OPENING.set(outer);
        }
    }

    private @Nullable Socket socketOfThread(Class<?> driver) throws Bypass, IOException {
        Opening opening = OPENING.get();
        if (opening == null) {
            throw new Bypass("not a session", "X DevAPI, or a socket factory of the application's");
        }
        // For each of the host's addresses, until one answers.
        DriverRequest request = opening.request;
        if (request == null) {
            request = ConnectorJ.read(opening.session, opening.arguments);
            opening.request = request;
        }
        EngineSocket socket = socket(driver, request);
        opening.socket = socket;
        return socket;
    }

    private @Nullable EngineSocket socket(Class<?> driver, DriverRequest request) throws Bypass, SocketException {
        if (DriverCallers.isForXa()) {
            throw new Bypass("XA data source", "");
        }
        redirector.driverSeen(versions.of(driver, request.family()));
        EngineOpener opener = new EngineOpener(request, redirector, proxy);
        return opener.isWanted() ? new EngineSocket(opener, request.announceTls()) : null;
    }

    /** True, which leaves the method out, or null. */
    private static @Nullable Boolean inMemory(@Nullable Object socket) {
        return (socket instanceof EngineSocket engine && engine.isInMemory()) ? Boolean.TRUE : null;
    }

    private static @Nullable Object socketOf(Object protocol) {
        Object connection = DriverOptions.call(protocol, "getSocketConnection");
        return connection == null ? null : DriverOptions.call(connection, "getMysqlSocket");
    }

    private static void changeUser(@Nullable Object socket, Object values) {
        DriverConnection connection = socket instanceof EngineSocket engine ? engine.connection() : null;
        if (connection != null) {
            @Nullable Object[] arguments = arguments(values);
            connection.expectUser(Objects.toString(arguments[0], ""), new Secret(Objects.toString(arguments[1], "")));
        }
    }

    /** One call of a session's {@code connect}: the password is gone when that is over. */
    private static final class Opening {
        private final Object session;
        private final @Nullable Object[] arguments;
        private final @Nullable Opening outer;
        private @Nullable DriverRequest request;
        private @Nullable EngineSocket socket;

        Opening(Object session, @Nullable Object[] arguments, @Nullable Opening outer) {
            this.session = session;
            this.arguments = arguments;
            this.outer = outer;
        }
    }
}
