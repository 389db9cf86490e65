package org.tiproxy.it;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;

/** A child for the supervisor: an HTTP server that says its pid, its path, and goes slowly when asked to. */
final class HttpChild {
    private HttpChild() {}

    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0])), 200);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", exchange -> {
            byte[] body = ("pid " + ProcessHandle.current().pid() + " path " + exchange.getRequestURI())
                    .getBytes(StandardCharsets.UTF_8);
            System.out.println("answering " + exchange.getRequestURI());
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        System.out.println("listening on " + args[0]);
    }
}
