package org.tiproxy.app;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** The version of the program. */
public final class Version {
    private Version() {}

    /** The version the jar's manifest names; when run from class files, the one that the build wrote beside them. */
    public static String current() {
        @Nullable String manifest = Version.class.getPackage().getImplementationVersion();
        return manifest == null ? ofBuild() : manifest;
    }

    private static String ofBuild() {
        try (@Nullable InputStream stream = Version.class.getResourceAsStream("version.properties")) {
            Properties properties = new Properties();
            if (stream != null) {
                properties.load(stream);
            }
            return properties.getProperty("version", "unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
