package org.tiproxy.drivers;

import java.io.Closeable;
import java.io.IOException;
import java.net.URLClassLoader;
import java.util.EnumMap;
import java.util.Map;

/** One class loader for each driver, made when it is needed: loading a driver again costs more than most scenarios. */
final class DriverLoaders implements Closeable {
    private final Map<JdbcDriver, URLClassLoader> loaders = new EnumMap<>(JdbcDriver.class);

    URLClassLoader of(JdbcDriver driver) throws IOException {
        URLClassLoader loader = loaders.get(driver);
        if (loader == null) {
            loader = driver.load();
            loaders.put(driver, loader);
        }
        return loader;
    }

    @Override
    public void close() throws IOException {
        for (URLClassLoader loader : loaders.values()) {
            loader.close();
        }
        loaders.clear();
    }
}
