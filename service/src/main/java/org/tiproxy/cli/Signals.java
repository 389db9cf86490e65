package org.tiproxy.cli;

import java.lang.reflect.Proxy;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The operating system's signals. The JDK has them in {@code sun.misc.Signal} only: supported (module jdk.unsupported) but
 * not meant to be compiled against, hence the reflection.
 */
final class Signals {
    private static final Logger log = LoggerFactory.getLogger(Signals.class);

    private Signals() {}

    /**
     * From now on {@code handler} hears of the signal, on a thread of its own, and the JVM does nothing about it.
     *
     * @param name without SIG, for example {@code TERM}
     * @param handler gets the signal's number
     */
    static void handle(String name, IntConsumer handler) {
        try {
            Class<?> signalClass = Class.forName("sun.misc.Signal");
            Class<?> handlerClass = Class.forName("sun.misc.SignalHandler");
            Object signal = signalClass.getConstructor(String.class).newInstance(name);
            int number = (int) signalClass.getMethod("getNumber").invoke(signal);
            Object proxy = Proxy.newProxyInstance(
                    Signals.class.getClassLoader(), new Class<?>[] {handlerClass}, (self, method, arguments) -> {
                        if (method.getName().equals("handle")) {
                            handler.accept(number);
                            return null;
                        }
                        return method.getName().equals("hashCode")
                                ? System.identityHashCode(self)
                                : self == arguments[0];
                    });
            signalClass.getMethod("handle", signalClass, handlerClass).invoke(null, signal, proxy);
        } catch (ReflectiveOperationException e) {
            // HUP does not exist on Windows; without a handler the JVM ends as it always does, through its hooks.
            log.debug("SIG{} cannot be handled here", name, e);
        }
    }
}
