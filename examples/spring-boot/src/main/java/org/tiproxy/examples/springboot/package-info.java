/** Accounts and transfers between them, as a Spring Boot application. */
@NullMarked
package org.tiproxy.examples.springboot;

import org.jspecify.annotations.NullMarked;
