package org.tiproxy.inprocess;

import java.io.IOException;
import org.tiproxy.common.Secret;

/**
 * A driver's connection to the engine, whose bytes are in memory. Called by the driver's own threads, any of them: one may
 * read while another one writes or closes.
 */
public interface DriverConnection {
    /**
     * As {@link java.io.InputStream#read(byte[], int, int)}: waits for at least one byte. The calling thread runs the engine
     * meanwhile.
     *
     * @param timeoutMillis how long to wait for the backend, or for a place in the pool; 0 for ever
     * @return how many bytes; -1 when the conversation is over
     * @throws java.net.SocketTimeoutException if the time is over; the connection stays usable, as a socket does, but for a time-out
     *     among the statements that open the conversation, which ends it
     * @throws java.net.SocketException if it was closed meanwhile
     */
    int read(byte[] target, int offset, int length, int timeoutMillis) throws IOException;

    /** How many bytes a read gives without waiting. Never touches the network. */
    int available();

    /**
     * Takes all bytes. They go to the backend when the driver reads, when it closes, or when there are many.
     *
     * @throws java.net.SocketException if the connection is closed, or the backend's is broken
     */
    void write(byte[] source, int offset, int length) throws IOException;

    /**
     * The driver is going to log in as somebody else, with COM_CHANGE_USER.
     *
     * @param user who
     * @param password of that user, which may be empty
     */
    void expectUser(String user, Secret password);

    /** Ends it at once, whatever other threads do: one that reads gets a SocketException. Idempotent. */
    void close();
}
