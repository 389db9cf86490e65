package org.tiproxy.management;

import java.io.IOException;
import java.net.BindException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.rmi.AlreadyBoundException;
import java.rmi.NoSuchObjectException;
import java.rmi.RemoteException;
import java.rmi.registry.LocateRegistry;
import java.rmi.registry.Registry;
import java.rmi.server.UnicastRemoteObject;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import javax.management.MBeanServer;
import javax.management.remote.JMXConnectorServer;
import javax.management.remote.JMXServiceURL;
import javax.management.remote.rmi.RMIConnectorServer;
import javax.management.remote.rmi.RMIJRMPServerImpl;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;

/**
 * JMX over RMI for jconsole, jmxterm and the like, with the RMI registry and the RMI server on one port of exactly the
 * configured address.
 *
 * <p>RMI writes a host name into what it hands to clients, and has one such name per JVM, in the system property
 * {@code java.rmi.server.hostname}. Left alone it is whatever the machine's host name resolves to, which often is not
 * where this connector listens. So the property is set to the bound address unless the user has set it, and is removed
 * by {@link #close}.
 *
 * <p>RMI keeps a thread that is not a daemon while something is exported: a JVM that should end by itself must
 * {@link #close} the connector first. All methods are safe for use by several threads.
 */
public final class JmxConnector implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(JmxConnector.class);

    private static final String BOUND_NAME = "jmxrmi";
    private static final String RMI_HOST_PROPERTY = "java.rmi.server.hostname";
    private static final String RMI_GC_INTERVAL_PROPERTY = "sun.rmi.dgc.server.gcInterval";

    /** What may arrive as a login: two strings, or nothing where there is no authentication. */
    private static final String CREDENTIALS_FILTER = "maxarray=2;maxdepth=2;maxbytes=4096;java.lang.String;!*";

    /** What may arrive as an argument: JMX's own types, and the values and collections of the Java language. */
    private static final String ARGUMENTS_FILTER = "maxdepth=20;maxarray=10000;maxrefs=50000;maxbytes=1000000;"
            + "java.base/java.lang.*;java.base/java.math.*;java.base/java.util.*;java.rmi/java.rmi.MarshalledObject;"
            + "java.management/javax.management.*;java.management/javax.management.openmbean.*;!*";

    private final BoundServerSocketFactory sockets;
    private final @Nullable String advertisedHost;
    private @Nullable Registry registry;
    private @Nullable JMXConnectorServer server;

    private JmxConnector(BoundServerSocketFactory sockets, @Nullable String advertisedHost) {
        this.sockets = sockets;
        this.advertisedHost = advertisedHost;
    }

    /**
     * Listens and serves.
     *
     * @param config with an address; port 0 takes a free port, see {@link #address}
     * @param beans what clients see and operate
     * @throws IOException with a sentence for the user if the address cannot be used
     */
    public static JmxConnector start(JmxConfig config, MBeanServer beans) throws IOException {
        HostPort wanted = Objects.requireNonNull(config.address(), "jmx.addr is off");
        InetAddress host = Listening.resolve("JMX", "jmx.addr", wanted);
        Listening.requireLogin("JMX", "jmx", wanted, host, config.user(), config.password());

        // RMI asks for a full garbage collection every hour; nothing here needs that. Read once per JVM.
        setUnlessSet(RMI_GC_INTERVAL_PROPERTY, Long.toString(Long.MAX_VALUE - 1));
        String advertised = setUnlessSet(RMI_HOST_PROPERTY, reachableAddress(host));
        JmxConnector connector = new JmxConnector(new BoundServerSocketFactory(host), advertised);
        try {
            connector.export(wanted.port(), environment(config), beans);
        } catch (IOException e) {
            connector.close();
            throw e.getCause() instanceof BindException bind
                    ? Listening.failed("JMX", "jmx.addr", wanted, bind)
                    : Listening.failed("JMX", "jmx.addr", wanted, e);
        }
        log.info("JMX at {}{}", connector.url(), config.user() == null ? "" : " (with authentication)");
        return connector;
    }

    /** Where it listens, with the literal address and the real port. */
    public HostPort address() {
        return HostPort.of(sockets.address());
    }

    /** What a JMX client is given. */
    public String url() {
        InetSocketAddress bound = sockets.address();
        HostPort reachable = new HostPort(reachableAddress(bound.getAddress()), bound.getPort());
        return "service:jmx:rmi:///jndi/rmi://" + reachable + "/" + BOUND_NAME;
    }

    /** Ends all JMX connections and frees the port. Does nothing when called again. */
    @Override
    public synchronized void close() {
        try {
            if (server != null) {
                server.stop();
            }
            if (registry != null) {
                UnicastRemoteObject.unexportObject(registry, true);
            }
        } catch (NoSuchObjectException e) {
            log.debug("The RMI registry was not exported any more", e);
        } catch (IOException e) {
            log.warn("JMX at {} did not stop cleanly: {}", sockets, e.toString());
        } finally {
            server = null;
            registry = null;
            // RMI itself never closes a socket that was asked for with port 0.
            sockets.close();
            if (advertisedHost != null && advertisedHost.equals(System.getProperty(RMI_HOST_PROPERTY))) {
                System.clearProperty(RMI_HOST_PROPERTY);
            }
        }
    }

    private synchronized void export(int port, Map<String, Object> environment, MBeanServer beans) throws IOException {
        // The same port and the same factory, also when the port is 0, makes RMI share one server socket.
        Registry created = LocateRegistry.createRegistry(port, null, sockets);
        registry = created;
        RMIJRMPServerImpl rmiServer = new RMIJRMPServerImpl(port, null, sockets, environment);
        RMIConnectorServer connector =
                new RMIConnectorServer(new JMXServiceURL("service:jmx:rmi://"), environment, rmiServer, beans);
        connector.setMBeanServerForwarder(JmxAccessPolicy.forwarder());
        connector.start();
        server = connector;
        try {
            created.bind(BOUND_NAME, rmiServer.toStub());
        } catch (AlreadyBoundException e) {
            throw new RemoteException("A new registry is not empty", e);
        }
    }

    private static Map<String, Object> environment(JmxConfig config) {
        Map<String, Object> environment = new HashMap<>();
        environment.put(RMIConnectorServer.CREDENTIALS_FILTER_PATTERN, CREDENTIALS_FILTER);
        environment.put(RMIConnectorServer.SERIAL_FILTER_PATTERN, ARGUMENTS_FILTER);
        String user = config.user();
        Secret password = config.password();
        if (user != null && password != null) {
            environment.put(JMXConnectorServer.AUTHENTICATOR, new JmxPasswordAuthenticator(user, password));
        }
        return environment;
    }

    /** The bound address, or for "every local address" one that other machines can reach, without asking DNS. */
    static String reachableAddress(InetAddress bound) {
        if (!bound.isAnyLocalAddress()) {
            return bound.getHostAddress();
        }
        try {
            Optional<InetAddress> best = NetworkInterface.networkInterfaces()
                    .flatMap(NetworkInterface::inetAddresses)
                    .filter(address -> !address.isLoopbackAddress() && !address.isLinkLocalAddress())
                    .min(Comparator.comparing(address -> address instanceof Inet4Address ? 0 : 1));
            return best.orElse(InetAddress.getLoopbackAddress()).getHostAddress();
        } catch (SocketException e) {
            return InetAddress.getLoopbackAddress().getHostAddress();
        }
    }

    /** Returns the value if it was set here, null if the user had set one. */
    private static @Nullable String setUnlessSet(String property, String value) {
        return System.getProperties().putIfAbsent(property, value) == null ? value : null;
    }
}
