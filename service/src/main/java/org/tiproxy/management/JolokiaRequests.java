package org.tiproxy.management;

import java.util.EnumSet;
import java.util.Set;
import org.jolokia.json.JSONObject;
import org.jolokia.server.core.http.HttpRequestHandler;
import org.jolokia.server.core.request.BadRequestException;
import org.jolokia.server.core.request.EmptyResponseException;
import org.jolokia.server.core.request.JolokiaNotificationRequest;
import org.jolokia.server.core.request.JolokiaRequest;
import org.jolokia.server.core.request.notification.AddCommand;
import org.jolokia.server.core.request.notification.NotificationCommand;
import org.jolokia.server.core.service.api.JolokiaContext;
import org.jolokia.server.core.util.RequestType;

/** Jolokia's request handler, with two checks that Jolokia leaves out. Every part of a bulk request passes here. */
final class JolokiaRequests extends HttpRequestHandler {
    private static final Set<RequestType> READING =
            EnumSet.of(RequestType.READ, RequestType.LIST, RequestType.SEARCH, RequestType.VERSION, RequestType.CONFIG);

    private final JolokiaPolicy policy;
    private final boolean readOnly;

    JolokiaRequests(JolokiaContext context, JolokiaPolicy policy, boolean readOnly) {
        super(context);
        this.policy = policy;
        this.readOnly = readOnly;
    }

    @Override
    protected JSONObject executeRequest(JolokiaRequest request) throws BadRequestException, EmptyResponseException {
        if (readOnly && !READING.contains(request.getType())) {
            return getErrorJSON(403, new SecurityException(BrowserGuard.READ_ONLY_REASON), request);
        }
        // Jolokia asks its policy for everything but subscriptions.
        if (request instanceof JolokiaNotificationRequest notification) {
            NotificationCommand command = notification.getCommand();
            if (command instanceof AddCommand add && !policy.isServed(add.getObjectName())) {
                return getErrorJSON(
                        403, new SecurityException("No notifications from " + add.getObjectName()), request);
            }
        }
        return super.executeRequest(request);
    }
}
