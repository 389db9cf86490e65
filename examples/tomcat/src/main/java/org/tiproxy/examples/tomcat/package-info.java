/** Tomcat in a program of its own, with one web application. */
@NullMarked
package org.tiproxy.examples.tomcat;

import org.jspecify.annotations.NullMarked;
