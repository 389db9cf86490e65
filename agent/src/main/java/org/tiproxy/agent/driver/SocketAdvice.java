package org.tiproxy.agent.driver;

import java.net.Socket;
import java.util.function.Function;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/**
 * Around a method that makes a socket: the hook's if it gives one, else the driver's own.
 *
 * <p>What is written here, and in the other advices, is copied into the driver's class, whose loader sees the JDK and the
 * system class path: JDK types only, no lambda, no concatenation of strings, no other method of the agent's.
 */
final class SocketAdvice {
    private SocketAdvice() {}

    @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class, suppress = Throwable.class)
    @SuppressWarnings({"rawtypes", "unchecked"})
    static @Nullable Object enter(
            @Point String point, @Advice.Origin Class<?> driver, @Advice.AllArguments Object[] arguments)
            throws Throwable {
        Function hook = (Function) ClassLoader.getSystemClassLoader()
                .loadClass("org.tiproxy.agent.bootstrap.Bridge")
                .getField("HOOK")
                .get(null);
        return hook == null ? null : hook.apply(new Object[] {point, driver, arguments});
    }

    @Advice.OnMethodExit
    @SuppressWarnings({"ParameterReassigned", "UnusedVariable"})
    static void exit(@Advice.Enter @Nullable Object made, @Advice.Return(readOnly = false) @Nullable Socket socket) {
        if (made != null) {
            socket = (Socket) made;
        }
    }
}
