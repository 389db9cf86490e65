package org.tiproxy.engine;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.error.ProxyError;

/** One client's conversation, as an operator sees it. Thread-safe; no method blocks. */
public interface ProxySession {
    /** Unique while the proxy runs. */
    long id();

    /** Where the client comes from. */
    HostPort client();

    /** The backend it is connected to; null while it waits for one. */
    @Nullable
    HostPort backend();

    /** When it was accepted. */
    Instant since();

    /** Bytes that came from the client. */
    long bytesReceived();

    /** Bytes that were passed on to the client. */
    long bytesSent();

    /** Ends the session soon, on both sides. Idempotent. */
    void close(ProxyError cause, String reason);
}
