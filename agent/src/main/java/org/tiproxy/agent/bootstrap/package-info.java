/**
 * What both sides of the agent's class loader see, and the application too: JDK types only.
 */
@NullMarked
package org.tiproxy.agent.bootstrap;

import org.jspecify.annotations.NullMarked;
