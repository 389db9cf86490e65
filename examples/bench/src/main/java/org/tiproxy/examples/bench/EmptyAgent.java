package org.tiproxy.examples.bench;

import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/** A javaagent that does nothing: what a JVM takes for having one. */
final class EmptyAgent {
    private EmptyAgent() {}

    /** Called by the JVM. */
    public static void premain(String arguments, Instrumentation instrumentation) {}

    /**
     * Packs one class into a jar. The JVM looks for an agent's class in the application's class path first, and opens all
     * of its jars for that: so neither this one nor that of an idle program may be beside many others.
     */
    static void pack(Class<?> type, Path jar) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Premain-Class", type.getName());
        String file = type.getName().replace('.', '/') + ".class";
        try (InputStream classFile = type.getResourceAsStream("/" + file);
                JarOutputStream packed = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            if (classFile == null) {
                throw new IOException("no " + file);
            }
            packed.putNextEntry(new JarEntry(file));
            classFile.transferTo(packed);
            packed.closeEntry();
        }
    }
}
