package org.tiproxy.management;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import org.jolokia.json.JSONArray;
import org.jolokia.json.JSONObject;
import org.jolokia.json.parser.JSONParser;
import org.tiproxy.common.HostPort;

/** An HTTP client that sends exactly the headers it is told to, which the JDK's refuses to do. */
final class RawHttp {
    private final HostPort address;

    RawHttp(HostPort address) {
        this.address = address;
    }

    /** One answer; the connection was closed after it. */
    record Answer(int status, String head, String body) {
        JSONObject json() throws Exception {
            return new JSONParser().parse(body, JSONObject.class);
        }

        JSONArray jsonArray() throws Exception {
            return new JSONParser().parse(body, JSONArray.class);
        }

        /** Jolokia's own status, inside the answer. */
        int jolokiaStatus() throws Exception {
            return ((Number) at("status")).intValue();
        }

        Object value() throws Exception {
            return at("value");
        }

        /** What lies at the end of a path of keys. */
        Object at(String... keys) throws Exception {
            Object at = json();
            for (String key : keys) {
                at = Objects.requireNonNull(((Map<?, ?>) at).get(key), () -> "no " + key + " in " + body);
            }
            return at;
        }
    }

    /** GET with the right Host. */
    Answer get(String path, String... headers) throws IOException {
        return send("GET", path, address.toString(), "", headers);
    }

    /** POST with the right Host. */
    Answer post(String body, String... headers) throws IOException {
        return send("POST", "/jolokia", address.toString(), body, headers);
    }

    Answer send(String method, String path, String host, String body, String... headers) throws IOException {
        byte[] content = body.getBytes(StandardCharsets.UTF_8);
        StringBuilder request = new StringBuilder(method + " " + path + " HTTP/1.1\r\nConnection: close\r\nHost: "
                + host + "\r\nContent-Length: " + content.length + "\r\n");
        for (String header : headers) {
            request.append(header).append("\r\n");
        }
        try (Socket socket = new Socket(address.host(), address.port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write((request + "\r\n").getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(content);
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int headEnd = answer.indexOf("\r\n\r\n");
            return new Answer(
                    Integer.parseInt(answer.split(" ", 3)[1]),
                    answer.substring(0, headEnd),
                    answer.substring(headEnd + 4));
        }
    }
}
