package org.tiproxy.examples.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/** What the memory sections measure: connections to the echo server, and to the database. */
final class MemorySubjects {
    private MemorySubjects() {}

    /** Raw TCP. */
    record Echo(Programs programs, InetSocketAddress backend) implements MemorySection.Subject {
        @Override
        public Optional<Programs.Program> startHaproxy() throws IOException {
            var path = programs.haproxy();
            return path.isPresent() ? Optional.of(programs.startHaproxy(path.get(), backend)) : Optional.empty();
        }

        @Override
        public Optional<Programs.Program> startTiproxy() throws IOException {
            return programs.hasTiproxy() ? Optional.of(programs.startTiproxy(backend)) : Optional.empty();
        }

        @Override
        public void visit(InetSocketAddress address) throws IOException {
            Connections.visit(address);
        }

        @Override
        public AutoCloseable open(InetSocketAddress address) throws IOException {
            SocketChannel channel = SocketChannel.open();
            try {
                Connections.connect(channel, address);
                Connections.exchange(channel);
                return channel;
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        }

        @Override
        public void stop(Programs.Program program) {
            programs.stop(program);
        }
    }

    /** Logged in to MariaDB. */
    record Sql(Programs programs, SqlTargets targets) implements MemorySection.Subject {
        @Override
        public Optional<Programs.Program> startHaproxy() throws IOException {
            return targets.startHaproxy();
        }

        @Override
        public Optional<Programs.Program> startTiproxy() throws IOException {
            return targets.startTiproxy();
        }

        @Override
        public void visit(InetSocketAddress address) throws IOException {
            Database.visit(address);
        }

        @Override
        public AutoCloseable open(InetSocketAddress address) throws IOException {
            return Database.open(address);
        }

        @Override
        public void stop(Programs.Program program) {
            programs.stop(program);
        }
    }
}
