/** A program that opens a connection for everything it does. */
@NullMarked
package org.tiproxy.examples.plainjdbc;

import org.jspecify.annotations.NullMarked;
