package org.tiproxy.agent.driver;

import java.util.function.Function;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/** Around methods whose arguments the hook has to know: they run as they are. */
final class SessionAdvice {
    private SessionAdvice() {}

    /** The hook is called before, and, with no arguments, after it, however it ends. */
    static final class Around {
        private Around() {}

        @Advice.OnMethodEnter(suppress = Throwable.class)
        @SuppressWarnings({"rawtypes", "unchecked"})
        static void enter(
                @Point String point,
                @Advice.Origin Class<?> driver,
                @Advice.This Object session,
                @Advice.AllArguments Object[] arguments)
                throws Throwable {
            Function hook = (Function) ClassLoader.getSystemClassLoader()
                    .loadClass("org.tiproxy.agent.bootstrap.Bridge")
                    .getField("HOOK")
                    .get(null);
            if (hook != null) {
                Object unused = hook.apply(new Object[] {point, driver, session, arguments});
            }
        }

        @Advice.OnMethodExit(onThrowable = Throwable.class, suppress = Throwable.class)
        @SuppressWarnings({"rawtypes", "unchecked"})
        static void exit(@Point String point, @Advice.Origin Class<?> driver) throws Throwable {
            Function hook = (Function) ClassLoader.getSystemClassLoader()
                    .loadClass("org.tiproxy.agent.bootstrap.Bridge")
                    .getField("HOOK")
                    .get(null);
            if (hook != null) {
                Object unused = hook.apply(new Object[] {point, driver});
            }
        }
    }

    /** The hook is called before, with the object. */
    static final class Before {
        private Before() {}

        @Advice.OnMethodEnter(suppress = Throwable.class)
        @SuppressWarnings({"rawtypes", "unchecked"})
        static void enter(
                @Point String point,
                @Advice.Origin Class<?> driver,
                @Advice.This Object session,
                @Advice.AllArguments Object[] arguments)
                throws Throwable {
            Function hook = (Function) ClassLoader.getSystemClassLoader()
                    .loadClass("org.tiproxy.agent.bootstrap.Bridge")
                    .getField("HOOK")
                    .get(null);
            if (hook != null) {
                Object unused = hook.apply(new Object[] {point, driver, session, arguments});
            }
        }
    }

    /** The hook is called before, with the field {@code mysqlConnection}. */
    static final class BeforeWithMysqlConnection {
        private BeforeWithMysqlConnection() {}

        @Advice.OnMethodEnter(suppress = Throwable.class)
        @SuppressWarnings({"rawtypes", "unchecked"})
        static @Nullable Object enter(
                @Point String point,
                @Advice.Origin Class<?> driver,
                @Advice.FieldValue("mysqlConnection") Object socket,
                @Advice.AllArguments Object[] arguments)
                throws Throwable {
            Function hook = (Function) ClassLoader.getSystemClassLoader()
                    .loadClass("org.tiproxy.agent.bootstrap.Bridge")
                    .getField("HOOK")
                    .get(null);
            return hook == null ? null : hook.apply(new Object[] {point, driver, socket, arguments});
        }
    }
}
