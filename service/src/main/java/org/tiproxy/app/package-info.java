/** Layer 6: the composition root. */
@NullMarked
package org.tiproxy.app;

import org.jspecify.annotations.NullMarked;
