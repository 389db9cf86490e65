package org.tiproxy.examples.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A MariaDB server and the ways to it, started when the first section asks for them. */
final class SqlTargets {
    private final Programs programs;
    private @Nullable List<Target> targets;

    SqlTargets(Programs programs) {
        this.programs = programs;
    }

    List<Target> get() throws IOException {
        List<Target> started = targets;
        if (started == null) {
            started = start();
            targets = started;
        }
        return started;
    }

    /** sysbench when it is installed. */
    SqlLoad load() {
        return programs.sysbench()
                .<SqlLoad>map(path -> new Sysbench(programs, path))
                .orElseGet(JdbcLoad::new);
    }

    /** A HAProxy of its own, if one is installed. */
    Optional<Programs.Program> startHaproxy() throws IOException {
        InetSocketAddress server = get().get(0).address();
        var path = programs.haproxy();
        if (path.isEmpty()) {
            return Optional.empty();
        }
        Programs.Program haproxy = programs.launchHaproxy(path.get(), server);
        haproxy.awaitLogin();
        return Optional.of(haproxy);
    }

    /** A tiproxy of its own, if it is built. */
    Optional<Programs.Program> startTiproxy() throws IOException {
        InetSocketAddress server = get().get(0).address();
        if (!programs.hasTiproxy()) {
            return Optional.empty();
        }
        Programs.Program tiproxy = programs.startTiproxy(server, List.of("--protocol", "mysql"));
        tiproxy.awaitLogin();
        return Optional.of(tiproxy);
    }

    /** The same ways, with another tiproxy that shares backend connections. */
    List<Target> withPool(String name, List<String> configuration) throws IOException {
        return withPool(get(), name, configuration);
    }

    /** The ways to a server with TLS: direct, and through HAProxy, which passes TLS on. Empty if there is none. */
    List<Target> withTls() throws IOException {
        Optional<Programs.Program> server = programs.startMariadbWithTls();
        return server.isEmpty() ? List.of() : waysTo(server.get());
    }

    /** The same, to a server with a certificate of its own making. */
    List<Target> withOwnTls() throws IOException {
        Optional<Programs.Program> server = programs.startMariadbWithOwnTls();
        return server.isEmpty() ? List.of() : waysTo(server.get());
    }

    /** The same, to Oracle's MySQL, with TLS and without. Empty if there is none. */
    List<Target> toMySql() throws IOException {
        Optional<Programs.Program> server = programs.startMySql();
        return server.isEmpty() ? List.of() : waysTo(server.get());
    }

    private List<Target> waysTo(Programs.Program server) throws IOException {
        server.awaitLogin();
        List<Target> ways = new ArrayList<>();
        ways.add(new Target(Target.Kind.DIRECT, server.address()));
        var path = programs.haproxy();
        if (path.isPresent()) {
            Programs.Program haproxy = programs.launchHaproxy(path.get(), server.address());
            haproxy.awaitLogin();
            ways.add(new Target(Target.Kind.HAPROXY, haproxy.address()));
        }
        return ways;
    }

    /** The given ways, the first of which is direct, with another tiproxy that shares backend connections. */
    List<Target> withPool(List<Target> ways, String name, List<String> configuration) throws IOException {
        List<Target> others = new ArrayList<>(ways);
        others.removeIf(target -> target.kind() == Target.Kind.TIPROXY);
        if (programs.hasTiproxy()) {
            Programs.Program tiproxy = programs.startTiproxy(
                    ways.get(0).address(),
                    List.of(
                            "--protocol",
                            "mysql",
                            "--config",
                            programs.write(name + ".toml", configuration).toString()));
            tiproxy.awaitLogin();
            others.add(new Target(Target.Kind.TIPROXY, tiproxy.address()));
        }
        return others;
    }

    private List<Target> start() throws IOException {
        Programs.Program server = programs.startMariadb();
        server.awaitLogin();
        Database.fill(server.address());
        List<Target> started = new ArrayList<>();
        started.add(new Target(Target.Kind.DIRECT, server.address()));
        targets = started;
        startHaproxy().ifPresent(program -> started.add(new Target(Target.Kind.HAPROXY, program.address())));
        startTiproxy().ifPresent(program -> started.add(new Target(Target.Kind.TIPROXY, program.address())));
        return started;
    }
}
