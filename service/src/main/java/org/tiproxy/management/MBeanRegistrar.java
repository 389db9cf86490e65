package org.tiproxy.management;

import java.util.ArrayDeque;
import java.util.Deque;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Registers beans in the domain {@code tiproxy} and takes them off again in reverse order. */
public final class MBeanRegistrar implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(MBeanRegistrar.class);

    private final MBeanServer server;
    private final Deque<ObjectName> registered = new ArrayDeque<>();

    /** A registrar for one MBean server. */
    public MBeanRegistrar(MBeanServer server) {
        this.server = server;
    }

    /**
     * Registers {@code bean}.
     *
     * @param properties the name's key properties, for example {@code type=Proxy,name=default}
     * @throws IllegalStateException if the name is taken
     */
    public synchronized void register(Object bean, String properties) {
        try {
            ObjectName name = new ObjectName("tiproxy:" + properties);
            server.registerMBean(bean, name);
            registered.push(name);
        } catch (MalformedObjectNameException e) {
            throw new IllegalArgumentException("not an object name: tiproxy:" + properties, e);
        } catch (JMException e) {
            throw new IllegalStateException("cannot register tiproxy:" + properties + ": " + e.getMessage(), e);
        }
    }

    /** Takes one of them off; nothing happens if there is none with this name. */
    public synchronized void unregister(String properties) {
        try {
            ObjectName name = new ObjectName("tiproxy:" + properties);
            if (registered.remove(name)) {
                unregister(name);
            }
        } catch (MalformedObjectNameException e) {
            throw new IllegalArgumentException("not an object name: tiproxy:" + properties, e);
        }
    }

    @Override
    public synchronized void close() {
        while (!registered.isEmpty()) {
            unregister(registered.pop());
        }
    }

    private void unregister(ObjectName name) {
        try {
            server.unregisterMBean(name);
        } catch (JMException e) {
            log.debug("could not take {} off the MBean server", name, e);
        }
    }
}
