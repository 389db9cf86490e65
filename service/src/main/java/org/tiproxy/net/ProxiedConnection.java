package org.tiproxy.net;

import java.net.InetSocketAddress;

/**
 * The two ends of the connection that a client has made, perhaps to another proxy in front of this one.
 *
 * @param source the client's address
 * @param destination where it has connected to
 */
record ProxiedConnection(InetSocketAddress source, InetSocketAddress destination) {}
