package org.tiproxy.agent.driver;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.install.ClassWeaver;

/**
 * Weaves the driver classes, from their class files alone: no class of a driver is loaded for it, nor is its class loader
 * asked for anything. Only bodies of methods change, so that classes which are loaded already can be woven too.
 *
 * <p>With the bytecode library that Byte Buddy carries, not with Byte Buddy's own advices, which are nicer to write: those
 * load 723 classes at an application's first connection, three quarters of the time that the agent added to it, and this 28.
 */
public final class DriverWeaver implements ClassWeaver {
    private static final List<WovenMethod> METHODS = Stream.of(
                    ConnectorJ.METHODS, ConnectorJ5.METHODS, MariaDb.METHODS, MariaDb2.METHODS)
            .flatMap(List::stream)
            .toList();

    @Override
    public byte @Nullable [] weave(String className, @Nullable ClassLoader loader, byte[] classFile) {
        List<WovenMethod> methods =
                METHODS.stream().filter(method -> method.isIn(className)).toList();
        return methods.isEmpty() ? null : WovenClass.weave(methods, classFile);
    }
}
