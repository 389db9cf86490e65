package org.tiproxy.agent.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.inprocess.BackendTls;
import org.tiproxy.inprocess.DriverConnection;
import org.tiproxy.inprocess.DriverLogin;

class OnDemandBackendTest {
    private static final HostPort CHILD = new HostPort("127.0.0.1", 3306);

    private final AtomicInteger inside = new AtomicInteger();
    private Consumer<BackendGate.Visitor> answer = BackendGate.Visitor::admitted;
    private boolean engineFails;
    private boolean gateFails;
    private int opened;

    private final OnDemandBackend proxy = new OnDemandBackend(CHILD, this::gate, address -> List.of(address), login -> {
        if (engineFails) {
            throw new IOException("no");
        }
        return new Silent();
    });

    private BackendGate gate() throws IOException {
        if (gateFails) {
            throw new IOException("another one has it");
        }
        opened++;
        return this::enter;
    }

    private BackendGate.Ticket enter(BackendGate.Visitor visitor) {
        inside.incrementAndGet();
        answer.accept(visitor);
        return inside::decrementAndGet;
    }

    private static DriverLogin login(HostPort address) {
        return new DriverLogin(address, "app", new Secret("x"), BackendTls.DISABLED, Duration.ofMillis(50));
    }

    @Test
    void aConnectionCountsAtTheGateUntilItIsClosed() throws Exception {
        DriverConnection connection = proxy.open(login(CHILD));
        assertThat(inside).hasValue(1);
        connection.close();
        assertThat(inside).hasValue(0);
    }

    @Test
    void connectionsToOtherBackendsDoNotAskTheGate() throws Exception {
        proxy.open(login(new HostPort("db2", 3306)));
        assertThat(inside).hasValue(0);
    }

    @Test
    void aGateThatCannotBeOpenedFailsOnlyThoseThatNeedItAndIsAskedForAgain() throws Exception {
        gateFails = true;
        assertThatThrownBy(() -> proxy.open(login(CHILD))).hasMessage("another one has it");
        proxy.open(login(new HostPort("db2", 3306)));

        gateFails = false;
        proxy.open(login(CHILD));
        proxy.open(login(CHILD));
        assertThat(inside).hasValue(2);
        assertThat(opened).isEqualTo(1);
    }

    @Test
    void aFailedStartIsToldTheDriverInTheSupervisorsWords() {
        answer = visitor -> visitor.refused(new ProxyException(ProxyError.INTERNAL, "it ended with status 1"));
        assertThatThrownBy(() -> proxy.open(login(CHILD)))
                .isInstanceOf(ConnectException.class)
                .hasMessage("it ended with status 1");
        assertThat(inside).hasValue(0);
    }

    @Test
    void theDriversOwnTimeoutEndsTheWait() {
        answer = visitor -> {};
        assertThatThrownBy(() -> proxy.open(login(CHILD)))
                .isInstanceOf(SocketTimeoutException.class)
                .hasMessageContaining("still being started after 50 ms");
        assertThat(inside).hasValue(0);
    }

    @Test
    void aFailureOfTheEngineLeavesTheGate() {
        engineFails = true;
        assertThatThrownBy(() -> proxy.open(login(CHILD))).hasMessage("no");
        assertThat(inside).hasValue(0);
    }

    private static final class Silent implements DriverConnection {
        @Override
        public int read(byte[] target, int offset, int length, int timeoutMillis) {
            return -1;
        }

        @Override
        public int available() {
            return 0;
        }

        @Override
        public void write(byte[] source, int offset, int length) {}

        @Override
        public void expectUser(String user, Secret password) {}

        @Override
        public void close() {}
    }
}
