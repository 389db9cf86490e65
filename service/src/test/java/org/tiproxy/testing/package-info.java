/** Servers and fixtures for tests. */
@NullMarked
package org.tiproxy.testing;

import org.jspecify.annotations.NullMarked;
