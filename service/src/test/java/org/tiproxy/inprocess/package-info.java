@NullMarked
package org.tiproxy.inprocess;

import org.jspecify.annotations.NullMarked;
