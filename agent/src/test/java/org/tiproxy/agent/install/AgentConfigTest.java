package org.tiproxy.agent.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.event.Level;
import org.tiproxy.common.HostPort;
import org.tiproxy.config.ConfigException;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;

class AgentConfigTest {
    @TempDir
    Path folder;

    private final Problems problems = new Problems();

    private AgentConfig read(@Nullable String arguments) throws ConfigException {
        return AgentConfig.read(arguments, Map.of(), Map.of(), problems);
    }

    private List<String> errors(@Nullable String arguments) {
        return errors(arguments, Map.of(), Map.of());
    }

    private List<String> errors(
            @Nullable String arguments, Map<String, String> environment, Map<String, String> properties) {
        return catchThrowableOfType(
                        ConfigException.class,
                        () -> AgentConfig.read(arguments, environment, properties, new Problems()))
                .errors()
                .stream()
                .map(Problem::toString)
                .toList();
    }

    private Path file(String... lines) throws Exception {
        return Files.write(folder.resolve("agent.toml"), List.of(lines));
    }

    @Test
    void withoutAnyConfigurationEveryConnectionLeadsWhereItsUrlSaysAndNothingListens() throws Exception {
        AgentConfig config = read(null);

        assertThat(config.enabled()).isTrue();
        assertThat(config.rules().of(new HostPort("db1", 3306))).containsExactly(new HostPort("db1", 3306));
        assertThat(config.rules().exclusion(new DriverTarget("mariadb", "db1", 3306, "u"), new HostPort("db1", 3306)))
                .isNull();
        assertThat(config.pool().maxConnectionsPerAddress()).isEqualTo(1_000_000);
        assertThat(config.jolokia().address()).isNull();
        assertThat(config.child()).isNull();
        assertThat(config.log()).isEqualTo(new AgentLogConfig(Level.INFO, null));
    }

    @Test
    void theArgumentIsAFile() throws Exception {
        Path file = file(
                "[[agent.redirect]]",
                "from = \"db1:3306\"",
                "to = [\"10.0.0.1:3306\", \"10.0.0.2:3307\"]",
                "[[agent.redirect]]",
                "from = \"*.test:*\"",
                "to = \"127.0.0.1:3306\"",
                "[pool]",
                "max-lifetime = \"5m\"");

        AgentConfig config = read(file.toString());

        assertThat(config.configFile()).isEqualTo(file);
        assertThat(config.pool().maxLifetime()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.rules().of(new HostPort("DB1", 3306)))
                .containsExactly(new HostPort("10.0.0.1", 3306), new HostPort("10.0.0.2", 3307));
        assertThat(config.rules().of(new HostPort("a.test", 3310))).containsExactly(new HostPort("127.0.0.1", 3306));
        assertThat(config.rules().of(new HostPort("db2", 3306))).containsExactly(new HostPort("db2", 3306));
        assertThat(config.rules().describe())
                .containsExactly("db1:3306 -> 10.0.0.1:3306, 10.0.0.2:3307", "*.test:* -> 127.0.0.1:3306");
    }

    @Test
    void theArgumentIsAListOfKeysInWhichAListGoesOnBehindACommaWithoutAKey() throws Exception {
        AgentConfig config = read("agent.exclude-users=root,backup*,agent.exclude-drivers=mariadb-2,pool.min-idle=3");

        HostPort address = new HostPort("db1", 3306);
        assertThat(config.pool().minIdle()).isEqualTo(3);
        assertThat(config.rules().exclusion(new DriverTarget("mariadb", "db1", 3306, "Backup2"), address))
                .isEqualTo("user excluded");
        assertThat(config.rules().exclusion(new DriverTarget("mariadb", "db1", 3306, "app"), address))
                .isNull();
        assertThat(config.rules().exclusion(new DriverTarget("mariadb-2", "db1", 3306, "app"), address))
                .isEqualTo("driver excluded");
    }

    @Test
    void aFileMayComeBeforeKeysOrUnderItsName() throws Exception {
        Path file = file("[pool]", "min-idle = 1", "idle-timeout = \"1m\"");

        assertThat(read(file + ",pool.min-idle=2").pool().minIdle()).isEqualTo(2);
        assertThat(read("pool.min-idle=2,config=" + file).pool().idleTimeout()).isEqualTo(Duration.ofMinutes(1));
        assertThat(errors(file + ",config=other.toml").get(0)).contains("two configuration files");
        assertThat(errors("one,two").get(0)).contains("-javaagent: \"two\": expected key=value");
        assertThat(errors("pool.min-idle=1,pool.min-idle=2")).contains("-javaagent: pool.min-idle is given twice");
    }

    @Test
    void argumentsWinOverPropertiesThoseOverTheEnvironmentAndThatOverTheFile() throws Exception {
        Path file =
                file("[pool]", "min-idle = 1", "idle-timeout = \"1m\"", "max-lifetime = \"1m\"", "keep-alive = \"1m\"");
        Map<String, String> environment = Map.of(
                "TIPROXY_CONFIG", file.toString(),
                "TIPROXY_POOL_MIN_IDLE", "2",
                "TIPROXY_POOL_IDLE_TIMEOUT", "2m",
                "TIPROXY_POOL_MAX_LIFETIME", "2m");
        Map<String, String> properties =
                Map.of("tiproxy.pool.min-idle", "3", "tiproxy.pool.idle-timeout", "3m", "user.dir", "/");

        AgentConfig config = AgentConfig.read("pool.min-idle=4", environment, properties, problems);

        assertThat(config.pool().minIdle()).isEqualTo(4);
        assertThat(config.pool().idleTimeout()).isEqualTo(Duration.ofMinutes(3));
        assertThat(config.pool().maxLifetime()).isEqualTo(Duration.ofMinutes(2));
        assertThat(config.pool().keepAlive()).isEqualTo(Duration.ofMinutes(1));
    }

    @Test
    void whatIsMeantForTheServiceOnThisMachineIsAWarningOnly() throws Exception {
        Map<String, String> environment = Map.of("TIPROXY_PROXY_ADDR", "0.0.0.0:4000", "TIPROXY_POOL_MIN_IDLE", "2");

        AgentConfig config = AgentConfig.read(null, environment, Map.of(), problems);

        assertThat(config.pool().minIdle()).isEqualTo(2);
        assertThat(problems.warnings())
                .extracting(Object::toString)
                .containsExactly("TIPROXY_PROXY_ADDR: ignored, because it does not apply here");
    }

    @Test
    void everyMistakeIsNamedAtOnceWithThePlaceAndTheNearestKey() throws Exception {
        Path file = file(
                "[agent]",
                "exclude-address = \"db1\"",
                "exclude-drivers = [\"maria-db\"]",
                "exclude-addresses = [\"db1\"]",
                "[[agent.redirect]]",
                "from = \"db1\"",
                "too = \"db2:3306\"");

        assertThat(errors(
                        file + ",pool.min-idel=1",
                        Map.of("TIPROXY_POOL_MODUS", "session"),
                        Map.of("tiproxy.pool.max-lifetime", "5 parsecs")))
                .anySatisfy(error -> assertThat(error)
                        .endsWith("agent.toml:2: agent.exclude-address: unknown key; did you mean"
                                + " agent.exclude-addresses?"))
                .anySatisfy(error -> assertThat(error).contains("agent.toml:3:", "did you mean mariadb?"))
                .anySatisfy(error -> assertThat(error).contains("agent.toml:4:", "\"db1\": expected host:port"))
                .anySatisfy(error -> assertThat(error).contains("agent.toml:6:", "\"db1\": expected host:port"))
                .anySatisfy(error -> assertThat(error).contains("agent.toml:7:", "did you mean to?"))
                .anySatisfy(error -> assertThat(error).contains("needs to, the address"))
                .contains("pool.min-idel: unknown key; did you mean pool.min-idle?")
                .contains("TIPROXY_POOL_MODUS: unknown variable; did you mean TIPROXY_POOL_MODE?")
                .anySatisfy(error -> assertThat(error).startsWith("-Dtiproxy.pool.max-lifetime: \"5 parsecs\""));
    }

    @Test
    void secretsAreNotTakenFromWhereEverybodyCanReadThem() {
        assertThat(errors("jolokia.password=hunter2"))
                .anySatisfy(error -> assertThat(error).contains("give jolokia.password-file"))
                .noneSatisfy(error -> assertThat(error).contains("hunter2"));
        assertThat(errors(null, Map.of(), Map.of("tiproxy.jolokia.password", "hunter2")))
                .anySatisfy(error -> assertThat(error).startsWith("-Dtiproxy.jolokia.password: a secret"));
    }

    @Test
    void oneFileCanServeTheServiceToo() throws Exception {
        Path file = file("[proxy]", "addr = \"127.0.0.1:4000\"", "[backend]", "instances = [\"db1:3306\"]");

        assertThat(read(file.toString()).enabled()).isTrue();
        assertThat(problems.warnings().toString()).contains("proxy.addr", "backend.instances");
    }

    @Test
    void aChildNeedsItsAddressAndAnAddressItsChild() throws Exception {
        assertThat(errors("supervisor.exec=java"))
                .contains("supervisor.exec: needs agent.child-address, where the program" + " listens");
        assertThat(errors("agent.child-address=127.0.0.1:3306"))
                .contains("agent.child-address: has no effect without a program to start: exec in [supervisor]");
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        assertThat(read("agent.child-address=127.0.0.1:3306,supervisor.exec=" + java)
                        .child()
                        .address())
                .isEqualTo(new HostPort("127.0.0.1", 3306));
    }

    @Test
    void aFileThatIsNotThereIsAMistake() {
        assertThat(errors("/no/such.toml")).containsExactly("-javaagent: \"/no/such.toml\": no such file");
        assertThat(errors(null, Map.of(), Map.of("tiproxy.config", "/no/such.toml")))
                .containsExactly("-Dtiproxy.config: \"/no/such.toml\": no such file");
    }
}
