/** Layer 5: the Netty adapter: listener and raw TCP relay. The only package that sees {@code io.netty}. */
@NullMarked
package org.tiproxy.net;

import org.jspecify.annotations.NullMarked;
