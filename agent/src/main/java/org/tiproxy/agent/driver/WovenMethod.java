package org.tiproxy.agent.driver;

import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.matcher.ElementMatcher;

/**
 * A method of a driver that calls the hook.
 *
 * @param className the class, with dots; a fork that has moved it into a package of its own keeps the end of the name
 * @param point the name that the hook is called with
 * @param method which method of the class; there may be none in some versions
 * @param advice what is put into it
 */
record WovenMethod(String className, String point, ElementMatcher<? super MethodDescription> method, Class<?> advice) {
    /** Whether it is a method of the class with this name. */
    boolean isIn(String name) {
        return name.endsWith(className)
                && (name.length() == className.length() || name.charAt(name.length() - className.length() - 1) == '.');
    }
}
