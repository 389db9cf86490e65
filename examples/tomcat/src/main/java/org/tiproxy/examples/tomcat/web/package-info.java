/** The web application: loaded, like its driver, by the class loader that Tomcat makes for it. */
@NullMarked
package org.tiproxy.examples.tomcat.web;

import org.jspecify.annotations.NullMarked;
