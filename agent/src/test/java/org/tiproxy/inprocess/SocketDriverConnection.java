package org.tiproxy.inprocess;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.tiproxy.common.Secret;
import org.tiproxy.session.TlsMode;

/**
 * One of {@link SocketDriverProxy}'s. As the engine's, its greeting does not offer TLS or compression; the backend's leg
 * turns to TLS where the driver's URL wants that, and packets are renumbered until the login is through.
 */
final class SocketDriverConnection implements DriverConnection {
    private static final int CLIENT_SSL = 0x0800;
    private static final int CLIENT_COMPRESS = 0x0020;
    private static final int SSL_REQUEST = 32;
    private static final int HEADER = 4;

    private final SocketDriverProxy proxy;
    private final DriverLogin login;
    private final Socket plain;
    private final AtomicBoolean closed = new AtomicBoolean();

    private final byte[] greeting;
    private int greeted;
    private final boolean turnsToTls;
    private ByteArrayOutputStream answer = new ByteArrayOutputStream();
    private volatile boolean answered;

    private volatile InputStream input;
    private volatile OutputStream output;

    /** What the server has sent during the login, renumbered; empty afterwards. */
    private byte[] pending = new byte[0];

    private int pendingAt;
    private boolean loggingIn;

    SocketDriverConnection(DriverLogin login, InetSocketAddress address, SocketDriverProxy proxy) throws IOException {
        this.login = login;
        this.proxy = proxy;
        this.plain = new Socket();
        plain.setTcpNoDelay(true);
        plain.connect(address, (int) login.timeout().toMillis());
        input = plain.getInputStream();
        output = plain.getOutputStream();
        greeting = packet(input);
        int flags = flagsOf(greeting);
        boolean offered = flags > 0 && ((greeting[flags + 1] << 8) & CLIENT_SSL) != 0;
        if (flags > 0) {
            greeting[flags + 1] &= ~(CLIENT_SSL >> 8);
            greeting[flags] &= ~CLIENT_COMPRESS;
        }
        TlsMode mode = login.tls().mode();
        turnsToTls = offered && mode != TlsMode.DISABLED;
        if (!offered && mode == TlsMode.REQUIRED) {
            close();
            throw new IOException("no TLS at " + address);
        }
    }

    private static byte[] packet(InputStream input) throws IOException {
        DataInputStream data = new DataInputStream(input);
        byte[] header = new byte[HEADER];
        data.readFully(header);
        int length = lengthOf(header);
        byte[] packet = Arrays.copyOf(header, HEADER + length);
        data.readFully(packet, HEADER, length);
        return packet;
    }

    private static int lengthOf(byte[] header) {
        return (header[0] & 0xff) | ((header[1] & 0xff) << 8) | ((header[2] & 0xff) << 16);
    }

    private static int flagsOf(byte[] packet) {
        if (packet[HEADER] != 10) {
            return -1;
        }
        int at = HEADER;
        while (packet[at] != 0) {
            at++;
        }
        return at + 1 + 4 + 8 + 1;
    }

    @Override
    public int read(byte[] target, int offset, int length, int timeoutMillis) throws IOException {
        if (closed.get()) {
            throw new SocketException("Socket closed");
        }
        if (greeted < greeting.length) {
            int count = Math.min(length, greeting.length - greeted);
            System.arraycopy(greeting, greeted, target, offset, count);
            greeted += count;
            return count;
        }
        plain.setSoTimeout(timeoutMillis);
        if (loggingIn && pendingAt == pending.length) {
            byte[] packet = packet(input);
            packet[3]--;
            pending = packet;
            pendingAt = 0;
            int kind = packet[HEADER] & 0xff;
            loggingIn = kind != 0 && kind != 0xff;
        }
        if (pendingAt < pending.length) {
            int count = Math.min(length, pending.length - pendingAt);
            System.arraycopy(pending, pendingAt, target, offset, count);
            pendingAt += count;
            return count;
        }
        return input.read(target, offset, length);
    }

    @Override
    public int available() {
        try {
            return pending.length - pendingAt + greeting.length - greeted + input.available();
        } catch (IOException e) {
            return 0;
        }
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
        if (closed.get()) {
            throw new SocketException("Socket closed");
        }
        if (turnsToTls && !answered) {
            answer.write(source, offset, length);
            byte[] soFar = answer.toByteArray();
            if (soFar.length > HEADER && soFar.length >= HEADER + lengthOf(soFar)) {
                answer = new ByteArrayOutputStream();
                startTls(soFar);
            }
            return;
        }
        if (loggingIn) {
            byte[] renumbered = Arrays.copyOfRange(source, offset, offset + length);
            renumbered[3]++;
            output.write(renumbered);
            return;
        }
        output.write(source, offset, length);
    }

    private void startTls(byte[] response) throws IOException {
        response[HEADER + 1] |= CLIENT_SSL >> 8;
        byte[] request = Arrays.copyOf(response, HEADER + SSL_REQUEST);
        request[0] = SSL_REQUEST;
        request[1] = 0;
        request[2] = 0;
        output.write(request);
        SSLSocket secure = (SSLSocket) login.tls()
                .socketFactory()
                .createSocket(plain, login.address().host(), login.address().port(), true);
        if (login.tls().verifyHostname()) {
            SSLParameters parameters = secure.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            secure.setSSLParameters(parameters);
        }
        secure.startHandshake();
        proxy.turnedToTls();
        input = secure.getInputStream();
        output = secure.getOutputStream();
        response[3]++;
        output.write(response);
        loggingIn = true;
        answered = true;
    }

    @Override
    public void expectUser(String user, Secret password) {
        proxy.expected().add(user + ":" + password.reveal());
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            proxy.closed();
            try {
                plain.close();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
