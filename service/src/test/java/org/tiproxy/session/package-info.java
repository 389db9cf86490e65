/** Tests of the session engine, and the parts with which adapters run the same contract. */
@NullMarked
package org.tiproxy.session;

import org.jspecify.annotations.NullMarked;
