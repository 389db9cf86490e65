package org.tiproxy.drivers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tiproxy.testing.MySqlServer;

/** The accounts of the servers that clients are compared on. */
final class Accounts {
    static final String PASSWORD = "secret";
    static final String NATIVE = "native";
    static final String NO_PASSWORD = "nopassword";
    static final String SOCKET = "socketonly";
    static final String ED25519 = "ed";
    static final String ONE_CONNECTION = "single";

    /** Names and passwords to try: right, wrong and empty ones. */
    static final String[][] LOGINS = {
        {NATIVE, PASSWORD},
        {NATIVE, "wrong"},
        {NATIVE, ""},
        {NO_PASSWORD, ""},
        {NO_PASSWORD, "wrong"},
        {SOCKET, ""},
        {SOCKET, "wrong"},
        {"nobody", ""},
        {"nobody", "wrong"},
    };

    /** The same for {@link #ED25519}, which not every server has. */
    static final String[][] ED25519_LOGINS = {{ED25519, PASSWORD}, {ED25519, "wrong"}, {ED25519, ""}};

    private Accounts() {}

    /** The server's options: these accounts, and what the scenarios need. */
    static String[] serverOptions(Path folder, boolean ed25519) throws IOException {
        List<String> lines = new ArrayList<>(List.of(
                "CREATE DATABASE IF NOT EXISTS demo;",
                "CREATE DATABASE IF NOT EXISTS " + Scenario.SCHEMA + ";",
                "CREATE USER IF NOT EXISTS 'demo'@'127.0.0.1' IDENTIFIED BY 'demo';",
                "GRANT ALL PRIVILEGES ON *.* TO 'demo'@'127.0.0.1' WITH GRANT OPTION;"));
        account(lines, NATIVE, "IDENTIFIED BY '" + PASSWORD + "'");
        account(lines, NO_PASSWORD, "IDENTIFIED BY ''");
        account(lines, SOCKET, "IDENTIFIED VIA unix_socket");
        account(lines, ONE_CONNECTION, "IDENTIFIED BY '" + PASSWORD + "' WITH MAX_USER_CONNECTIONS 1");
        if (ed25519) {
            lines.add("INSTALL SONAME IF NOT EXISTS 'auth_ed25519';");
            account(lines, ED25519, "IDENTIFIED VIA ed25519 USING PASSWORD('" + PASSWORD + "')");
        }
        Path file = Files.write(folder.resolve("accounts.sql"), lines);
        return new String[] {
            "--init-file=" + file.toAbsolutePath(),
            "--max-allowed-packet=64M",
            "--local-infile=1",
            "--performance-schema=ON",
            "--performance-schema-session-connect-attrs-size=1024",
            "--max-connect-errors=100000"
        };
    }

    /** What stands in for MariaDB's tables of sequences. */
    static final List<String> NUMBERS = List.of(
            "CREATE DATABASE numbers",
            "CREATE TABLE numbers.numbers (seq INT AUTO_INCREMENT PRIMARY KEY)",
            "INSERT INTO numbers.numbers WITH RECURSIVE c AS (SELECT 1 n UNION ALL SELECT n + 1 FROM c WHERE n < 20000)"
                    + " SELECT n FROM c");

    /**
     * A MySQL with what the scenarios need. Whoever does not exist there is asked for a plugin that depends on the server's
     * start.
     */
    static MySqlServer startMySql(Path folder) throws IOException {
        List<String> accounts = new ArrayList<>(NUMBERS);
        accounts.add("GRANT ALL ON *.* TO demo@'127.0.0.1' WITH GRANT OPTION");
        accounts.add("CREATE DATABASE " + Scenario.SCHEMA);
        for (String name : List.of(NATIVE, NO_PASSWORD, ONE_CONNECTION)) {
            accounts.add("CREATE USER " + name + "@'127.0.0.1' IDENTIFIED BY '"
                    + (name.equals(NO_PASSWORD) ? "" : PASSWORD) + "'"
                    + (name.equals(ONE_CONNECTION) ? " WITH MAX_USER_CONNECTIONS 1" : ""));
            accounts.add("GRANT ALL ON " + Scenario.SCHEMA + ".* TO " + name + "@'127.0.0.1'");
        }
        return MySqlServer.start(
                folder,
                accounts,
                "--cte-max-recursion-depth=20000",
                "--max-allowed-packet=64M",
                "--local-infile=1",
                "--performance-schema=ON",
                "--performance-schema-session-connect-attrs-size=1024",
                "--max-connect-errors=100000");
    }

    private static void account(List<String> lines, String name, String how) {
        lines.add("CREATE USER IF NOT EXISTS '" + name + "'@'127.0.0.1' " + how + ";");
        lines.add("GRANT ALL PRIVILEGES ON " + Scenario.SCHEMA + ".* TO '" + name + "'@'127.0.0.1';");
    }
}
