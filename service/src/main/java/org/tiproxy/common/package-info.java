/** Layer 0: small things every layer may use: time, addresses, secrets. */
@NullMarked
package org.tiproxy.common;

import org.jspecify.annotations.NullMarked;
