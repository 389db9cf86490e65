/** Layer 3: the vocabulary around what the proxy connects to. */
@NullMarked
package org.tiproxy.backend;

import org.jspecify.annotations.NullMarked;
