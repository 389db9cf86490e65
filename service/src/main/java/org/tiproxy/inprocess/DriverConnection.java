package org.tiproxy.inprocess;

import java.io.IOException;

/** A driver's connection to the engine, whose bytes are in memory: called by the driver's own threads, any of them. */
public interface DriverConnection {
    /**
     * As {@code InputStream.read}: blocks; the calling thread runs the engine meanwhile.
     *
     * @param timeoutMillis how long to wait, 0 for ever; then a {@code SocketTimeoutException}
     * @return how many bytes, or -1 when the connection is over
     */
    int read(byte[] target, int offset, int length, int timeoutMillis) throws IOException;

    /** How many bytes a read gives without waiting. Never touches the network. */
    int available();

    /** Takes all bytes; whether they are sent at once is the engine's matter. */
    void write(byte[] source, int offset, int length) throws IOException;

    /**
     * Ends the connection at once, on any thread, also while another one reads or writes: that one gets a {@code
     * SocketException}. Idempotent.
     */
    void close();
}
