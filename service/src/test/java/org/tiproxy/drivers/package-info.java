/** Real clients, direct and through the proxy, with the same results. */
@NullMarked
package org.tiproxy.drivers;

import org.jspecify.annotations.NullMarked;
