/** One small instrumentation for each family of JDBC drivers, and the hook that they call. */
@NullMarked
package org.tiproxy.agent.driver;

import org.jspecify.annotations.NullMarked;
