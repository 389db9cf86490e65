/** Layer 1: the packets that a server sends. */
@NullMarked
package org.tiproxy.wire.server;

import org.jspecify.annotations.NullMarked;
