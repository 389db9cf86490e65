/** The quick start's client. */
@NullMarked
package org.tiproxy.examples.quickstart;

import org.jspecify.annotations.NullMarked;
