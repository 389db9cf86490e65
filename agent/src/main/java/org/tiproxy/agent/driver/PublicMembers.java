package org.tiproxy.agent.driver;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Public members of a driver's class by their names, each looked up once: a connection asks for some thirty, and the JDK
 * makes a new object for every look. Kept with the class, so that a driver can be unloaded. Thread-safe.
 */
final class PublicMembers {
    private static final ClassValue<PublicMembers> MEMBERS = new ClassValue<>() {
        @Override
        protected PublicMembers computeValue(Class<?> type) {
            return new PublicMembers(type);
        }
    };

    private final Class<?> type;
    private final Map<String, Optional<Field>> fields = new ConcurrentHashMap<>();
    private final Map<String, Optional<Method>> methods = new ConcurrentHashMap<>();
    private final Map<String, Optional<Method>> methodsOfText = new ConcurrentHashMap<>();

    private PublicMembers(Class<?> type) {
        this.type = type;
    }

    static PublicMembers of(Object object) {
        return MEMBERS.get(object.getClass());
    }

    /** Null if there is none. */
    @Nullable
    Field field(String name) {
        Optional<Field> known = fields.get(name);
        return (known != null ? known : fields.computeIfAbsent(name, this::findField)).orElse(null);
    }

    /** One without parameters; null if there is none. */
    @Nullable
    Method method(String name) {
        Optional<Method> known = methods.get(name);
        return (known != null ? known : methods.computeIfAbsent(name, added -> find(added))).orElse(null);
    }

    /** One with a text as its only parameter; null if there is none. */
    @Nullable
    Method methodOfText(String name) {
        Optional<Method> known = methodsOfText.get(name);
        return (known != null ? known : methodsOfText.computeIfAbsent(name, added -> find(added, String.class)))
                .orElse(null);
    }

    private Optional<Field> findField(String name) {
        try {
            Field field = type.getField(name);
            field.trySetAccessible();
            return Optional.of(field);
        } catch (NoSuchFieldException e) {
            return Optional.empty();
        }
    }

    private Optional<Method> find(String name, Class<?>... parameters) {
        try {
            Method method = type.getMethod(name, parameters);
            method.trySetAccessible();
            return Optional.of(method);
        } catch (NoSuchMethodException e) {
            return Optional.empty();
        }
    }
}
