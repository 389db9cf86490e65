package org.tiproxy.management;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jolokia.json.JSONObject;
import org.jolokia.json.JSONStructure;
import org.jolokia.server.core.request.BadRequestException;
import org.jolokia.server.core.request.EmptyResponseException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Between the HTTP server and Jolokia. Jolokia's answers, its errors too, are HTTP 200 with a {@code status} inside, as
 * its clients expect; what is refused before Jolokia sees it has the HTTP status as well. Addresses are never looked up.
 */
final class JolokiaExchangeHandler implements HttpHandler {
    private static final Logger log = LoggerFactory.getLogger(JolokiaExchangeHandler.class);

    private static final int MAX_BODY_BYTES = 1024 * 1024;

    private final BrowserGuard guard;
    private final CompletableFuture<JolokiaBackend> backend;
    /** One party for each request that is being answered, and one for the endpoint itself. */
    private final Phaser answering = new Phaser(1);

    JolokiaExchangeHandler(BrowserGuard guard, CompletableFuture<JolokiaBackend> backend) {
        this.guard = guard;
        this.backend = backend;
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        answering.register();
        try {
            handleRegistered(exchange);
        } finally {
            answering.arriveAndDeregister();
        }
    }

    /** Waits until the requests of this moment are answered, {@code millis} at most: one of them may be a shutdown. */
    void awaitAnswers(long millis) {
        try {
            answering.awaitAdvanceInterruptibly(answering.arriveAndDeregister(), millis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            log.debug("{} requests are cut off unanswered", answering.getUnarrivedParties());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void handleRegistered(HttpExchange exchange) throws IOException {
        try (exchange) {
            BrowserGuard.Decision decision = guard.decide(
                    exchange.getRequestHeaders(), exchange.getLocalAddress().getAddress());
            if (decision.access() == BrowserGuard.Access.REFUSED) {
                answer(exchange, 403, error(403, decision.reason()));
                return;
            }
            try {
                answer(exchange, decision.access() == BrowserGuard.Access.READ_ONLY);
            } catch (BadRequestException | IllegalArgumentException | IllegalStateException e) {
                // The last two are what Jolokia's parsers throw; the operations' own errors are answers already.
                answer(exchange, 400, error(400, String.valueOf(e.getMessage())));
            } catch (EmptyResponseException e) {
                answer(exchange, 400, error(400, "This kind of request has no answer here"));
            } catch (CompletionException e) {
                answer(exchange, 503, error(503, "Jolokia did not start; the log of the service says why"));
            } catch (RuntimeException e) {
                log.warn("Jolokia failed to answer {}", exchange.getRequestURI().getPath(), e);
                answer(exchange, 500, error(500, "An unexpected error, which the log of the service describes"));
            }
        }
    }

    private void answer(HttpExchange exchange, boolean readOnly)
            throws IOException, BadRequestException, EmptyResponseException {
        URI uri = exchange.getRequestURI();
        String path = uri.getPath().substring(JolokiaEndpoint.CONTEXT.length());
        // The HTTP server matches any path that starts with the context, as in /jolokia2.
        if (!path.isEmpty() && !path.startsWith("/")) {
            answer(exchange, 404, error(404, "Nothing is here; try " + JolokiaEndpoint.CONTEXT));
            return;
        }
        String method = exchange.getRequestMethod();
        JSONStructure result;
        switch (method) {
            case "GET" -> {
                JolokiaRequests requests = backend.join().requests(readOnly);
                result = requests.handleGetRequest(uri.toString(), path.replaceFirst("^/+", ""), parameters(uri));
            }
            case "POST" -> {
                byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY_BYTES + 1);
                if (body.length > MAX_BODY_BYTES) {
                    answer(exchange, 413, error(413, "The request is longer than " + MAX_BODY_BYTES + " bytes"));
                    return;
                }
                JolokiaRequests requests = backend.join().requests(readOnly);
                result = requests.handlePostRequest(
                        uri.toString(), new ByteArrayInputStream(body), "UTF-8", parameters(uri));
            }
            default -> {
                exchange.getResponseHeaders().set("Allow", "GET, POST");
                answer(exchange, 405, error(405, "The method " + method + " is not supported, only GET and POST"));
                return;
            }
        }
        answer(exchange, 200, result);
    }

    private static void answer(HttpExchange exchange, int status, JSONStructure json) throws IOException {
        byte[] body = json.toJSONString().getBytes(StandardCharsets.UTF_8);
        Headers headers = exchange.getResponseHeaders();
        headers.set("Content-Type", "application/json; charset=utf-8");
        headers.set("Cache-Control", "no-store");
        // An answer is never a script, a style sheet or a page, whatever a browser would make of it.
        headers.set("X-Content-Type-Options", "nosniff");
        boolean withoutBody = exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(status, withoutBody ? -1 : body.length);
        if (!withoutBody) {
            exchange.getResponseBody().write(body);
        }
    }

    private static JSONObject error(int status, String message) {
        JSONObject json = new JSONObject();
        json.put("status", status);
        json.put("error", message);
        return json;
    }

    /** The query's parameters; Jolokia expects arrays but reads only the first element. */
    private static Map<String, @Nullable String[]> parameters(URI uri) {
        Map<String, @Nullable String[]> parameters = new HashMap<>();
        String query = uri.getRawQuery();
        if (query != null) {
            for (String pair : query.split("&", -1)) {
                int equals = pair.indexOf('=');
                if (equals > 0) {
                    parameters.putIfAbsent(
                            decoded(pair.substring(0, equals)), new String[] {decoded(pair.substring(equals + 1))});
                }
            }
        }
        return parameters;
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
