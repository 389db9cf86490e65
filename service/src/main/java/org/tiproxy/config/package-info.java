/** Layer 0: typed configuration keys, their sources (file, environment, flags) and all their problems at once. */
@NullMarked
package org.tiproxy.config;

import org.jspecify.annotations.NullMarked;
