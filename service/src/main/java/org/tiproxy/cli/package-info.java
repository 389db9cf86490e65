/** Layer 6: the command line. */
@NullMarked
package org.tiproxy.cli;

import org.jspecify.annotations.NullMarked;
