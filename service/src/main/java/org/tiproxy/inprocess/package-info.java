/**
 * Layer 5: the engine for one JVM's own drivers. The thread that reads from, or writes to, a {@link
 * org.tiproxy.inprocess.DriverConnection} runs the session and the backend's socket: there is no other thread, no other
 * hop and no Netty. Beside {@code net}, which does the same for clients that come over the network.
 */
@NullMarked
package org.tiproxy.inprocess;

import org.jspecify.annotations.NullMarked;
