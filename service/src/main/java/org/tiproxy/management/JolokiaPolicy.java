package org.tiproxy.management;

import java.util.Set;
import javax.management.ObjectName;
import org.jolokia.server.core.service.api.Restrictor;
import org.jolokia.server.core.util.HttpMethod;
import org.jolokia.server.core.util.RequestType;

/**
 * What Jolokia serves: our own domain and the JVM's standard beans. Everything else does not exist for it, above all
 * {@code com.sun.management}, whose operations write files and load native code, and Jolokia's own beans.
 *
 * <p>Names are compared, not matched: a pattern in the domain ({@code *:type=Memory}) is never allowed to operate, and
 * one that reads is checked bean by bean.
 */
final class JolokiaPolicy implements Restrictor {
    private static final Set<String> DOMAINS = Set.of("tiproxy", "java.lang", "java.nio", "java.util.logging");
    private static final String DELEGATE_DOMAIN = "JMImplementation";

    /** True if clients may see the bean at all. */
    boolean isServed(ObjectName name) {
        return DOMAINS.contains(name.getDomain()) || isDelegate(name);
    }

    @Override
    public boolean isAttributeReadAllowed(ObjectName name, String attribute) {
        return isServed(name);
    }

    @Override
    public boolean isAttributeWriteAllowed(ObjectName name, String attribute) {
        return DOMAINS.contains(name.getDomain());
    }

    @Override
    public boolean isOperationAllowed(ObjectName name, String operation) {
        return DOMAINS.contains(name.getDomain()) || isPullOfNotifications(name, operation);
    }

    @Override
    public boolean isObjectNameHidden(ObjectName name) {
        return !isServed(name);
    }

    @Override
    public boolean isTypeAllowed(RequestType type) {
        return true;
    }

    @Override
    public boolean isHttpMethodAllowed(HttpMethod method) {
        return true;
    }

    /** Not asked: the endpoint is bound to one address, and {@link BrowserGuard} has seen the request. */
    @Override
    public boolean isRemoteAccessAllowed(String... hostOrAddress) {
        return true;
    }

    /** Not asked: {@link BrowserGuard} knows the request's Host, which this method does not. */
    @Override
    public boolean isOriginAllowed(String origin, boolean onlyWhenStrict) {
        return false;
    }

    /** The one operation of Jolokia's own that a subscriber needs: it hands out the notifications of that client. */
    private static boolean isPullOfNotifications(ObjectName name, String operation) {
        return name.getDomain().equals("jolokia")
                && "NotificationStore".equals(name.getKeyProperty("type"))
                && (operation.equals("pull") || operation.startsWith("pull("));
    }

    private static boolean isDelegate(ObjectName name) {
        return name.getDomain().equals(DELEGATE_DOMAIN) && "MBeanServerDelegate".equals(name.getKeyProperty("type"));
    }
}
