/** Layer 5: certificates, keys and TLS on both sides of the proxy. */
@NullMarked
package org.tiproxy.net.tls;

import org.jspecify.annotations.NullMarked;
