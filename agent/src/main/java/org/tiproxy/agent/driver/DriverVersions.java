package org.tiproxy.agent.driver;

import java.security.CodeSource;
import org.jspecify.annotations.Nullable;

/** Names of drivers with their versions, which are kept with the drivers' classes. Thread-safe. */
final class DriverVersions {
    private final ClassValue<String> versions = new ClassValue<>() {
        @Override
        protected String computeValue(Class<?> driver) {
            return describe(driver);
        }
    };

    /** {@code MySQL Connector/J 9.4.0}, or as near to that as the driver's jar says. */
    String of(Class<?> driver, String family) {
        String version = versions.get(driver);
        return version.isEmpty() ? family : version;
    }

    private static String describe(Class<?> driver) {
        Package itsPackage = driver.getPackage();
        String title = itsPackage.getImplementationTitle();
        String version = itsPackage.getImplementationVersion();
        if (title != null && version != null) {
            return title + " " + version;
        }
        return jarName(driver.getProtectionDomain().getCodeSource());
    }

    /** MariaDB's jars carry the version in the file's name only. */
    private static String jarName(@Nullable CodeSource source) {
        if (source == null || source.getLocation() == null) {
            return "";
        }
        String location = source.getLocation().toString();
        int end = location.lastIndexOf(".jar");
        if (end < 0) {
            return "";
        }
        return location.substring(location.lastIndexOf('/', end) + 1, end);
    }
}
