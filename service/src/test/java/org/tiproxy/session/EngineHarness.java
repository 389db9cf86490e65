package org.tiproxy.session;

import org.tiproxy.error.ProxyException;

/**
 * One session between two peers that a test plays, whatever carries the bytes: memory, Netty, or a driver's own thread.
 */
public interface EngineHarness extends AutoCloseable {
    /** What the session was opened with as the client's connection id, if the test may choose that. */
    int CONNECTION_ID = 0x60000001;

    /** The backend's thread id of the one other session of the proxy. */
    long OTHER_BACKEND_ID = 77;

    /** The virtual id of the one other session of the proxy, if the test may choose that. */
    long OTHER_VIRTUAL_ID = 0x60000005L;

    /** What the client is told as its connection id. */
    default int connectionId() {
        return CONNECTION_ID;
    }

    /** The virtual id of another session, whose backend's thread id is {@link #OTHER_BACKEND_ID}. */
    default long otherVirtualId() {
        return OTHER_VIRTUAL_ID;
    }

    /** The peer that has connected to the proxy. */
    Peer client();

    /** The peer that the proxy connects to; the first use admits the connection. */
    Peer backend();

    /** Instead of {@link #backend}: there is no connection to it. */
    void refuseBackend(ProxyException cause);

    /** Operator's and timer's actions on the session. */
    SessionActions actions();

    /** Waits for the end of the session. */
    SessionEnd end();

    @Override
    void close();

    /** One end of a connection. */
    interface Peer {
        /** Sends bytes, in as many chunks as the harness likes. */
        void send(byte[]... parts);

        /** Waits for exactly {@code length} bytes. */
        byte[] receive(int length);

        /** What has come without waiting; only means something after the end, or to a peer in memory. */
        byte[] receiveRest();

        /** Makes TLS on this connection: the proxy has been asked, or has asked, for it. */
        void startTls();

        /** Closes the connection. */
        void close();

        /** Waits until the proxy has closed the connection. */
        void expectClosed();
    }

    /** What comes from neither peer. */
    interface SessionActions {
        /** As {@link SessionEngine#kill}. */
        void kill(ProxyException cause);

        /** As {@link SessionEngine#drain}. */
        void drain();

        /** As {@link SessionEngine#loginTimedOut}. */
        void loginTimedOut();
    }
}
