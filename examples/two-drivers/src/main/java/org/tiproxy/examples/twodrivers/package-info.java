/** Several versions of one driver in one JVM. */
@NullMarked
package org.tiproxy.examples.twodrivers;

import org.jspecify.annotations.NullMarked;
