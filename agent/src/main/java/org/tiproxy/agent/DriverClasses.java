package org.tiproxy.agent;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The names of the classes that are woven. The JVM asks for every class that it loads: a name which is not here costs a
 * look into a set, and no memory.
 */
public final class DriverClasses {
    /** Connector/J 8 and later, the copy of it in Amazon's driver, 5.1; MariaDB Connector/J 3 and later, 2. */
    private static final Set<String> NAMES = Set.of(
            "com.mysql.cj.NativeSession",
            "com.mysql.cj.protocol.StandardSocketFactory",
            "com.mysql.cj.protocol.a.NativeProtocol",
            "software.aws.rds.jdbc.mysql.shading.com.mysql.cj.NativeSession",
            "software.aws.rds.jdbc.mysql.shading.com.mysql.cj.protocol.StandardSocketFactory",
            "software.aws.rds.jdbc.mysql.shading.com.mysql.cj.protocol.a.NativeProtocol",
            "com.mysql.jdbc.StandardSocketFactory",
            "com.mysql.jdbc.MysqlIO",
            "org.mariadb.jdbc.client.impl.ConnectionHelper",
            "org.mariadb.jdbc.client.impl.StandardClient",
            "org.mariadb.jdbc.internal.protocol.AbstractConnectProtocol",
            "org.mariadb.jdbc.internal.util.Utils");

    private static final Set<String> INTERNAL_NAMES = internal(NAMES);

    private DriverClasses() {}

    /** No stream: a lambda at this place would cost every start of a JVM some milliseconds. */
    private static Set<String> internal(Set<String> names) {
        String[] internal = new String[names.size()];
        int count = 0;
        for (String name : names) {
            internal[count++] = name.replace('.', '/');
        }
        return Set.of(internal);
    }

    /** All names, with dots. */
    public static Set<String> names() {
        return NAMES;
    }

    /** Whether the class with this name, with dots, is woven. */
    public static boolean contains(String name) {
        return NAMES.contains(name);
    }

    /** Whether the class with this name, with slashes, is woven. A class may have no name. */
    public static boolean containsInternal(@Nullable String name) {
        return name != null && INTERNAL_NAMES.contains(name);
    }
}
