package org.tiproxy.agent.driver;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * The options that a driver has read from its URL, its properties or its data source, by their names. Drivers keep them in
 * objects of their own, which differ by version: an option that a version does not have is as one that was not set.
 */
interface DriverOptions {
    /** The option's text; null if it was not set and has no default. */
    @Nullable
    String get(String name);

    /** The option's text; null also if it is empty. */
    default @Nullable String text(String name) {
        String value = get(name);
        return value == null || value.isEmpty() ? null : value;
    }

    /** Whether the option is true. */
    default boolean isSet(String name, boolean otherwise) {
        String value = text(name);
        return value == null
                ? otherwise
                : value.equalsIgnoreCase("true") || value.equalsIgnoreCase("yes") || value.equals("1");
    }

    /** Options that are in properties, whole or by name only. */
    static DriverOptions of(Properties properties) {
        return properties::getProperty;
    }

    /** Options that are public fields of an object. */
    static DriverOptions ofFields(Object object) {
        return name -> textOf(field(object, name));
    }

    /** Options that are methods of an object without parameters. */
    static DriverOptions ofMethods(Object object) {
        return name -> textOf(call(object, name));
    }

    private static @Nullable String textOf(@Nullable Object value) {
        return value == null ? null : value instanceof Enum<?> constant ? constant.name() : value.toString();
    }

    /** A public field's value; null if there is no such field. */
    static @Nullable Object field(Object object, String name) {
        Field field = PublicMembers.of(object).field(name);
        try {
            return field == null ? null : field.get(object);
        } catch (IllegalAccessException e) {
            return null;
        }
    }

    /** What a public method without parameters gives; null if there is no such method, or if it fails. */
    static @Nullable Object call(Object object, String name) {
        Method method = PublicMembers.of(object).method(name);
        try {
            return method == null ? null : method.invoke(object);
        } catch (IllegalAccessException | InvocationTargetException e) {
            return null;
        }
    }

    /** What a public method with one text as its parameter gives; null if there is no such method, or if it fails. */
    static @Nullable Object call(Object object, String name, String argument) {
        Method method = PublicMembers.of(object).methodOfText(name);
        try {
            return method == null ? null : method.invoke(object, argument);
        } catch (IllegalAccessException | InvocationTargetException e) {
            return null;
        }
    }
}
