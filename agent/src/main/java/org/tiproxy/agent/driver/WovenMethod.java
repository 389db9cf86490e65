package org.tiproxy.agent.driver;

import java.util.List;
import java.util.function.Predicate;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.jar.asm.Type;

/**
 * A method of a driver that calls the hook.
 *
 * @param className the class, with dots; a fork that has moved it into a package of its own keeps the end of the name
 * @param point the name that the hook is called with
 * @param method which method of the class; there may be none in some versions
 * @param advice what is put into it
 */
record WovenMethod(String className, String point, Predicate<Signature> method, Advice advice) {
    /** Whether it is a method of the class with this name. */
    boolean isIn(String name) {
        return name.endsWith(className)
                && (name.length() == className.length() || name.charAt(name.length() - className.length() - 1) == '.');
    }

    /** A method of a class file. */
    record Signature(int access, String name, List<Type> parameters, Type result) {
        static Signature of(int access, String name, String descriptor) {
            return new Signature(
                    access, name, List.of(Type.getArgumentTypes(descriptor)), Type.getReturnType(descriptor));
        }

        boolean isVoid() {
            return result.getSort() == Type.VOID;
        }

        boolean isStatic() {
            return (access & Opcodes.ACC_STATIC) != 0;
        }
    }

    /** Methods with this name that return this type, by its name in Java. */
    static Pattern method(String result, String name) {
        return new Pattern(found ->
                found.name().equals(name) && found.result().getClassName().equals(result));
    }

    /** A choice of methods, which can be narrowed down. */
    record Pattern(Predicate<Signature> matches) implements Predicate<Signature> {
        @Override
        public boolean test(Signature found) {
            return matches.test(found);
        }

        Pattern taking(int count) {
            return new Pattern(matches.and(found -> found.parameters().size() == count));
        }

        Pattern taking(String... types) {
            Pattern narrowed = taking(types.length);
            for (int i = 0; i < types.length; i++) {
                narrowed = narrowed.taking(i, types[i]);
            }
            return narrowed;
        }

        Pattern taking(int index, String type) {
            return new Pattern(matches.and(found -> index < found.parameters().size()
                    && found.parameters().get(index).getClassName().equals(type)));
        }

        Pattern notPrivate() {
            return new Pattern(matches.and(found -> (found.access() & Opcodes.ACC_PRIVATE) == 0));
        }
    }
}
