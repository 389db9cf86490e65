package org.tiproxy.examples.tomcat;

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

/** Tomcat in a real JVM with a real server, over HTTP; the driver is in the web application's {@code WEB-INF/lib} only. */
class TomcatIT {
    private static final int VISITS = 20;

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
    void everyRequestIsConnectionOfServerWithoutAgent() throws Exception {
        try (ExampleJvm tomcat = start(List.of())) {
            long before = database.connectionsMade();

            visits();

            // The one that asks counts too.
            assertThat(database.connectionsMade() - before - 1).isEqualTo(VISITS + 2);
            assertThat(tomcat.hasAgentBean()).isFalse();
        }
    }

    @Test
    void requestsShareConnectionsWithAgent() throws Exception {
        try (ExampleJvm tomcat = start(List.of(ExampleJvm.agentOption()))) {
            long before = database.connectionsMade();

            visits();

            assertThat(database.connectionsMade() - before - 1)
                    .as(tomcat.errors())
                    .isLessThanOrEqualTo(5);
            assertThat((Long) tomcat.agentAttribute("RedirectedTotal")).isEqualTo(VISITS + 2);
            assertThat((Long) tomcat.agentAttribute("FailOpenTotal"))
                    .as(tomcat.errors())
                    .isZero();
            assertThat((Long) tomcat.agentAttribute("BypassedTotal")).isZero();
        }
    }

    private ExampleJvm start(List<String> agents) throws IOException {
        List<String> arguments = new ArrayList<>(agents);
        arguments.addAll(List.of(
                "-jar",
                ProjectFiles.built("tomcat.jar").toString(),
                ProjectFiles.built("webapp").toString(),
                Integer.toString(port),
                database.url("mysql") + "?user=demo&password=demo"));
        ExampleJvm tomcat = ExampleJvm.start(folder, Map.of(), arguments);
        try {
            tomcat.awaitOutput("http://127.0.0.1:" + port);
            return tomcat;
        } catch (Throwable e) {
            tomcat.close();
            throw e;
        }
    }

    private void visits() throws IOException, InterruptedException {
        StringBuilder expected = new StringBuilder();
        for (int visit = 1; visit <= VISITS; visit++) {
            assertThat(send(HttpRequest.newBuilder(uri("?name=guest" + visit))
                            .POST(HttpRequest.BodyPublishers.noBody())))
                    .isEqualTo("201 ");
            expected.append(visit).append(" guest").append(visit).append(System.lineSeparator());
        }
        assertThat(send(HttpRequest.newBuilder(uri("")))).isEqualTo("200 " + expected);
    }

    /** The answer's status and body. */
    private String send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> response =
                http.send(request.timeout(Duration.ofMinutes(1)).build(), HttpResponse.BodyHandlers.ofString());
        return response.statusCode() + " " + response.body();
    }

    private URI uri(String query) {
        return URI.create("http://127.0.0.1:" + port + "/visits" + query);
    }
}
