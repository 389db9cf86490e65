package org.tiproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.backend.BackendConfig;
import org.tiproxy.common.ByteSize;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.IpNetwork;
import org.tiproxy.common.Secret;
import org.tiproxy.config.ConfigException;
import org.tiproxy.config.Origin;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.SettingsReader;
import org.tiproxy.management.JmxConfig;
import org.tiproxy.management.JolokiaConfig;
import org.tiproxy.net.LoginLimits;
import org.tiproxy.net.NetworkTransport;
import org.tiproxy.net.PoolingConfig;
import org.tiproxy.net.ProxyConfig;
import org.tiproxy.net.ProxyProtocolConfig;
import org.tiproxy.net.tls.SecurityConfig;
import org.tiproxy.supervisor.SupervisorConfig;
import org.tiproxy.supervisor.SupervisorConfig.Probe;

class TiProxyConfigTest {
    private static final String BACKEND = "backend.instances = ['127.0.0.1:3000']";

    @TempDir
    Path folder;

    private final Map<String, String> environment = new HashMap<>();
    private final List<String> errors = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void putOneProgramIntoThePath() throws IOException {
        environment.put("PATH", program("bin/server").getParent() + ":/nowhere");
        environment.put("XDG_STATE_HOME", "/states");
    }

    private Path program(String name) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** The configuration that the lines make; null if they make none. */
    private @Nullable TiProxyConfig read(String... lines) throws IOException {
        Path file = Files.write(folder.resolve("x.toml"), List.of(lines));
        Problems problems = new Problems();
        SettingsReader reader = new SettingsReader(TiProxyConfig.KEYS, TiProxyConfig.IGNORED, environment, problems);
        reader.readFile(file, "x.toml", Origin.ofFlag("--config", ""));
        try {
            return TiProxyConfig.from(reader.settings(), problems);
        } catch (ConfigException e) {
            errors.addAll(e.errors().stream().map(Problem::toString).toList());
            return null;
        } finally {
            warnings.addAll(problems.warnings().stream().map(Problem::toString).toList());
        }
    }

    private TiProxyConfig readValid(String... lines) throws IOException {
        TiProxyConfig config = read(lines);
        assertThat(errors).isEmpty();
        return Objects.requireNonNull(config);
    }

    @Test
    void defaultsNeedOnlyABackend() throws IOException {
        TiProxyConfig config = readValid(BACKEND);

        assertThat(config)
                .isEqualTo(new TiProxyConfig(
                        new ProxyConfig(
                                new HostPort("0.0.0.0", 4000),
                                ProxyConfig.Protocol.MYSQL,
                                0,
                                Duration.ZERO,
                                true,
                                Duration.ofSeconds(5),
                                0,
                                1024,
                                NetworkTransport.AUTO,
                                Duration.ZERO,
                                Duration.ofSeconds(15)),
                        new BackendConfig(List.of(new HostPort("127.0.0.1", 3000))),
                        null,
                        SecurityConfig.NONE,
                        new JmxConfig(new HostPort("127.0.0.1", 9010), null, null),
                        new JolokiaConfig(new HostPort("127.0.0.1", 8778), null, null, List.of()),
                        new LogConfig(LogConfig.Level.INFO, null, new ByteSize(300 << 20), 3),
                        folder.resolve("x.toml")));
    }

    @Test
    void onlyAFileWithBackendsMakesMySqlTheProtocol() throws IOException {
        environment.put("TIPROXY_BACKEND_INSTANCES", "127.0.0.1:3001");

        assertThat(readValid().proxy().protocol()).isEqualTo(ProxyConfig.Protocol.TCP);
        assertThat(readValid(BACKEND).proxy().protocol()).isEqualTo(ProxyConfig.Protocol.MYSQL);
        assertThat(readValid(BACKEND, "proxy.protocol = 'tcp'").proxy().protocol())
                .isEqualTo(ProxyConfig.Protocol.TCP);
    }

    @Test
    void theUsualProbeIsThatOfTheProtocol() throws IOException {
        String tcp = "proxy.protocol = 'tcp'";

        assertThat(probe(BACKEND, "supervisor.exec = 'server'")).isEqualTo(Probe.MYSQL);
        assertThat(probe(BACKEND, tcp, "supervisor.exec = 'server'")).isEqualTo(Probe.TCP);
        assertThat(probe(BACKEND, "supervisor = {exec = 'server', probe = 'tcp'}"))
                .isEqualTo(Probe.TCP);
    }

    private Probe probe(String... lines) throws IOException {
        return Objects.requireNonNull(readValid(lines).supervisor()).probe();
    }

    @Test
    void supervisorDefaultsNeedOnlyAProgram() throws IOException {
        TiProxyConfig config = readValid(BACKEND, "supervisor.exec = 'server'");

        assertThat(config.supervisor())
                .isEqualTo(new SupervisorConfig(
                        folder.resolve("bin/server").toString(),
                        List.of(),
                        null,
                        new HostPort("127.0.0.1", 3000),
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(30),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(10),
                        Probe.MYSQL,
                        null,
                        Duration.ofMillis(500),
                        Duration.ofSeconds(30),
                        Path.of("/states/tiproxy")));
    }

    @Test
    void everyKeyReachesItsRecord() throws IOException {
        Files.writeString(folder.resolve("secret"), "from file");
        TiProxyConfig config = readValid(
                "[proxy]",
                "addr = '[::1]:4001'",
                "protocol = 'tcp'",
                "max-connections = 7",
                "idle-timeout = '1m'",
                "keep-alive = false",
                "connect-timeout = '2s'",
                "event-loops = 3",
                "backlog = 9",
                "transport = 'nio'",
                "graceful-wait-before-shutdown = 4",
                "graceful-close-conn-timeout = '1.5s'",
                "proxy-protocol = 'v2'",
                "proxy-protocol-networks = ['10.0.0.0/8', '::1']",
                "login-timeout = '3s'",
                "max-half-open-logins = 5",
                "max-login-packet = 1000",
                "[backend]",
                "instances = ['127.0.0.1:3001']",
                "[supervisor]",
                "exec = './server'",
                "args = ['-p', '']",
                "workdir = 'bin'",
                "idle = 'never'",
                "start = '1s'",
                "ready = '2ms'",
                "grace-period = '3s'",
                "probe = 'http'",
                "probe-url = 'http://127.0.0.1:3001/'",
                "min-backoff = '1ms'",
                "max-backoff = '2ms'",
                "state-dir = 'state'",
                "[jmx]",
                "addr = '0.0.0.0:9011'",
                "user = 'u'",
                "password = 'p'",
                "[jolokia]",
                "addr = 'off'",
                "user = 'v'",
                "password-file = 'secret'",
                "allowed-hosts = ['a', 'b']",
                "[log]",
                "level = 'trace'",
                "[log.log-file]",
                "filename = 'x.log'",
                "max-size = 1",
                "max-backups = 0");

        assertThat(config)
                .isEqualTo(new TiProxyConfig(
                        new ProxyConfig(
                                new HostPort("::1", 4001),
                                ProxyConfig.Protocol.TCP,
                                7,
                                Duration.ofMinutes(1),
                                false,
                                Duration.ofSeconds(2),
                                3,
                                9,
                                NetworkTransport.NIO,
                                Duration.ofSeconds(4),
                                Duration.ofMillis(1500),
                                new ProxyProtocolConfig(
                                        ProxyProtocolConfig.Version.V2,
                                        List.of(IpNetwork.parse("10.0.0.0/8"), IpNetwork.parse("::1"))),
                                new LoginLimits(Duration.ofSeconds(3), 5, 1000)),
                        new BackendConfig(List.of(new HostPort("127.0.0.1", 3001))),
                        new SupervisorConfig(
                                folder.resolve("bin/server").toString(),
                                List.of("-p", ""),
                                folder.resolve("bin"),
                                new HostPort("127.0.0.1", 3001),
                                SupervisorConfig.NEVER,
                                Duration.ofSeconds(1),
                                Duration.ofMillis(2),
                                Duration.ofSeconds(3),
                                Probe.HTTP,
                                URI.create("http://127.0.0.1:3001/"),
                                Duration.ofMillis(1),
                                Duration.ofMillis(2),
                                folder.resolve("state")),
                        SecurityConfig.NONE,
                        new JmxConfig(new HostPort("0.0.0.0", 9011), "u", new Secret("p")),
                        new JolokiaConfig(null, "v", new Secret("from file"), List.of("a", "b")),
                        new LogConfig(LogConfig.Level.TRACE, folder.resolve("x.log"), new ByteSize(1 << 20), 0),
                        folder.resolve("x.toml")));
        assertThat(config.toString()).doesNotContain("from file").contains("password=***");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "proxy.connect-timeout = '61m'       | x.toml:2: proxy.connect-timeout: \"1h1m0s\": expected at most 1h",
                "proxy.addr = '0.0.0.0:9010'         | x.toml:2: proxy.addr: \"0.0.0.0:9010\": taken by jmx.addr (127.0.0.1:9010)",
                "jmx.addr = 'localhost:8778'         | x.toml:2: jmx.addr: \"localhost:8778\": taken by jolokia.addr (127.0.0.1:8778)",
                "jolokia.addr = '127.0.0.1:4000'     | x.toml:2: jolokia.addr: \"127.0.0.1:4000\": taken by proxy.addr (0.0.0.0:4000)",
                "proxy.addr = '127.0.0.1:3000'       | x.toml:1: backend.instances: \"127.0.0.1:3000\": the proxy itself listens there (proxy.addr is 127.0.0.1:3000) and would connect to itself",
                "proxy.addr = ':3000'                | x.toml:1: backend.instances: \"127.0.0.1:3000\": the proxy itself listens there (proxy.addr is :3000) and would connect to itself",
                "jmx.addr = '0.0.0.0:9010'           | x.toml:2: jmx.addr: \"0.0.0.0:9010\": other machines can reach this address: give jmx.user and jmx.password, or use 127.0.0.1",
                "jolokia.addr = ':8778'              | x.toml:2: jolokia.addr: \":8778\": other machines can reach this address: give jolokia.user and jolokia.password, or use 127.0.0.1",
                "jmx.addr = 'myhost:9010'            | x.toml:2: jmx.addr: \"myhost:9010\": other machines can reach this address: give jmx.user and jmx.password, or use 127.0.0.1",
                "jmx.user = 'u'                      | x.toml:2: jmx.user: needs jmx.password (or jmx.password-file) too",
                "jolokia.password = 'p'              | x.toml:2: jolokia.password: needs jolokia.user too",
                "log.log-file.max-size = 0           | x.toml:2: log.log-file.max-size: expected more than 0",
                "supervisor.idle = '1s'              | x.toml:2: supervisor.idle: has no effect without a program to start (--exec, or exec in [supervisor])",
                "supervisor.args = ['x']             | x.toml:2: supervisor.args: has no effect without a program to start (--exec, or exec in [supervisor])",
                "supervisor = {exec = 'server', probe = 'http'}               | x.toml:2: supervisor.probe: \"http\": needs supervisor.probe-url, such as http://127.0.0.1:3000/",
                "supervisor = {exec = 'server', probe-url = 'http://a/'}      | x.toml:2: supervisor.probe-url: has no effect unless supervisor.probe is \"http\"",
                "supervisor = {exec = 'server', min-backoff = '31s'}          | x.toml:2: supervisor.min-backoff: supervisor.min-backoff (31s) is more than supervisor.max-backoff (30s)",
                "supervisor = {exec = 'server', max-backoff = '1ms'}          | x.toml:2: supervisor.max-backoff: supervisor.min-backoff (500ms) is more than supervisor.max-backoff (1ms)",
                "supervisor = {exec = 'server', start = '0s'}                 | x.toml:2: supervisor.start: \"0s\": expected a duration such as 30s, 500ms or 1m30s, more than 0",
            })
    void reportsWhatContradictsItself(String line, String error) throws IOException {
        assertThat(read(BACKEND, line)).isNull();
        assertThat(errors).containsExactly(error);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "proxy.addr = '127.0.0.1:0'\njmx.addr = '127.0.0.1:0'\njolokia.addr = '127.0.0.1:0'",
                "proxy.addr = '127.0.0.2:9010'",
                "jmx.addr = 'off'\njolokia.addr = '127.0.0.1:9010'",
                "jmx.addr = '[::1]:9010'",
                "jmx = {addr = '0.0.0.0:9010', user = 'u', password = 'p'}",
                "supervisor = {exec = 'server', idle = '0', min-backoff = '30s'}",
            })
    void acceptsWhatDoesNot(String line) throws IOException {
        readValid(BACKEND, line);
    }

    @Test
    void remoteBackendMayHaveTheProxysPort() throws IOException {
        readValid("backend.instances = ['10.0.0.5:4000']");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                                  | backend.instances: no backend was given: use --dest host:port, or instances in [backend]",
                "backend.instances = []              | x.toml:1: backend.instances: expected exactly one address, found 0",
                "backend.instances = ['a:1', 'b:2']  | x.toml:1: backend.instances: expected exactly one address, found 2: without pool.mode connections are not spread over several",
            })
    void demandsExactlyOneBackend(String line, String error) throws IOException {
        assertThat(read(line)).isNull();
        assertThat(errors).containsExactly(error);
    }

    @Test
    void saysWhereItLookedForTheProgram() throws IOException {
        Files.writeString(folder.resolve("bin/data"), "");
        String path = environment.get("PATH");

        read(BACKEND, "supervisor = {exec = 'none'}");
        read(BACKEND, "supervisor = {exec = 'none', workdir = 'bin'}");
        read(BACKEND, "supervisor = {exec = './none', workdir = 'bin'}");
        read(BACKEND, "supervisor = {exec = '/none'}");
        read(BACKEND, "supervisor = {exec = 'data'}");
        read(BACKEND, "supervisor = {exec = '../bin', workdir = 'bin'}");

        assertThat(errors)
                .map(error -> error.replace("x.toml:2: supervisor.exec: ", ""))
                .containsExactly(
                        "\"none\": no such program; looked in PATH (" + path + ")",
                        "\"none\": no such program; looked in " + folder.resolve("bin") + " and PATH (" + path + ")",
                        "\"./none\": no such program; looked for " + folder.resolve("bin/none"),
                        "\"/none\": no such program; looked for /none",
                        "\"data\": " + folder.resolve("bin/data") + " is not executable",
                        "\"../bin\": " + folder.resolve("bin") + " is a folder");
    }

    @Test
    void findsTheProgramInTheWorkingDirectoryBeforeThePath() throws IOException {
        Path nearer = program("work/server");

        TiProxyConfig config = readValid(BACKEND, "supervisor = {exec = 'server', workdir = 'work'}");

        assertThat(Objects.requireNonNull(config.supervisor()).exec()).isEqualTo(nearer.toString());
    }

    @Test
    void workingDirectoryMustBeAFolder() throws IOException {
        read(BACKEND, "supervisor = {exec = 'server', workdir = 'none'}");
        read(BACKEND, "supervisor = {exec = 'server', workdir = 'x.toml'}");

        assertThat(errors)
                .containsExactly(
                        "x.toml:2: supervisor.workdir: \"" + folder.resolve("none") + "\": no such folder",
                        "x.toml:2: supervisor.workdir: \"" + folder.resolve("x.toml") + "\": not a folder");
    }

    @Test
    void stateGoesToTheHomeFolderUnlessXdgSaysOtherwise() throws IOException {
        environment.put("XDG_STATE_HOME", "relative/and/so/invalid");

        TiProxyConfig config = readValid(BACKEND, "supervisor = {exec = 'server'}");

        assertThat(Objects.requireNonNull(config.supervisor()).stateDirectory())
                .isEqualTo(Path.of(System.getProperty("user.home"), ".local/state/tiproxy"));
    }

    @Test
    void brokenFileIsNotBlamedForWhatItMayHold() throws IOException {
        read("backend.instances = ['127.0.0.1:3000'", "[supervisor]", "exec =", "idle = '1s'");

        assertThat(errors).isNotEmpty().allMatch(error -> error.contains("not valid TOML"));
    }

    @Test
    void unreadablePasswordIsNotAMissingOne() throws IOException {
        read(BACKEND, "jmx = {addr = '0.0.0.0:9010', user = 'u', password-file = 'none'}");

        assertThat(errors).containsExactly("x.toml:2: jmx.password-file: \"none\": no such file");
    }

    @Test
    void limitsBeforeTheLoginAndNetworksAreChecked() throws IOException {
        read(
                "backend.instances = ['127.0.0.1:3000']",
                "[proxy]",
                "login-timeout = '2h'",
                "max-login-packet = '16MB'",
                "proxy-protocol = 'v1'",
                "proxy-protocol-networks = ['balancer']");

        assertThat(errors)
                .containsExactlyInAnyOrder(
                        "x.toml:3: proxy.login-timeout: \"2h0m0s\": expected at most 1h",
                        "x.toml:4: proxy.max-login-packet: \"16MB\": expected a size from 512 to 16777214 bytes",
                        "x.toml:5: proxy.proxy-protocol: \"v1\": expected off or v2",
                        "x.toml:6: proxy.proxy-protocol-networks: \"balancer\": expected an IP address or a range such"
                                + " as 10.0.0.0/8 (not an IP address)");
    }

    @Test
    void fileOfPingcapsProxyLoadsWithOneWarning() throws IOException {
        TiProxyConfig config = readValid(
                "workdir = './work'",
                "enable-traffic-replay = true",
                "[proxy]",
                "addr = '0.0.0.0:6000'",
                "pd-addrs = '127.0.0.1:2379'",
                "max-connections = 100",
                "conn-buffer-size = 0",
                "graceful-wait-before-shutdown = 30",
                "graceful-close-conn-timeout = 20",
                "proxy-protocol = ''",
                "port-range = [6000, 6010]",
                "[proxy.frontend-keepalive]",
                "enabled = true",
                "[proxy.backend-healthy-keepalive]",
                "idle = 60000000000",
                "[api]",
                "addr = '0.0.0.0:3080'",
                "[advance]",
                "ignore-wrong-namespace = true",
                "[security]",
                "require-backend-tls = true",
                "[security.sql-tls]",
                "skip-ca = true",
                "[security.cluster-tls]",
                "ca = 'pd.pem'",
                "[security.server-tls]",
                "auto-certs = true",
                "rsa-key-size = 4096",
                "[labels]",
                "zone = 'east'",
                "[balance]",
                "policy = 'resource'",
                "[ha]",
                "virtual-ip = ''",
                "[log]",
                "level = 'warn'",
                "encoder = 'tidb'",
                "[log.log-file]",
                "filename = 'tiproxy.log'",
                "max-size = 300",
                "max-days = 3",
                "max-backups = 3",
                "[backend]",
                "instances = ['127.0.0.1:4000']");

        assertThat(config.proxy().maxConnections()).isEqualTo(100);
        assertThat(config.proxy().proxyProtocol()).isEqualTo(ProxyProtocolConfig.OFF);
        assertThat(config.proxy().gracefulWaitBeforeShutdown()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.log().maxFileSize()).hasToString("300MB");
        assertThat(config.proxy().protocol()).isEqualTo(ProxyConfig.Protocol.MYSQL);
        assertThat(config.security().requireBackendTls()).isTrue();
        assertThat(Objects.requireNonNull(config.security().sqlTls()).verify()).isFalse();
        assertThat(Objects.requireNonNull(config.security().serverTls()).autoCerts())
                .isTrue();
        assertThat(warnings)
                .singleElement()
                .asString()
                .startsWith("x.toml: ignored, because they do not apply here: ")
                .contains(
                        "workdir",
                        "proxy.pd-addrs",
                        "proxy.frontend-keepalive.enabled",
                        "api.addr",
                        "security.cluster-tls.ca",
                        "security.server-tls.rsa-key-size",
                        "labels.zone",
                        "log.encoder",
                        "log.log-file.max-days");
    }

    private static final String POOL = "pool.mode = 'session'";

    @Test
    void usersAreKnownByPasswordFileOrHash() throws IOException {
        Files.writeString(folder.resolve("app.password"), "from a file\nand no more\n");

        PoolingConfig pooling = readValid(
                        BACKEND,
                        POOL,
                        "pool.max-connections-per-address = 7",
                        "pool.max-lifetime = '5m'",
                        "[[users]]",
                        "name = 'a'",
                        "password = 'secret'",
                        "[[users]]",
                        "name = 'b'",
                        "password-file = 'app.password'",
                        "[[users]]",
                        "name = 'c'",
                        "hash = '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'")
                .pooling();

        assertThat(pooling.mode()).isEqualTo(PoolingConfig.Mode.SESSION);
        assertThat(pooling.pool().maxConnectionsPerAddress()).isEqualTo(7);
        assertThat(pooling.pool().maxLifetime()).isEqualTo(Duration.ofMinutes(5));
        assertThat(pooling.users()).hasToString("KnownUsers[a, b, c]");
    }

    @Test
    void withoutUsersTheBackendAuthenticates() throws IOException {
        assertThat(readValid(BACKEND, POOL).pooling().users()).isNull();
        assertThat(readValid(BACKEND).pooling()).isEqualTo(PoolingConfig.OFF);
    }

    @Test
    void everyMistakeInUsersIsReportedAndNoSecretIsShown() throws IOException {
        read(
                BACKEND,
                POOL,
                "[[users]]",
                "password = 'hunter2'",
                "[[users]]",
                "name = 'a'",
                "[[users]]",
                "name = 'a'",
                "password = 'hunter2'",
                "hash = '*hunter2'",
                "[[users]]",
                "name = 7",
                "hash = 'hunter2'",
                "[[users]]",
                "name = 'd'",
                "passwort = 'hunter2'",
                "password-file = 'nowhere'");

        assertThat(errors)
                .containsExactly(
                        "x.toml:3: users: a user needs a name",
                        "x.toml:5: users: a user needs one of password, password-file and hash, found 0",
                        "x.toml:7: users: a user needs one of password, password-file and hash, found 2",
                        "x.toml:8: users.name: \"a\": there is another user of that name",
                        "x.toml:10: users.hash: expected what the server stores: an asterisk and 40 hexadecimal digits"
                                + " (mysql_native_password), or 70 bytes that begin with $A$005$ (caching_sha2_password),"
                                + " as they are or as 0x and their hexadecimal digits",
                        "x.toml:12: users.name: expected a string, found an integer",
                        "x.toml:13: users.hash: expected what the server stores: an asterisk and 40 hexadecimal digits"
                                + " (mysql_native_password), or 70 bytes that begin with $A$005$ (caching_sha2_password),"
                                + " as they are or as 0x and their hexadecimal digits",
                        "x.toml:16: users.passwort: unknown key; did you mean password?",
                        "x.toml:17: users.password-file: \"nowhere\": no such file");
        assertThat(errors.toString()).doesNotContain("hunter2");
    }

    @Test
    void aPoolNeedsMySqlWithoutPROXYHeadersTowardsTheBackend() throws IOException {
        read(
                BACKEND,
                POOL,
                "proxy.protocol = 'tcp'",
                "proxy.proxy-protocol = 'v2'",
                "pool.min-idle = 9",
                "pool.max-connections-per-address = 3");

        assertThat(errors)
                .containsExactly(
                        "x.toml:2: pool.mode: \"session\": sharing connections so needs proxy.protocol = \"mysql\"",
                        "x.toml:2: pool.mode: \"session\": not together with proxy.proxy-protocol: a connection's header"
                                + " would name its first client to all that follow",
                        "x.toml:5: pool.min-idle: 9: expected at most pool.max-connections-per-address, which is 3");
    }

    @Test
    void usersWithoutAPoolAreAWarning() throws IOException {
        readValid(BACKEND, "[[users]]", "name = 'a'", "password = 'hunter2'");

        assertThat(warnings).containsExactly("x.toml:2: users: not used, because pool.mode is off");
    }

    @Test
    void connectionsOfAnyProtocolCanBeShared() throws IOException {
        PoolingConfig pooling = readValid(
                        BACKEND, "proxy.protocol = 'tcp'", "pool.mode = 'tcp'", "pool.tcp-quiet-time = '1s'")
                .pooling();

        assertThat(pooling.mode()).isEqualTo(PoolingConfig.Mode.TCP);
        assertThat(pooling.quietTime()).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void aPoolSpreadsConnectionsOverSeveralBackends() throws IOException {
        TiProxyConfig config = readValid("backend.instances = ['a:1', 'b:2']", POOL, "pool.validation-bypass = '0s'");

        assertThat(config.backend().addresses()).containsExactly(new HostPort("a", 1), new HostPort("b", 2));
        assertThat(config.pooling().pool().probeBypass()).isZero();
    }

    @Test
    void aProgramIsOnlyOneBackend() throws IOException {
        read("backend.instances = ['a:1', 'b:2']", POOL, "supervisor.exec = '/bin/true'");

        assertThat(errors)
                .containsExactly("x.toml:1: backend.instances: expected exactly one address, found 2: the program of"
                        + " supervisor.exec listens on one");
    }

    @Test
    void noBackendIsNamedTwice() throws IOException {
        read("backend.instances = ['a:1', 'a:1']", POOL);

        assertThat(errors).containsExactly("x.toml:1: backend.instances: an address stands there twice");
    }
}
