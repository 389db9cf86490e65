/** The agent's own log lines in an application, without {@code java.util.logging}, which is the application's to set up. */
@NullMarked
package org.tiproxy.agent.log;

import org.jspecify.annotations.NullMarked;
