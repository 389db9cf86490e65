package org.tiproxy.examples.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.examples.testing.ExampleDatabase;
import org.tiproxy.examples.testing.ExampleJvm;
import org.tiproxy.examples.testing.ProjectFiles;

/** The fat jar in a real JVM with a real server, over HTTP. */
class SpringBootIT {
    @TempDir
    private static Path folder;

    private static ExampleDatabase database;

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(30)).build();
    private final int port = ProjectFiles.freePort();

    @BeforeAll
    static void startsServer() throws Exception {
        Assumptions.assumeTrue(ExampleDatabase.isPossible(), "no MariaDB server on this machine");
        database = ExampleDatabase.start(folder);
    }

    @AfterAll
    static void endsServer() {
        if (database != null) {
            database.close();
        }
    }

    @Test
    void worksWithoutAgent() throws Exception {
        try (ExampleJvm application = start(List.of())) {
            createsTransfersAndRollsBack();

            assertThat(application.hasAgentBean()).isFalse();
        }
    }

    @Test
    void worksTheSameWithAgentOnRedirectedConnections() throws Exception {
        try (ExampleJvm application = start(List.of(ExampleJvm.agentOption()))) {
            createsTransfersAndRollsBack();

            assertThat(application.hasAgentBean()).as(application.errors()).isTrue();
            assertThat((Long) application.agentAttribute("RedirectedTotal")).isPositive();
            assertThat((Long) application.agentAttribute("FailOpenTotal"))
                    .as(application.errors())
                    .isZero();
            assertThat((Long) application.agentAttribute("BypassedTotal")).isZero();
            assertThat((String[]) application.agentAttribute("DriversSeen")).hasSize(1);
        }
    }

    private ExampleJvm start(List<String> agents) throws IOException {
        List<String> arguments = new ArrayList<>(agents);
        arguments.addAll(List.of("-jar", ProjectFiles.built("spring-boot.jar").toString(), "--server.port=" + port));
        Map<String, String> environment = Map.of("MARIADB_PORT", Integer.toString(database.port()));
        ExampleJvm application = ExampleJvm.start(folder, environment, arguments);
        try {
            application.awaitOutput("Started BankApplication");
            return application;
        } catch (Throwable e) {
            application.close();
            throw e;
        }
    }

    private void createsTransfersAndRollsBack() throws Exception {
        assertThat(get("/accounts")).isEqualTo("[]");
        assertThat(post("/accounts", "{\"owner\":\"Ann\",\"cents\":1000}"))
                .isEqualTo("201 {\"id\":1,\"owner\":\"Ann\",\"cents\":1000}");
        assertThat(post("/accounts", "{\"owner\":\"Bjørn\",\"cents\":0}"))
                .isEqualTo("201 {\"id\":2,\"owner\":\"Bjørn\",\"cents\":0}");

        assertThat(post("/transfers", "{\"from\":1,\"to\":2,\"cents\":300}")).isEqualTo("204 ");
        assertThat(get("/accounts"))
                .isEqualTo("[{\"id\":1,\"owner\":\"Ann\",\"cents\":700},{\"id\":2,\"owner\":\"Bjørn\",\"cents\":300}]");

        // The receiver's new amount has been written when this is refused: it is rolled back.
        assertThat(post("/transfers", "{\"from\":1,\"to\":2,\"cents\":701}")).startsWith("409 ");
        assertThat(post("/transfers", "{\"from\":3,\"to\":2,\"cents\":1}")).startsWith("404 ");
        assertThat(get("/accounts"))
                .isEqualTo("[{\"id\":1,\"owner\":\"Ann\",\"cents\":700},{\"id\":2,\"owner\":\"Bjørn\",\"cents\":300}]");
    }

    private String get(String path) throws IOException, InterruptedException {
        HttpResponse<String> response = send(HttpRequest.newBuilder(uri(path)));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return response.body();
    }

    /** The answer's status and body. */
    private String post(String path, String json) throws IOException, InterruptedException {
        HttpResponse<String> response = send(HttpRequest.newBuilder(uri(path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json)));
        return response.statusCode() + " " + response.body();
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.timeout(Duration.ofMinutes(1)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }
}
