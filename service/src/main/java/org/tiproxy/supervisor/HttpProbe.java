package org.tiproxy.supervisor;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/** Ready means: an HTTP GET is answered with a 2xx or 3xx status; redirects are not followed. */
final class HttpProbe implements ReadinessProbe {
    private static final int MAX_BODY = 65_536;

    private final URI uri;

    /** @throws IllegalArgumentException if {@code uri} is no http or https URL */
    HttpProbe(@Nullable URI uri) {
        if (uri == null
                || !uri.isAbsolute()
                || !("http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme()))) {
            throw new IllegalArgumentException("the HTTP probe needs an http or https URL, not " + uri);
        }
        this.uri = uri;
    }

    @Override
    public Closeable ask(int timeoutMillis) throws IOException {
        // A proxy that the environment names for the Internet has no business between us and our child.
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection(Proxy.NO_PROXY);
        connection.setConnectTimeout(timeoutMillis);
        connection.setReadTimeout(timeoutMillis);
        connection.setInstanceFollowRedirects(false);
        connection.setUseCaches(false);
        connection.setRequestProperty("Connection", "close");
        int status;
        try {
            status = connection.getResponseCode();
        } catch (IOException | RuntimeException e) {
            connection.disconnect();
            throw e;
        }
        if (status < 200 || status > 399) {
            close(connection);
            throw new IOException("HTTP status " + status);
        }
        return () -> close(connection);
    }

    private static void close(HttpURLConnection connection) throws IOException {
        // Null for a bad status without a body; getInputStream would throw there.
        InputStream error = connection.getErrorStream();
        boolean bad = connection.getResponseCode() >= 400;
        try (InputStream body = bad ? error : connection.getInputStream()) {
            if (body != null) {
                body.readNBytes(MAX_BODY);
            }
        } finally {
            connection.disconnect();
        }
    }
}
