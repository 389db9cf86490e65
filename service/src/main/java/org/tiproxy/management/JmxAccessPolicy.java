package org.tiproxy.management;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Set;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.remote.MBeanServerForwarder;
import org.jspecify.annotations.Nullable;

/**
 * What a JMX client may not do, whoever it is: create or remove beans, because that loads code (an MLet loads it from
 * any URL), and write or invoke anything in the JVM's diagnostic domains, whose operations load native agents and write
 * files. Reading is free, and tools that attach to the process locally, as the same user, are not affected.
 *
 * <p>The class loader methods of {@link MBeanServer} stay open: the connector itself needs them to read arguments, and
 * they are not part of what a client can call.
 */
final class JmxAccessPolicy implements InvocationHandler {
    private static final Set<String> REFUSED_METHODS =
            Set.of("createMBean", "registerMBean", "unregisterMBean", "instantiate");
    private static final Set<String> CHANGING_METHODS = Set.of("invoke", "setAttribute", "setAttributes");
    private static final Set<String> READ_ONLY_DOMAINS = Set.of("com.sun.management", "jdk.management.jfr");

    private @Nullable MBeanServer beans;

    private JmxAccessPolicy() {}

    /** A forwarder that checks every call. */
    static MBeanServerForwarder forwarder() {
        return (MBeanServerForwarder) Proxy.newProxyInstance(
                JmxAccessPolicy.class.getClassLoader(),
                new Class<?>[] {MBeanServerForwarder.class},
                new JmxAccessPolicy());
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args) throws Throwable {
        String name = method.getName();
        if (name.equals("getMBeanServer")) {
            return beans;
        }
        if (name.equals("setMBeanServer") && args != null) {
            beans = (MBeanServer) args[0];
            return null;
        }
        if (REFUSED_METHODS.contains(name)) {
            throw new SecurityException(name + " is not allowed over this JMX connector");
        }
        if (CHANGING_METHODS.contains(name)
                && args != null
                && args[0] instanceof ObjectName bean
                && READ_ONLY_DOMAINS.contains(bean.getDomain())) {
            throw new SecurityException(
                    "The domain " + bean.getDomain() + " is read-only over this JMX connector; attach locally instead");
        }
        try {
            return method.invoke(beans, args);
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
    }
}
