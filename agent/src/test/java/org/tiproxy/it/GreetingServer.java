package org.tiproxy.it;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Greets like a MySQL server, and says nothing more. */
final class GreetingServer implements AutoCloseable {
    private final ServerSocket listener;
    private final List<Socket> accepted = new CopyOnWriteArrayList<>();

    GreetingServer(int port) throws IOException {
        listener = new ServerSocket(port, 10, InetAddress.getLoopbackAddress());
        Thread thread = new Thread(this::accept, "greeting-server");
        thread.setDaemon(true);
        thread.start();
    }

    int connections() {
        return accepted.size();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listener.accept();
                accepted.add(client);
                client.getOutputStream().write(greeting());
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private static byte[] greeting() throws IOException {
        ByteArrayOutputStream packet = new ByteArrayOutputStream();
        packet.write(new byte[] {10});
        packet.write("11.4.5-MariaDB\0".getBytes(StandardCharsets.US_ASCII));
        packet.write(new byte[] {1, 0, 0, 0});
        packet.write("abcdefgh\0".getBytes(StandardCharsets.US_ASCII));
        // PROTOCOL_41, SECURE_CONNECTION; utf8mb4; AUTOCOMMIT; PLUGIN_AUTH; 21 bytes of scramble.
        packet.write(new byte[] {0x00, (byte) 0x82, 45, 2, 0, 0x08, 0x00, 21});
        packet.write(new byte[10]);
        packet.write("ijklmnopqrst\0mysql_native_password\0".getBytes(StandardCharsets.US_ASCII));
        byte[] payload = packet.toByteArray();
        packet.reset();
        packet.write(new byte[] {(byte) payload.length, 0, 0, 0});
        packet.write(payload);
        return packet.toByteArray();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket client : accepted) {
            client.close();
        }
    }
}
