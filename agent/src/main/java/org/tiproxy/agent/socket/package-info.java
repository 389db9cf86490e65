/** The sockets that drivers get: their streams are memory, and whoever reads or writes runs the engine. */
@NullMarked
package org.tiproxy.agent.socket;

import org.jspecify.annotations.NullMarked;
