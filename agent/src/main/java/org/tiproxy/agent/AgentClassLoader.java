package org.tiproxy.agent;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.jspecify.annotations.Nullable;

/**
 * Loads everything that the application must not see: what lies below the folder {@value #FOLDER} of the jar.
 *
 * <p>A jar that is given with {@code -javaagent} is on the application's class path, so at its root there are only the
 * classes of this package and of {@code bootstrap}. Those are the system class loader's for this class loader too; its
 * parent, for everything that is not in the folder, is the JDK's platform class loader. So nothing of the application is
 * seen from inside either, whatever versions of our libraries it brings.
 */
public final class AgentClassLoader extends ClassLoader {
    static {
        registerAsParallelCapable();
    }

    /** Where in the jar the hidden part lies. */
    static final String FOLDER = "tiproxy/";

    private static final String OUR_PACKAGE = "org.tiproxy.agent.";
    private static final String BOOTSTRAP_PACKAGE = OUR_PACKAGE + "bootstrap.";

    private final JarFile jar;
    private final Manifest manifest;
    /** The URL of the folder in the jar. */
    private final String base;

    private final ProtectionDomain domain;
    private final boolean inApplication;

    private AgentClassLoader(File file, ProtectionDomain domain, boolean inApplication) throws IOException {
        super("tiproxy", ClassLoader.getPlatformClassLoader());
        this.jar = new JarFile(file);
        this.manifest = jar.getManifest();
        this.base = "jar:" + file.toURI() + "!/" + FOLDER;
        this.domain = domain;
        this.inApplication = inApplication;
    }

    /**
     * A class loader for the jar that this class is in.
     *
     * @param inApplication whether the JVM is somebody else's
     * @throws IOException if this class is not in a jar with the folder, or the jar cannot be read
     */
    static AgentClassLoader open(boolean inApplication) throws IOException {
        ProtectionDomain domain = AgentClassLoader.class.getProtectionDomain();
        @Nullable CodeSource source = domain.getCodeSource();
        @Nullable URL location = source == null ? null : source.getLocation();
        if (location == null) {
            throw new IOException("the JVM does not say where tiproxy.jar is");
        }
        try {
            return new AgentClassLoader(new File(location.toURI()), domain, inApplication);
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new IOException(location + " is not a file", e);
        }
    }

    /** Whether the JVM is somebody else's, whose logging and beans are not ours to set up. */
    public boolean isInApplication() {
        return inApplication;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (isShared(name)) {
            return Class.forName(name, false, AgentClassLoader.class.getClassLoader());
        }
        return super.loadClass(name, resolve);
    }

    /** Whether a class is at the jar's root. */
    private static boolean isShared(String name) {
        return name.startsWith(OUR_PACKAGE)
                && (name.startsWith(BOOTSTRAP_PACKAGE) || name.indexOf('.', OUR_PACKAGE.length()) < 0);
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        @Nullable JarEntry entry = entry(name.replace('.', '/') + ".class");
        if (entry == null) {
            throw new ClassNotFoundException(name);
        }
        byte[] classFile;
        try (InputStream stream = jar.getInputStream(entry)) {
            classFile = stream.readAllBytes();
        } catch (IOException e) {
            throw new ClassNotFoundException(name + ": " + jar.getName() + " cannot be read", e);
        }
        definePackageOf(name);
        return defineClass(name, classFile, 0, classFile.length, domain);
    }

    /** With the manifest's version, which is where the program reads its own. */
    private void definePackageOf(String className) {
        int dot = className.lastIndexOf('.');
        String name = dot < 0 ? "" : className.substring(0, dot);
        if (getDefinedPackage(name) != null) {
            return;
        }
        var attributes = manifest.getMainAttributes();
        try {
            definePackage(
                    name,
                    null,
                    null,
                    null,
                    attributes.getValue("Implementation-Title"),
                    attributes.getValue("Implementation-Version"),
                    null,
                    null);
        } catch (IllegalArgumentException e) {
            // Another thread was faster.
            if (getDefinedPackage(name) == null) {
                throw e;
            }
        }
    }

    private @Nullable JarEntry entry(String name) {
        return jar.getJarEntry(FOLDER + name);
    }

    @Override
    protected @Nullable URL findResource(String name) {
        if (entry(name) == null) {
            return null;
        }
        try {
            return new URL(base + name);
        } catch (IOException e) {
            return null;
        }
    }

    @Override
    protected Enumeration<URL> findResources(String name) {
        @Nullable URL url = findResource(name);
        return Collections.enumeration(url == null ? List.of() : List.of(url));
    }

    @Override
    public @Nullable InputStream getResourceAsStream(String name) {
        // Without a URL and its cache of jars, which has a lock for the whole JVM.
        @Nullable JarEntry entry = entry(name);
        if (entry == null) {
            return super.getResourceAsStream(name);
        }
        try (InputStream stream = jar.getInputStream(entry)) {
            return new ByteArrayInputStream(stream.readAllBytes());
        } catch (IOException e) {
            return null;
        }
    }
}
