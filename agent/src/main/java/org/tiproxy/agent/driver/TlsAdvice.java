package org.tiproxy.agent.driver;

import java.util.function.Function;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/**
 * Around a method that turns to TLS: left out if the socket is in memory. Drivers keep the socket in different places, and
 * each place needs an advice of its own.
 */
final class TlsAdvice {
    private TlsAdvice() {}

    /** The thread is in the method that has made the socket. */
    static final class OfThread {
        private OfThread() {}

        @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class, suppress = Throwable.class)
        @SuppressWarnings({"rawtypes", "unchecked"})
        static @Nullable Object enter(@Point String point, @Advice.Origin Class<?> driver) throws Throwable {
            Function hook = (Function) ClassLoader.getSystemClassLoader()
                    .loadClass("org.tiproxy.agent.bootstrap.Bridge")
                    .getField("HOOK")
                    .get(null);
            return hook == null ? null : hook.apply(new Object[] {point, driver});
        }
    }

    /** The second argument is the socket. */
    static final class OfArgument {
        private OfArgument() {}

        @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class, suppress = Throwable.class)
        @SuppressWarnings({"rawtypes", "unchecked"})
        static @Nullable Object enter(
                @Point String point, @Advice.Origin Class<?> driver, @Advice.Argument(1) Object socket)
                throws Throwable {
            Function hook = (Function) ClassLoader.getSystemClassLoader()
                    .loadClass("org.tiproxy.agent.bootstrap.Bridge")
                    .getField("HOOK")
                    .get(null);
            return hook == null ? null : hook.apply(new Object[] {point, driver, socket});
        }
    }

    /** The field {@code socket}. */
    static final class OfSocket {
        private OfSocket() {}

        @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class, suppress = Throwable.class)
        @SuppressWarnings({"rawtypes", "unchecked"})
        static @Nullable Object enter(
                @Point String point, @Advice.Origin Class<?> driver, @Advice.FieldValue("socket") Object socket)
                throws Throwable {
            Function hook = (Function) ClassLoader.getSystemClassLoader()
                    .loadClass("org.tiproxy.agent.bootstrap.Bridge")
                    .getField("HOOK")
                    .get(null);
            return hook == null ? null : hook.apply(new Object[] {point, driver, socket});
        }
    }

    /** The field {@code mysqlConnection}, which is a socket. */
    static final class OfMysqlConnection {
        private OfMysqlConnection() {}

        @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class, suppress = Throwable.class)
        @SuppressWarnings({"rawtypes", "unchecked"})
        static @Nullable Object enter(
                @Point String point,
                @Advice.Origin Class<?> driver,
                @Advice.FieldValue("mysqlConnection") Object socket)
                throws Throwable {
            Function hook = (Function) ClassLoader.getSystemClassLoader()
                    .loadClass("org.tiproxy.agent.bootstrap.Bridge")
                    .getField("HOOK")
                    .get(null);
            return hook == null ? null : hook.apply(new Object[] {point, driver, socket});
        }
    }
}
