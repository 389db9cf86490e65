/** Layer 1: the packets that a client sends. */
@NullMarked
package org.tiproxy.wire.client;

import org.jspecify.annotations.NullMarked;
