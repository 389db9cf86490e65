package org.tiproxy.agent.driver;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.List;
import java.util.stream.Stream;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.ClassFileLocator;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.dynamic.scaffold.MethodGraph;
import net.bytebuddy.dynamic.scaffold.TypeValidation;
import net.bytebuddy.matcher.ElementMatchers;
import net.bytebuddy.pool.TypePool;
import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.install.ClassWeaver;

/**
 * Weaves the driver classes, from their class files alone: no class of a driver is loaded for it, nor is its class loader
 * asked for anything. Only bodies of methods change, so that classes which are loaded already can be woven too.
 */
public final class DriverWeaver implements ClassWeaver {
    private static final List<WovenMethod> METHODS = Stream.of(
                    ConnectorJ.METHODS, ConnectorJ5.METHODS, MariaDb.METHODS, MariaDb2.METHODS)
            .flatMap(List::stream)
            .toList();

    private final ClassFileLocator advices = ClassFileLocator.ForClassLoader.of(DriverWeaver.class.getClassLoader());
    private final ClassFileLocator jdk = ClassFileLocator.ForClassLoader.ofPlatformLoader();

    /**
     * Weaves a class of its own and throws it away: what loads Byte Buddy, which takes most of the time that the first
     * driver class waits, can so be done beside something else.
     */
    public void warmUp() {
        String name = Sample.class.getName();
        try (InputStream classFile = Sample.class.getResourceAsStream("DriverWeaver$Sample.class")) {
            if (classFile != null) {
                weave(
                        List.of(new WovenMethod(
                                name, "sample", ElementMatchers.named("createSocket"), SocketAdvice.class)),
                        name,
                        classFile.readAllBytes());
            }
        } catch (IOException e) {
            // Then the first class waits a little longer.
            return;
        }
    }

    /** Looks like a driver's factory of sockets. */
    static final class Sample {
        private Sample() {}

        static @Nullable Socket createSocket(Object properties) {
            return properties instanceof Socket socket ? socket : null;
        }
    }

    @Override
    public byte @Nullable [] weave(String className, @Nullable ClassLoader loader, byte[] classFile) {
        List<WovenMethod> methods =
                METHODS.stream().filter(method -> method.isIn(className)).toList();
        return methods.isEmpty() ? null : weave(methods, className, classFile);
    }

    private byte @Nullable [] weave(List<WovenMethod> methods, String className, byte[] classFile) {
        ClassFileLocator locator = new ClassFileLocator.Compound(ClassFileLocator.Simple.of(className, classFile), jdk);
        TypeDescription type = TypePool.Default.WithLazyResolution.of(locator)
                .describe(className)
                .resolve();
        if (methods.stream()
                .allMatch(method ->
                        type.getDeclaredMethods().filter(method.method()).isEmpty())) {
            return null;
        }
        DynamicType.Builder<?> builder = new ByteBuddy()
                .with(TypeValidation.DISABLED)
                // Not those that are inherited: superclasses are not to be looked at.
                .with(MethodGraph.Compiler.ForDeclaredMethods.INSTANCE)
                .decorate(type, locator);
        for (WovenMethod method : methods) {
            builder = builder.visit(Advice.withCustomMapping()
                    .bind(Point.class, method.point())
                    .to(method.advice(), advices)
                    .on(method.method()));
        }
        try (DynamicType.Unloaded<?> woven = builder.make()) {
            return woven.getBytes();
        }
    }
}
