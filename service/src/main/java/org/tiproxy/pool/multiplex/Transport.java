package org.tiproxy.pool.multiplex;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** One open connection's bytes. Nothing here blocks. */
public interface Transport {
    /**
     * Starts to read; called once.
     *
     * @param receiver told by one thread at a time
     */
    void start(Receiver receiver);

    /** Sends the buffer's remaining bytes, after those of earlier calls. Thread-safe. The buffer then belongs to it. */
    void write(ByteBuffer bytes);

    /** Closes the connection; the receiver is told. Thread-safe, may be called again. */
    void close();

    /** Told what comes in. */
    interface Receiver {
        /** Bytes have arrived; they are only lent for the call. */
        void received(ByteBuffer bytes);

        /**
         * Nothing more will come or go; told once.
         *
         * @param cause what went wrong; null if the peer or this side just closed it
         */
        void closed(@Nullable Throwable cause);
    }
}
