/** A program that is a named module. */
@NullMarked
package org.tiproxy.examples.namedmodule;

import org.jspecify.annotations.NullMarked;
