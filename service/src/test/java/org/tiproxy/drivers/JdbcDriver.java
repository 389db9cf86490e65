package org.tiproxy.drivers;

import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Stream;

/** The drivers that are compared. The build puts their jars into a folder; each is loaded by a class loader of its own. */
enum JdbcDriver {
    CONNECTOR_J_26_10_0(Family.CONNECTOR_J, "mysql-connector-j-26.10.0.jar"),
    CONNECTOR_J_9_7_0(Family.CONNECTOR_J, "mysql-connector-j-9.7.0.jar"),
    CONNECTOR_J_9_4_0(Family.CONNECTOR_J, "mysql-connector-j-9.4.0.jar"),
    CONNECTOR_J_8_0_33(Family.CONNECTOR_J, "mysql-connector-j-8.0.33.jar"),
    CONNECTOR_J_8_0_28(Family.CONNECTOR_J, "mysql-connector-java-8.0.28.jar"),
    CONNECTOR_J_8_0_19(Family.CONNECTOR_J, "mysql-connector-java-8.0.19.jar"),
    CONNECTOR_J_8_0_11(Family.CONNECTOR_J_8_0_11, "mysql-connector-java-8.0.11.jar"),
    CONNECTOR_J_5_1_49(Family.CONNECTOR_J_5, "mysql-connector-java-5.1.49.jar"),
    CONNECTOR_J_5_1_40(Family.CONNECTOR_J_5, "mysql-connector-java-5.1.40.jar"),
    MARIADB_4_0_0(Family.MARIADB, "mariadb-java-client-4.0.0.jar"),
    MARIADB_3_5_11(Family.MARIADB, "mariadb-java-client-3.5.11.jar"),
    MARIADB_3_5_6(Family.MARIADB, "mariadb-java-client-3.5.6.jar"),
    MARIADB_3_5_1(Family.MARIADB, "mariadb-java-client-3.5.1.jar"),
    MARIADB_3_4_1(Family.MARIADB, "mariadb-java-client-3.4.1.jar"),
    MARIADB_3_3_3(Family.MARIADB, "mariadb-java-client-3.3.3.jar"),
    MARIADB_3_1_4(Family.MARIADB, "mariadb-java-client-3.1.4.jar"),
    MARIADB_3_0_4(Family.MARIADB, "mariadb-java-client-3.0.4.jar"),
    MARIADB_2_7_13(Family.MARIADB, "mariadb-java-client-2.7.13.jar"),
    MARIADB_2_4_4(Family.MARIADB, "mariadb-java-client-2.4.4.jar");

    /** What connects to the proxy's port: the service does not know which driver it talks to. */
    static final Set<JdbcDriver> OVER_THE_NETWORK = EnumSet.of(
            CONNECTOR_J_26_10_0,
            CONNECTOR_J_9_7_0,
            CONNECTOR_J_9_4_0,
            CONNECTOR_J_8_0_33,
            CONNECTOR_J_5_1_49,
            MARIADB_4_0_0,
            MARIADB_3_5_11,
            MARIADB_3_5_6,
            MARIADB_2_7_13);

    /** What the agent weaves: one of each way that a driver has of opening its socket, and of turning to TLS. */
    static final Set<JdbcDriver> WOVEN = EnumSet.complementOf(EnumSet.of(CONNECTOR_J_9_4_0, MARIADB_3_5_6));

    private static final Path FOLDER = Path.of("target", "drivers");

    private final Family family;
    private final String jar;

    JdbcDriver(Family family, String jar) {
        this.family = family;
        this.jar = jar;
    }

    /** What decides on URLs and options. */
    enum Family {
        CONNECTOR_J(
                "com.mysql.cj.jdbc.Driver",
                "jdbc:mysql:",
                "socketTimeout=20000&sslMode=DISABLED&allowPublicKeyRetrieval=true&serverTimezone=UTC&characterEncoding=UTF-8"),
        CONNECTOR_J_8_0_11(
                "com.mysql.cj.jdbc.Driver",
                "jdbc:mysql:",
                "socketTimeout=20000&useSSL=false&allowPublicKeyRetrieval=true&serverTimezone=UTC&characterEncoding=UTF-8"),
        CONNECTOR_J_5(
                "com.mysql.jdbc.Driver",
                "jdbc:mysql:",
                "socketTimeout=20000&useSSL=false&serverTimezone=UTC&useUnicode=true&characterEncoding=UTF-8"),
        MARIADB("org.mariadb.jdbc.Driver", "jdbc:mariadb:", "socketTimeout=20000&sslMode=disable");

        private final String driverClass;
        private final String scheme;
        private final String options;

        Family(String driverClass, String scheme, String options) {
            this.driverClass = driverClass;
            this.scheme = scheme;
            this.options = options;
        }

        /** Whether it is one of MySQL's own, of any version. */
        boolean isConnectorJ() {
            return this != MARIADB;
        }
    }

    Family family() {
        return family;
    }

    /** The jar, which the build has put there. */
    Path jar() {
        return FOLDER.resolve(jar).toAbsolutePath();
    }

    String driverClass() {
        return family.driverClass;
    }

    String scheme() {
        return family.scheme;
    }

    /** Loads the driver; the loader is closed by the caller. */
    URLClassLoader load() throws MalformedURLException {
        Path file = jar();
        if (!Files.isRegularFile(file)) {
            throw new IllegalStateException("no " + file + ": mvn pre-integration-test -pl service brings it");
        }
        // Not the tests' own class path as parent: it has a driver of each family.
        return new URLClassLoader(new URL[] {file.toUri().toURL()}, ClassLoader.getPlatformClassLoader());
    }

    /**
     * Opens a connection.
     *
     * @param loader what {@link #load} made
     * @param options further URL options, {@code name=value}
     */
    Connection connect(URLClassLoader loader, int port, String schema, String user, String password, String... options)
            throws SQLException {
        String url = family.scheme + "//127.0.0.1:" + port + '/' + schema + '?' + options(options);
        Properties login = new Properties();
        login.setProperty("user", user);
        login.setProperty("password", password);
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            Driver driver = (Driver)
                    loader.loadClass(family.driverClass).getConstructor().newInstance();
            return driver.connect(url, login);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("not a driver: " + jar, e);
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    /** Each option once: of two of one name, drivers take the first or the last. */
    private String options(String... further) {
        Map<String, String> options = new LinkedHashMap<>();
        Stream.concat(Arrays.stream(family.options.split("&")), Arrays.stream(further))
                .flatMap(option -> Arrays.stream(option.split("&")))
                .forEach(option -> options.put(option.split("=", 2)[0], option));
        return String.join("&", options.values());
    }

    @Override
    public String toString() {
        return jar.replace(".jar", "");
    }
}
