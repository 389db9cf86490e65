package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.testing.MariaDbServer;
import org.tiproxy.testing.RunningProxy;

/** Clients of all kinds log in, and the {@code mariadb} command line does its work, as without the proxy. */
@Timeout(300)
class ClientProgramIT {
    @TempDir
    static Path folder;

    private static MariaDbServer server;
    private static RunningProxy proxy;

    @BeforeAll
    static void start() throws Exception {
        server = MariaDbServer.start(folder, Accounts.serverOptions(folder, false));
        proxy = RunningProxy.start(folder, server.port());
    }

    @AfterAll
    static void stop() {
        proxy.close();
        server.close();
    }

    @TestFactory
    Stream<DynamicTest> loginsAreAnsweredAsByTheServer() throws IOException {
        return new LoginClients(folder, server.port(), proxy.port(), false).tests();
    }

    static List<Path> commandLines() throws IOException {
        return ClientProgram.commandLines();
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("commandLines")
    void theCommandLineSeesTheSame(Path client) throws Exception {
        List<String> direct = session(client, server.port());
        assertThat(direct).anyMatch(line -> line.contains("at the end"));
        assertThat(session(client, proxy.port())).isEqualTo(direct);
    }

    private static List<String> session(Path client, int port) throws Exception {
        Path rows = Files.writeString(folder.resolve("rows.csv"), "1,one\n2,two\n");
        Path script = Files.writeString(folder.resolve("script.sql"), """
                CREATE OR REPLACE TABLE cli (id INT, word VARCHAR(50), bytes BLOB);
                DELIMITER //
                CREATE OR REPLACE PROCEDURE two() BEGIN SELECT 1; SELECT 'two', NULL; END //
                DELIMITER ;
                CALL two();
                SHOW WARNINGS;
                INSERT INTO cli VALUES (1, 'ä', 0x00010aff), (2, NULL, '');
                SELECT * FROM cli;
                SELECT * FROM nowhere;
                SELECT 1/0, REPEAT('x', 100000);
                LOAD DATA LOCAL INFILE '%s' INTO TABLE cli FIELDS TERMINATED BY ',' (id, word);
                LOAD DATA LOCAL INFILE '/nowhere/at all' INTO TABLE cli;
                SELECT 1; SELECT 2;
                USE work;
                USE nowhere;
                STATUS_IS_NO_STATEMENT;
                SELECT 'at the end';
                """.formatted(rows));
        List<String> lines = new ArrayList<>();
        lines.addAll(run(client, port, "--table", "--show-warnings", "--execute=source " + script));
        lines.addAll(run(client, port, "--force", "--table", "--show-warnings", "--execute=source " + script));
        lines.addAll(run(client, port, "--force", "--xml", "--binary-mode", "--execute=SELECT * FROM cli; SELECT 2"));
        lines.addAll(
                run(client, port, "--compress", "--execute=SELECT REPEAT('compress me', 10000); SELECT 'at the end'"));
        lines.addAll(run(client, port, "--quick", "--execute=SELECT seq FROM seq_1_to_5000"));
        lines.addAll(run(client, port, "--column-type-info", "--execute=SELECT * FROM cli"));
        lines.addAll(run(
                client, port, "--local-infile=0", "--execute=LOAD DATA LOCAL INFILE '" + rows + "' INTO TABLE cli"));
        lines.addAll(run(client, port, "--init-command=SET @a = 5", "--execute=SELECT @a; SELEKT; SELECT 1"));
        lines.addAll(run(client, port, "--max-allowed-packet=64M", "--execute=SELECT LENGTH(REPEAT('x', 20000000))"));
        lines.addAll(run(client, port, "--database=nowhere", "--execute=SELECT 1"));
        lines.addAll(run(client, port, "--password=wrong", "--execute=SELECT 1"));
        return lines;
    }

    private static List<String> run(Path client, int port, String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                client.toString(),
                "--no-defaults",
                "--skip-ssl",
                "--local-infile",
                "--default-character-set=utf8mb4",
                "--host=127.0.0.1",
                "--port=" + port,
                "--user=demo",
                "--password=demo",
                "--database=" + Scenario.SCHEMA));
        command.addAll(List.of(options));
        List<String> lines = new ArrayList<>(List.of(String.join(" ", options)));
        lines.addAll(ClientProgram.run(folder, port, command));
        return lines;
    }
}
