/** Layer 5: JMX beans, the JMX connector and Jolokia. */
@NullMarked
package org.tiproxy.management;

import org.jspecify.annotations.NullMarked;
