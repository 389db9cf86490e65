/** Layer 3: the on-demand child process. */
@NullMarked
package org.tiproxy.supervisor;

import org.jspecify.annotations.NullMarked;
