package org.tiproxy.agent.install;

import org.tiproxy.common.HostPort;

/**
 * A connection goes through the engine.
 *
 * @param address what the engine is asked for: the address of the driver's URL, which the rules may turn into others
 */
public record Redirect(HostPort address) {}
