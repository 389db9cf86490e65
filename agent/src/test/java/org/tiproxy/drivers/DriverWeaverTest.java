package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.net.URLClassLoader;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.agent.DriverClasses;
import org.tiproxy.agent.bootstrap.Bridge;
import org.tiproxy.agent.driver.DriverWeaver;
import org.tiproxy.testing.MariaDbServer;

/** The classes of every driver version, woven and loaded by a JVM that verifies them. */
class DriverWeaverTest {
    private final List<String> points = new CopyOnWriteArrayList<>();

    static Stream<JdbcDriver> drivers() {
        return JdbcDriver.WOVEN.stream();
    }

    @AfterEach
    void removeHook() {
        Bridge.HOOK = null;
    }

    private static Set<String> expected(JdbcDriver driver) {
        return switch (driver) {
            case CONNECTOR_J_26_10_0,
                    CONNECTOR_J_9_7_0,
                    CONNECTOR_J_9_4_0,
                    CONNECTOR_J_8_0_33,
                    CONNECTOR_J_8_0_28,
                    CONNECTOR_J_8_0_19,
                    CONNECTOR_J_8_0_11 -> Set.of("NativeSession", "StandardSocketFactory", "NativeProtocol");
            case CONNECTOR_J_5_1_49, CONNECTOR_J_5_1_40 -> Set.of("StandardSocketFactory", "MysqlIO");
            case MARIADB_4_0_0, MARIADB_3_5_11, MARIADB_3_5_6, MARIADB_3_5_1, MARIADB_3_4_1 ->
                Set.of("ConnectionHelper", "StandardClient");
            case MARIADB_3_3_3, MARIADB_3_1_4, MARIADB_3_0_4 -> Set.of("ConnectionHelper");
            case MARIADB_2_7_13, MARIADB_2_4_4 -> Set.of("Utils", "AbstractConnectProtocol");
        };
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void theJvmVerifiesWhatWasWoven(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = new WovenLoader(driver)) {
            for (String name : DriverClasses.names()) {
                if (loader.getResource(name.replace('.', '/') + ".class") != null) {
                    Class.forName(name, true, loader);
                }
            }
            assertThat(loader.woven()).isEqualTo(expected(driver));
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void theHookIsAskedForOneSocketForOneConnection(JdbcDriver driver) throws Exception {
        int nobody = MariaDbServer.freePort();
        Bridge.HOOK = call -> {
            points.add(call[0] + " " + call.length);
            return null;
        };
        try (WovenLoader loader = new WovenLoader(driver)) {
            assertThatThrownBy(() -> driver.connect(loader, nobody, "demo", "demo", "demo"))
                    .isInstanceOf(SQLException.class);
        }
        List<String> socket = switch (driver.family()) {
            // Before, the session leaves who logs in; afterwards, however it ended, it takes that away.
            case CONNECTOR_J, CONNECTOR_J_8_0_11 ->
                List.of("connector-j.connect 4", "connector-j.socket 3", "connector-j.connect 2");
            case CONNECTOR_J_5 -> List.of("connector-j-5.1.socket 3");
            case MARIADB ->
                driver.compareTo(JdbcDriver.MARIADB_2_7_13) < 0
                        ? List.of("mariadb.socket 3")
                        : List.of("mariadb-2.socket 3");
        };
        assertThat(points).isEqualTo(socket);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void withoutAHookTheDriverFailsAsItAlwaysDoes(JdbcDriver driver) throws Exception {
        int nobody = MariaDbServer.freePort();
        try (URLClassLoader plain = driver.load();
                WovenLoader loader = new WovenLoader(driver)) {
            Throwable usual = catchThrowable(() -> driver.connect(plain, nobody, "demo", "demo", "demo"));
            assertThatThrownBy(() -> driver.connect(loader, nobody, "demo", "demo", "demo"))
                    .hasMessage(usual.getMessage())
                    .satisfies(failure -> assertThat(failure.getClass().getName())
                            .isEqualTo(usual.getClass().getName()));
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aHookThatThrowsIsAsNone(JdbcDriver driver) throws Exception {
        int nobody = MariaDbServer.freePort();
        Bridge.HOOK = call -> {
            throw new IllegalStateException("out of order");
        };
        try (WovenLoader loader = new WovenLoader(driver)) {
            assertThatThrownBy(() -> driver.connect(loader, nobody, "demo", "demo", "demo"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageNotContaining("out of order");
        }
    }

    @Test
    void classesOfOthersAreLeftAlone() throws Exception {
        byte[] own = DriverWeaverTest.class
                .getResourceAsStream("DriverWeaverTest.class")
                .readAllBytes();

        assertThat(new DriverWeaver().weave(DriverWeaverTest.class.getName(), null, own))
                .isNull();
    }
}
