/** Layer 5: the blocking adapter, in which the caller's own thread runs the engine. */
@NullMarked
package org.tiproxy.inprocess;

import org.jspecify.annotations.NullMarked;
