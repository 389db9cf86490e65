package org.tiproxy.agent.install;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.SocketException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;
import org.tiproxy.config.ConfigException;
import org.tiproxy.config.Problems;
import org.tiproxy.management.AgentView;

class AgentRedirectorTest {
    private static final DriverTarget TARGET = new DriverTarget("mariadb", "db1", 3306, "app");

    private final AtomicInteger firsts = new AtomicInteger();

    private AgentRedirector redirector(@Nullable String arguments) throws ConfigException {
        AgentConfig config = AgentConfig.read(arguments, Map.of(), Map.of(), new Problems());
        return new AgentRedirector(config.rules(), Ticker.SYSTEM, status -> firsts.incrementAndGet());
    }

    @Test
    void aConnectionIsRedirectedToTheEngineUnderTheAddressOfItsUrl() throws Exception {
        AgentRedirector redirector = redirector(null);

        assertThat(redirector.redirect(TARGET)).isEqualTo(new Redirect(new HostPort("db1", 3306)));
        assertThat(redirector.redirect(TARGET)).isNotNull();
        assertThat(redirector.redirectedTotal()).isEqualTo(2);
        assertThat(firsts).as("the beans are shown once").hasValue(1);
    }

    @Test
    void whatIsExcludedStaysTheDriversOwnAndIsCountedByReason() throws Exception {
        AgentRedirector redirector = redirector("agent.exclude-addresses=DB1:*,*:3307");

        assertThat(redirector.redirect(TARGET)).isNull();
        assertThat(redirector.redirect(new DriverTarget("mariadb", "::1", 3307, "app")))
                .isNull();
        assertThat(redirector.redirect(new DriverTarget("mariadb", "db1", 70000, "app")))
                .isNull();
        redirector.bypassed("unix socket", "/run/mysqld.sock");

        assertThat(redirector.bypassedByReason())
                .isEqualTo(Map.of("address excluded", 2L, "no address", 1L, "unix socket", 1L));
        assertThat(redirector.redirectedTotal()).isZero();
        assertThat(firsts).as("nothing was redirected").hasValue(0);
    }

    @Test
    void aConnectionThatIsTurnedBackCountsAsBypassedAndNotAsRedirected() throws Exception {
        AgentRedirector redirector = redirector(null);

        assertThat(redirector.redirect(TARGET)).isNotNull();
        redirector.turnedBack("authentication plugin dialog", "db1:3306");

        assertThat(redirector.bypassedByReason()).isEqualTo(Map.of("authentication plugin dialog", 1L));
        assertThat(redirector.redirectedTotal()).isZero();
        assertThat(redirector.failOpenTotal()).isZero();
    }

    @Test
    void redirectingCanBeSwitchedOffAndOnForNewConnections() throws Exception {
        AgentRedirector redirector = redirector(null);
        AgentView view = new AgentView("1", "", redirector);

        view.setEnabled(false);
        assertThat(redirector.redirect(TARGET)).isNull();
        assertThat(view.isEnabled()).isFalse();
        view.setEnabled(true);
        assertThat(redirector.redirect(TARGET)).isNotNull();
        assertThat(view.getBypassedByReason()).isEqualTo(Map.of("disabled", 1L));
        assertThat(view.getBypassedTotal()).isEqualTo(1);
        assertThat(view.getRedirectedTotal()).isEqualTo(1);
    }

    @Test
    void theLastTroubleIsShownWithoutSecrets() throws Exception {
        AgentRedirector redirector = redirector(null);
        AgentView view = new AgentView("1", "", redirector);
        assertThat(view.getLastFailOpen()).isEmpty();

        redirector.failedOpen(new SocketException("reset"));
        redirector.failedOpen(
                new IOException("jdbc:mysql://app:hunter2@db1:3306/?password=hunter3&x=1\nfailed, Pwd: hunter4"));

        assertThat(view.getFailOpenTotal()).isEqualTo(2);
        assertThat(view.getLastFailOpen())
                .contains("java.io.IOException", "app:***@db1:3306", "x=1")
                .doesNotContain("hunter", "\n");
        assertThat(view.getLastFailOpenTime()).isNotEmpty();
    }

    @Test
    void aDriverIsListedOnce() throws Exception {
        AgentRedirector redirector = redirector(null);

        redirector.driverSeen("MariaDB Connector/J 3.5.6");
        redirector.driverSeen("MariaDB Connector/J 3.5.6");

        assertThat(redirector.driversSeen()).containsExactly("MariaDB Connector/J 3.5.6");
    }

    @Test
    void reasonsThatNeverEndAreCountedTogether() throws Exception {
        AgentRedirector redirector = redirector(null);

        for (int i = 0; i < 100; i++) {
            redirector.bypassed("reason " + i, "");
        }

        assertThat(redirector.bypassedByReason()).hasSize(65).containsEntry("other", 36L);
    }
}
