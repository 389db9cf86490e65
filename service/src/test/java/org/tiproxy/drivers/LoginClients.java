package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/** All clients there are log in with each account, to the server and to the proxy, and have to be told the same. */
final class LoginClients {
    private static final String HOST = "127.0.0.1";
    private static final Path SCRIPTS =
            Path.of("src", "test", "resources", "clients").toAbsolutePath();

    private final Path folder;
    private final int serverPort;
    private final int proxyPort;
    private final List<String[]> accounts = new ArrayList<>(List.of(Accounts.LOGINS));

    LoginClients(Path folder, int serverPort, int proxyPort, boolean ed25519) {
        this.folder = folder;
        this.serverPort = serverPort;
        this.proxyPort = proxyPort;
        if (ed25519) {
            accounts.addAll(List.of(Accounts.ED25519_LOGINS));
        }
    }

    /** Logs in and gives what the client was told. */
    private interface Client {
        List<String> login(int port, String user, String password) throws Exception;
    }

    Stream<DynamicTest> tests() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (JdbcDriver driver : JdbcDriver.OVER_THE_NETWORK) {
            tests.add(dynamicTest(
                    driver.toString(),
                    () -> compare((port, user, password) -> {
                        try (URLClassLoader loader = driver.load()) {
                            Transcript out = new Transcript(port);
                            out.attempt(user, () -> {
                                try (Connection connection =
                                        driver.connect(loader, port, Scenario.SCHEMA, user, password)) {
                                    out.line("OK " + ScenarioRun.text(connection, "SELECT CURRENT_USER()"));
                                }
                            });
                            return out.lines();
                        }
                    })));
        }
        for (Path client : ClientProgram.commandLines()) {
            tests.add(dynamicTest(
                    client.toString().contains("target") ? "mariadb, unpacked" : "mariadb, installed",
                    () -> compare((port, user, password) -> ClientProgram.run(
                            folder,
                            port,
                            List.of(
                                    client.toString(),
                                    "--no-defaults",
                                    "--skip-ssl",
                                    "--host=" + HOST,
                                    "--port=" + port,
                                    "--user=" + user,
                                    "--password=" + password,
                                    "--execute=SELECT CURRENT_USER(), DATABASE()",
                                    Scenario.SCHEMA)))));
        }
        tests.add(dynamicTest("PyMySQL", () -> {
            assumeTrue(
                    ClientProgram.works(folder, "/usr/bin/python3", "-c", "import pymysql"),
                    "python3 with pymysql is not installed");
            compare((port, user, password) -> ClientProgram.run(
                    folder,
                    port,
                    List.of(
                            "/usr/bin/python3",
                            SCRIPTS.resolve("login.py").toString(),
                            HOST,
                            Integer.toString(port),
                            user,
                            password,
                            Scenario.SCHEMA)));
        }));
        for (String module : List.of("mysql2", "mysql", "mariadb")) {
            tests.add(dynamicTest("Node's " + module, () -> {
                assumeTrue(
                        ClientProgram.works(
                                folder,
                                "node",
                                "-e",
                                "require('module').createRequire('" + ClientProgram.CLIENTS + "/')('" + module + "')"),
                        "node, or the module " + module + " in " + ClientProgram.CLIENTS + ", is not installed");
                compare((port, user, password) -> ClientProgram.run(
                        folder,
                        port,
                        List.of(
                                "node",
                                SCRIPTS.resolve("login.js").toString(),
                                ClientProgram.CLIENTS.toString(),
                                module,
                                HOST,
                                Integer.toString(port),
                                user,
                                password,
                                Scenario.SCHEMA)));
            }));
        }
        return tests.stream();
    }

    private void compare(Client client) throws Exception {
        List<String> direct = new ArrayList<>();
        List<String> proxied = new ArrayList<>();
        for (String[] account : accounts) {
            String title = account[0] + "/" + account[1];
            direct.add(title + ": " + client.login(serverPort, account[0], account[1]));
            proxied.add(title + ": " + client.login(proxyPort, account[0], account[1]));
        }
        assertThat(proxied).isEqualTo(direct);
        assertThat(direct.get(0)).as("the right password").contains(Accounts.NATIVE + "@" + HOST);
        assertThat(direct.get(1)).as("a wrong password").contains("Access denied for user 'native'@");
        assertThat(direct.get(3)).as("no password").contains(Accounts.NO_PASSWORD + "@" + HOST);
    }
}
