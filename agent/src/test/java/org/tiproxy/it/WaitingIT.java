package org.tiproxy.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.it.app.Crowd;
import org.tiproxy.it.app.Waiting;
import org.tiproxy.testing.MariaDbServer;

/** Threads of an application, virtual ones too, that wait for the pool or the server, and are interrupted meanwhile. */
@Timeout(240)
class WaitingIT {
    private static final String ONE_CONNECTION = "pool.max-connections-per-address=1,pool.acquire-timeout=60s";
    private static final Pattern PASSED = Pattern.compile("after (\\d+) ms");
    private static final int THREADS = 200;
    private static final int CONNECTIONS = 4;

    @TempDir
    static Path folder;

    private static MariaDbServer server;

    /** One driver of each maker's. */
    enum Driver {
        CONNECTOR_J("mysql-connector-j-26.10.0.jar", "jdbc:mysql:", "sslMode=DISABLED&allowPublicKeyRetrieval=true"),
        MARIADB("mariadb-java-client-3.5.11.jar", "jdbc:mariadb:", "sslMode=disable");

        private final String jar;
        private final String scheme;
        private final String options;

        Driver(String jar, String scheme, String options) {
            this.jar = jar;
            this.scheme = scheme;
            this.options = options;
        }

        String url() {
            return scheme + "//127.0.0.1:" + server.port() + "/demo?user=demo&password=demo&" + options;
        }

        AppJvm on(String java) {
            return new AppJvm().on(java).withDriver(jar);
        }
    }

    /** A driver on a JDK, with one of its kinds of threads. */
    record Place(Driver driver, String java, String threads) {
        AppJvm.Result run(String agent, String... what) throws Exception {
            AppJvm jvm = driver.on(java);
            if (!agent.isEmpty()) {
                jvm.agent(agent);
            }
            AppJvm.Result result = jvm.run(
                    Waiting.class,
                    Stream.concat(Stream.of(driver.url(), threads), Stream.of(what))
                            .toArray(String[]::new));
            assertThat(result.status())
                    .as("%s%n%s", result.err(), server.describe())
                    .isZero();
            return result;
        }
    }

    static Stream<Place> places() {
        return Stream.of(Driver.values())
                .flatMap(driver -> AppJvm.jdks()
                        .flatMap(java -> Stream.of("platform", "virtual")
                                .filter(threads -> threads.equals("platform") || hasVirtualThreads(java))
                                .map(threads -> new Place(driver, java, threads))));
    }

    private static boolean hasVirtualThreads(String java) {
        return !java.equals(TiProxyJar.JAVA) || Runtime.version().feature() >= 21;
    }

    @BeforeAll
    static void startServer() throws Exception {
        server = MariaDbServer.start(folder);
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    @ParameterizedTest
    @EnumSource
    void manyVirtualThreadsOnOneCarrierShareFewConnections(Driver driver) throws Exception {
        List<String> jdks = AppJvm.jdks().filter(WaitingIT::hasVirtualThreads).toList();
        assumeTrue(!jdks.isEmpty(), "no JDK with virtual threads");
        for (String java : jdks) {
            AppJvm.Result result = driver.on(java)
                    .agent("pool.max-connections-per-address=" + CONNECTIONS + ",pool.acquire-timeout=60s")
                    // A carrier that is held by a thread that waits is not made up for: nothing would go on.
                    .option("-Djdk.virtualThreadScheduler.parallelism=1")
                    .option("-Djdk.virtualThreadScheduler.maxPoolSize=1")
                    .run(Crowd.class, driver.url(), Integer.toString(THREADS));

            assertThat(result.lines())
                    .as(result.err())
                    .containsExactly(
                            "all have ended: true", "right answers: " + THREADS, "connections: " + CONNECTIONS);
        }
    }

    @ParameterizedTest
    @MethodSource("places")
    void aThreadThatIsInterruptedWhileItWaitsForThePoolGivesUpAtOnce(Place place) throws Exception {
        AppJvm.Result result = place.run(ONE_CONNECTION, "interrupted-in-the-pool");

        assertThat(result.lines())
                .as(result.err())
                .containsExactly(
                        "SQLException of class 08, interrupted: true",
                        "at once: true",
                        "nobody waits: true",
                        "later: works");
    }

    @ParameterizedTest
    @MethodSource("places")
    void aThreadThatIsInterruptedWhileItReadsSeesWhatItSeesWithoutTheAgent(Place place) throws Exception {
        AppJvm.Result direct = place.run("", "interrupted-in-a-read");
        AppJvm.Result redirected = place.run("log.level=info", "interrupted-in-a-read");

        assertThat(redirected.lines()).as(redirected.err()).isEqualTo(direct.lines());
    }

    @ParameterizedTest
    @EnumSource
    void theConnectTimeoutCoversTheWaitForThePool(Driver driver) throws Exception {
        Place place = new Place(driver, TiProxyJar.JAVA, "platform");

        AppJvm.Result result = place.run(ONE_CONNECTION, "connect-timeout", "connectTimeout=700");

        Matcher passed = PASSED.matcher(result.out());
        assertThat(passed.find()).as(result.out()).isTrue();
        assertThat(Integer.parseInt(passed.group(1))).isBetween(600, 20_000);
        assertThat(result.lines())
                .as(result.err())
                .startsWith("SQLException of class 08, interrupted: false")
                .endsWith("first: works", "later: works");
    }
}
