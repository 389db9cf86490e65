package org.tiproxy.drivers;

import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import org.tiproxy.agent.DriverClasses;
import org.tiproxy.agent.driver.DriverWeaver;

/** Loads a driver as a JVM with the agent does. */
final class WovenLoader extends URLClassLoader {
    static {
        registerAsParallelCapable();
    }

    private final DriverWeaver weaver = new DriverWeaver();
    private final Set<String> woven = new ConcurrentSkipListSet<>();

    WovenLoader(JdbcDriver driver) throws MalformedURLException {
        super(new URL[] {driver.jar().toUri().toURL()}, ClassLoader.getPlatformClassLoader());
    }

    /** The simple names of the classes that were woven so far. */
    Set<String> woven() {
        return woven;
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        if (!DriverClasses.contains(name)) {
            return super.findClass(name);
        }
        try (InputStream stream = getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (stream == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] original = stream.readAllBytes();
            byte[] changed = weaver.weave(name, this, original);
            byte[] used = changed == null ? original : changed;
            if (changed != null) {
                woven.add(name.substring(name.lastIndexOf('.') + 1));
            }
            // With the package as the jar describes it, which is where the driver's version is.
            super.findResource("META-INF/MANIFEST.MF");
            return defineClass(name, used, 0, used.length);
        } catch (IOException e) {
            throw new ClassNotFoundException(name, e);
        }
    }
}
