/** What the tests of the examples share: a database, and JVMs with the agent and without. */
@NullMarked
package org.tiproxy.examples.testing;

import org.jspecify.annotations.NullMarked;
