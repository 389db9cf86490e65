package org.tiproxy.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.tools.attach.VirtualMachine;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.bytebuddy.ByteBuddy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.jul.JULServiceProvider;
import org.tiproxy.it.app.Probe;

/** Applications that are started with the agent, or that get it while they run. */
@Timeout(180)
class AgentIT {
    private static final String DRIVER_CLASS = "org.mariadb.jdbc.client.impl.ConnectionHelper";

    @TempDir
    Path folder;

    static Stream<String> jdks() {
        return AppJvm.jdks();
    }

    private static AppJvm withDriver(String java) {
        return new AppJvm().on(java).with(org.mariadb.jdbc.Driver.class);
    }

    private static AppJvm withDriver() {
        return withDriver(TiProxyJar.JAVA);
    }

    private Set<String> loadedClasses(AppJvm jvm) throws Exception {
        Path log = folder.resolve("classes-" + System.nanoTime());
        AppJvm.Result result = jvm.option("-Xlog:class+load=info:file=" + log + "::filecount=0")
                .run(Probe.class, "property=java.version");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.err()).isEmpty();
        return Files.readAllLines(log).stream()
                .filter(line -> line.contains(" source: "))
                .map(line -> line.replaceFirst("^(\\[[^]]*\\])+ ", "").replaceFirst(" source: .*", ""))
                .collect(Collectors.toSet());
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void anApplicationWithoutADriverLoadsAHandfulOfOurClassesAndNothingOfLoggingJmxOrJdbc(String java)
            throws Exception {
        Set<String> without = loadedClasses(new AppJvm().on(java));
        Set<String> with = loadedClasses(new AppJvm().on(java).agent());

        with.removeAll(without);
        assertThat(with)
                .filteredOn(name -> name.startsWith("org.tiproxy"))
                .containsExactlyInAnyOrder(
                        "org.tiproxy.agent.TiProxyAgent",
                        "org.tiproxy.agent.DriverClasses",
                        "org.tiproxy.agent.DriverTransformer",
                        "org.tiproxy.agent.DriverTransformer$State");
        assertThat(with)
                .noneMatch(
                        name -> name.matches(
                                "(java\\.util\\.logging|javax\\.management|java\\.lang\\.management|java\\.sql|sun\\.management)\\..*"))
                .as("no lambda and no concatenation that is made at run time")
                .noneMatch(name -> name.contains("TiProxyAgent$$Lambda") || name.contains("StringConcatFactory"));
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void theFirstDriverClassStartsTheRestAndNothingOfItIsVisible(String java) throws Exception {
        AppJvm.Result result = withDriver(java)
                .agent()
                .run(
                        Probe.class,
                        "hook=before",
                        "load=" + DRIVER_CLASS,
                        "hook=after",
                        "threads=",
                        "find=org.tiproxy.agent.bootstrap.Bridge",
                        "find=org.tiproxy.agent.install.AgentInstaller",
                        "find=org.tiproxy.pool.ConnectionPool",
                        "find=org.tiproxy.shaded.org.slf4j.Logger",
                        "find=org.tiproxy.shaded.net.bytebuddy.jar.asm.ClassReader",
                        "find=org.slf4j.Logger",
                        "find=net.bytebuddy.ByteBuddy",
                        "find=io.netty.util.Version");

        assertThat(result.err()).isEmpty();
        assertThat(result.lines())
                .containsExactly(
                        "before without hook",
                        "after with hook",
                        "org.tiproxy.agent.bootstrap.Bridge in " + TiProxyJar.JAR,
                        "org.tiproxy.agent.install.AgentInstaller not found",
                        "org.tiproxy.pool.ConnectionPool not found",
                        "org.tiproxy.shaded.org.slf4j.Logger not found",
                        "org.tiproxy.shaded.net.bytebuddy.jar.asm.ClassReader not found",
                        "org.slf4j.Logger not found",
                        "net.bytebuddy.ByteBuddy not found",
                        "io.netty.util.Version not found",
                        "done");
    }

    @Test
    void theStartTouchesNeitherTheApplicationsLoggingNorItsBeans() throws Exception {
        Path log = folder.resolve("classes");
        AppJvm.Result result = withDriver()
                .agent()
                .option("-Xlog:class+load=info:file=" + log + "::filecount=0")
                .run(Probe.class, "load=" + DRIVER_CLASS);

        assertThat(result.err()).isEmpty();
        assertThat(Files.readAllLines(log))
                .filteredOn(line -> line.matches(
                        ".* (java\\.util\\.logging|javax\\.management|java\\.lang\\.management|org\\.tiproxy\\.shaded\\.io\\.netty"
                                + "|org\\.tiproxy\\.(net|app|cli))\\..*"))
                .isEmpty();
    }

    @Test
    void theApplicationsOwnLibrariesAreItsOwn() throws Exception {
        AppJvm.Result result = withDriver()
                .with(Logger.class, JULServiceProvider.class, ByteBuddy.class, io.netty.util.Version.class)
                .agent()
                .option("-Dslf4j.provider=org.slf4j.jul.JULServiceProvider")
                .run(
                        Probe.class,
                        "load=" + DRIVER_CLASS,
                        "find=org.slf4j.Logger",
                        "find=net.bytebuddy.ByteBuddy",
                        "find=io.netty.util.Version");

        assertThat(result.err()).isEmpty();
        assertThat(result.lines())
                .containsExactly(
                        "org.slf4j.Logger in " + AppJvm.jarOf(Logger.class),
                        "net.bytebuddy.ByteBuddy in " + AppJvm.jarOf(ByteBuddy.class),
                        "io.netty.util.Version in " + AppJvm.jarOf(io.netty.util.Version.class),
                        "done");
    }

    @Test
    void mistakesInTheConfigurationAreReportedOnceAndTheApplicationRunsWithoutUs() throws Exception {
        AppJvm.Result result = withDriver()
                .agent("pool.min-idel=1,agent.exclude-drivers=maria-db")
                .run(
                        Probe.class,
                        "load=" + DRIVER_CLASS,
                        "load=org.mariadb.jdbc.client.impl.StandardClient",
                        "hook=after");

        assertThat(result.status()).isZero();
        assertThat(result.lines()).containsExactly("after without hook", "done");
        assertThat(result.err().lines())
                .containsExactly(
                        "tiproxy: 2 configuration errors, connections stay direct",
                        "  pool.min-idel: unknown key; did you mean pool.min-idle?",
                        "  agent.exclude-drivers: \"maria-db\": expected one of connector-j, connector-j-5.1, mariadb,"
                                + " mariadb-2; did you mean mariadb?");
    }

    @Test
    void noFileIsReadBeforeTheFirstDriverClass() throws Exception {
        AppJvm.Result result = withDriver().agent("/no/such.toml").run(Probe.class, "hook=still");

        assertThat(result.err()).isEmpty();
        assertThat(result.lines()).containsExactly("still without hook", "done");
    }

    @Test
    void switchedOffByASystemPropertyItLeavesTheApplicationAlone() throws Exception {
        AppJvm.Result result = withDriver()
                .agent()
                .option("-Dtiproxy.agent.enabled=false")
                .run(Probe.class, "load=" + DRIVER_CLASS, "hook=after");

        assertThat(result.err()).isEmpty();
        assertThat(result.lines()).containsExactly("after without hook", "done");
    }

    @Test
    void givenTwiceItIsInstalledOnce() throws Exception {
        AppJvm.Result result =
                withDriver().agent().agent("pool.min-idel=1").run(Probe.class, "load=" + DRIVER_CLASS, "hook=after");

        assertThat(result.lines()).containsExactly("after with hook", "done");
        assertThat(result.err().lines())
                .containsExactly("tiproxy: is in this JVM already; this further -javaagent or attach has no effect");
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void attachedToAnApplicationThatRunsItFindsTheDriverThatIsLoaded(String java) throws Exception {
        Process application = withDriver(java)
                .option("-XX:+EnableDynamicAgentLoading")
                .start(Probe.class, "load=" + DRIVER_CLASS, "wait=loaded", "hook=after");
        try {
            BufferedReader out =
                    new BufferedReader(new InputStreamReader(application.getInputStream(), StandardCharsets.UTF_8));
            assertThat(out.readLine()).isEqualTo("loaded");
            VirtualMachine machine = VirtualMachine.attach(Long.toString(application.pid()));
            machine.loadAgent(TiProxyJar.JAR.toString(), "");
            machine.detach();
            application.getOutputStream().write('\n');
            application.getOutputStream().flush();
            assertThat(List.of(out.readLine(), out.readLine())).containsExactly("after with hook", "done");
            assertThat(application.waitFor()).isZero();
        } finally {
            application.destroy();
        }
    }
}
