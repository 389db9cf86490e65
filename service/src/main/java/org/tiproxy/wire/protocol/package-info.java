/** Layer 1: the protocol's constants, spelled as in the manual. */
@NullMarked
package org.tiproxy.wire.protocol;

import org.jspecify.annotations.NullMarked;
