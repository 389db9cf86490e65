/** The agent's composition root: configuration, redirect rules, management, and what joins them to drivers and engine. */
@NullMarked
package org.tiproxy.agent.install;

import org.jspecify.annotations.NullMarked;
