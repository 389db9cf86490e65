/** The benchmark: no proxy, HAProxy and tiproxy beside each other. */
@NullMarked
package org.tiproxy.examples.bench;

import org.jspecify.annotations.NullMarked;
