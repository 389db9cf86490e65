/** Layer 4: the proxy's life cycle and its registry of connections, independent of the network library. */
@NullMarked
package org.tiproxy.engine;

import org.jspecify.annotations.NullMarked;
