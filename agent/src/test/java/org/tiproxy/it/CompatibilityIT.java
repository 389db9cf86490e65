package org.tiproxy.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mariadb.jdbc.Driver;
import org.tiproxy.drivers.CompatibilityProgram;
import org.tiproxy.testing.MariaDbServer;
import org.tiproxy.testing.MySqlServer;

/**
 * An application in a JVM of its own sees the same with {@code -javaagent:tiproxy.jar} and without, whatever driver it
 * uses: one of each line on the tests' own JDK, or, with {@code -Pmatrix}, all on both JDKs. What was tested is written to
 * {@code target/compatibility.md}. {@code -Dtiproxy.driver=} and {@code -Dtiproxy.scenario=} choose by a part of the name.
 */
@Timeout(1800)
class CompatibilityIT {
    private static final boolean MATRIX = Boolean.getBoolean("tiproxy.matrix");
    private static final Pattern COUNTED = Pattern.compile(CompatibilityProgram.COUNTED + "(\\d+) (\\d+) (.*)");

    @TempDir
    static Path folder;

    private static MariaDbServer server;
    private static @Nullable MySqlServer mySql;

    /**
     * Applications that share connections to the server cannot each have told it about themselves: it knows the pool's
     * connections by the pool's attributes.
     */
    private static final Set<String> DIFFERENT_ON_PURPOSE = Set.of("connection attributes");

    /** Drivers, and for each JDK how many scenarios have ended the same. */
    private static final Map<String, Map<String, String>> RESULTS = new ConcurrentSkipListMap<>();

    @BeforeAll
    static void start() throws Exception {
        server = MariaDbServer.start(folder, CompatibilityProgram.serverOptions(folder));
        if (!MATRIX && MySqlServer.isPresent()) {
            mySql = CompatibilityProgram.startMySql(folder);
        }
    }

    @AfterAll
    static void stop() throws IOException {
        if (mySql != null) {
            mySql.close();
        }
        server.close();
        Set<String> jdks = new TreeSet<>();
        RESULTS.values().forEach(results -> jdks.addAll(results.keySet()));
        List<String> table = new ArrayList<>();
        table.add("| driver | " + String.join(" | ", jdks) + " |");
        table.add("|---|" + "---|".repeat(jdks.size()));
        RESULTS.forEach((driver, results) -> table.add("| " + driver + " | "
                + String.join(
                        " | ",
                        jdks.stream().map(jdk -> results.getOrDefault(jdk, "")).toList())
                + " |"));
        Files.write(Path.of("target", "compatibility.md"), table);
    }

    @TestFactory
    Stream<DynamicNode> theSameWithTheAgent() {
        String only = System.getProperty("tiproxy.driver", "");
        List<String> jdks = MATRIX ? AppJvm.jdks().toList() : List.of(TiProxyJar.JAVA);
        Stream<DynamicNode> onMariaDb = jdks.stream()
                .flatMap(java -> CompatibilityProgram.drivers(MATRIX || !only.isEmpty()).stream()
                        .filter(driver -> driver.contains(only))
                        .map(driver ->
                                dynamicContainer(driver + " on " + java, comparison(driver, "", java, server.port()))));
        MySqlServer other = mySql;
        Stream<DynamicNode> onMySql = other == null
                ? Stream.of()
                : CompatibilityProgram.driversOnMySql().stream()
                        .filter(driver -> driver.contains(only))
                        .map(driver -> dynamicContainer(
                                driver + " to MySQL on " + TiProxyJar.JAVA,
                                comparison(driver, " to MySQL", TiProxyJar.JAVA, other.port())));
        return Stream.concat(onMariaDb, onMySql);
    }

    private static Stream<DynamicNode> comparison(String driver, String what, String java, int port) {
        // Lazily: all the drivers' JVMs at once would be too many.
        return Stream.of(1).flatMap(once -> {
            Map<String, List<String>> direct = scenarios(run(driver, port, new AppJvm().on(java)));
            AppJvm.Result redirected = run(driver, port, new AppJvm().on(java).agent());
            Map<String, List<String>> pooled = scenarios(redirected);
            direct.keySet().removeAll(DIFFERENT_ON_PURPOSE);
            long equal = direct.entrySet().stream()
                    .filter(entry -> entry.getValue().equals(pooled.get(entry.getKey())))
                    .count();
            RESULTS.computeIfAbsent(driver + what, added -> new ConcurrentSkipListMap<>())
                    .put(version(java), equal + " of " + direct.size());
            List<DynamicNode> tests = new ArrayList<>();
            tests.add(dynamicTest("through the engine", () -> throughTheEngine(redirected)));
            direct.forEach((name, lines) -> tests.add(dynamicTest(
                    name,
                    () -> assertThat(pooled.get(name)).as(redirected.err()).isEqualTo(lines))));
            return tests.stream();
        });
    }

    private static String version(String java) {
        Matcher number = Pattern.compile("(?:temurin-|java-)(\\d+)").matcher(java);
        return "JDK " + (number.find() ? number.group(1) : Runtime.version().feature());
    }

    private static AppJvm.Result run(String driver, int port, AppJvm jvm) {
        try {
            AppJvm.Result result = jvm.with(
                            CompatibilityProgram.class, MariaDbServer.class, Driver.class, Awaitility.class)
                    .with(org.hamcrest.Matcher.class, org.assertj.core.api.Assertions.class)
                    // Compiled code would throw the JVM's own exceptions without their messages.
                    .option("-XX:-OmitStackTraceInFastThrow")
                    .run(
                            CompatibilityProgram.class,
                            driver,
                            Integer.toString(port),
                            folder.toString(),
                            System.getProperty("tiproxy.scenario", ""),
                            Boolean.toString(MATRIX));
            assertThat(result.status()).as(result.err()).isZero();
            return result;
        } catch (Exception e) {
            throw new IllegalStateException(driver, e);
        }
    }

    private static Map<String, List<String>> scenarios(AppJvm.Result result) {
        Map<String, List<String>> scenarios = new LinkedHashMap<>();
        List<String> current = new ArrayList<>();
        for (String line : result.lines()) {
            if (line.startsWith(CompatibilityProgram.SCENARIO)) {
                current = new ArrayList<>();
                scenarios.put(line.substring(CompatibilityProgram.SCENARIO.length()), current);
            } else {
                current.add(line);
            }
        }
        return scenarios;
    }

    private static void throughTheEngine(AppJvm.Result redirected) {
        Matcher counted = COUNTED.matcher(redirected.err());
        assertThat(counted.find()).as(redirected.err()).isTrue();
        assertThat(Integer.parseInt(counted.group(1))).as("redirected").isPositive();
        assertThat(counted.group(2)).as("failed open: " + counted.group(3)).isEqualTo("0");
    }
}
