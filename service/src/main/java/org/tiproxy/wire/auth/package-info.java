/** Layer 1: the arithmetic of the authentication plugins, for both sides. */
@NullMarked
package org.tiproxy.wire.auth;

import org.jspecify.annotations.NullMarked;
