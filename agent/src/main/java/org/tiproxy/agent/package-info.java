/**
 * The javaagent's and the service's entries, on the system class path and therefore visible to the application: JDK types
 * only.
 */
@NullMarked
package org.tiproxy.agent;

import org.jspecify.annotations.NullMarked;
