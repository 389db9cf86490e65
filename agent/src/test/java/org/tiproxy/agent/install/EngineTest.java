package org.tiproxy.agent.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.config.Problems;
import org.tiproxy.inprocess.BackendTls;
import org.tiproxy.inprocess.DriverConnection;
import org.tiproxy.inprocess.DriverLogin;
import org.tiproxy.supervisor.ProcessSupervisor;

class EngineTest {
    private static final HostPort CHILD = new HostPort("127.0.0.1", 3306);
    private static final HostPort OTHER = new HostPort("db2", 3306);

    @TempDir
    Path folder;

    private int enginesMade;
    private final List<HostPort> reached = new ArrayList<>();

    private DriverConnection reach(DriverLogin login) throws IOException {
        reached.add(login.address());
        throw new IOException("reached " + login.address());
    }

    private static DriverLogin login(HostPort address) {
        return new DriverLogin(address, "app", new Secret("x"), BackendTls.DISABLED, Duration.ofMillis(50));
    }

    @Test
    void anotherProcessWithTheChildFailsOnlyTheConnectionsThatLeadThere() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        AgentConfig config = AgentConfig.read(
                "agent.child-address=" + CHILD + ",supervisor.exec=" + java + ",supervisor.state-dir=" + folder,
                Map.of(),
                Map.of(),
                new Problems());
        Engine engine = new Engine(
                config,
                (pool, backends, listener) -> {
                    enginesMade++;
                    return this::reach;
                },
                new AgentManagement("1.0", null, config.jolokia()));
        try (ProcessSupervisor another = ProcessSupervisor.open(config.child())) {
            assertThat(another.startsTotal()).isZero();
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> engine.open(login(CHILD)))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("the program of [supervisor] cannot be run");
                assertThatThrownBy(() -> engine.open(login(OTHER))).hasMessage("reached db2:3306");
            }
        }

        assertThat(enginesMade).isEqualTo(1);
        assertThat(reached).containsExactly(OTHER, OTHER, OTHER);
    }
}
