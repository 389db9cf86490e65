/** Layer 0: what can go wrong, who is to blame and what is said about it. */
@NullMarked
package org.tiproxy.error;

import org.jspecify.annotations.NullMarked;
