/**
 * Layer 1: bytes to packets and back: framing, field types, and scanners that find where commands and responses end.
 */
@NullMarked
package org.tiproxy.wire;

import org.jspecify.annotations.NullMarked;
