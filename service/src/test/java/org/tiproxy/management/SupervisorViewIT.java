package org.tiproxy.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.management.MBeanServer;
import javax.management.Notification;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.common.HostPort;
import org.tiproxy.supervisor.ProcessSupervisor;
import org.tiproxy.supervisor.SupervisorConfig;

@Timeout(60)
class SupervisorViewIT {
    @TempDir
    Path folder;

    private ProcessSupervisor supervisor() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        return ProcessSupervisor.open(new SupervisorConfig(
                "/bin/sh",
                List.of("-c", "echo no luck; exit 3"),
                null,
                new HostPort("127.0.0.1", port),
                Duration.ofSeconds(30),
                Duration.ofSeconds(30),
                Duration.ofMillis(500),
                Duration.ofSeconds(10),
                SupervisorConfig.Probe.TCP,
                null,
                Duration.ofMillis(500),
                Duration.ofSeconds(30),
                folder.resolve("state")));
    }

    @Test
    void everyChangeOfStateIsANotification() throws Exception {
        MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
        ObjectName name = new ObjectName("tiproxy:type=Supervisor,name=test");
        List<Notification> heard = new CopyOnWriteArrayList<>();
        try (ProcessSupervisor supervisor = supervisor()) {
            beans.registerMBean(new SupervisorView(supervisor), name);
            beans.addNotificationListener(name, (notification, handback) -> heard.add(notification), null, null);

            assertThat(beans.invoke(name, "start", null, null).toString()).contains("status 3", "no luck");

            await().untilAsserted(() ->
                    assertThat(heard).extracting(Notification::getUserData).containsExactly("STARTING", "CLOSED"));
            assertThat(heard).extracting(Notification::getType).containsOnly(SupervisorView.STATE_NOTIFICATION);
            assertThat(heard.get(0).getMessage()).startsWith("CLOSED -> STARTING: ");
            assertThat(beans.getAttribute(name, "LastError").toString()).contains("no luck");
        } finally {
            beans.unregisterMBean(name);
        }
    }

    @Test
    void impossibleTimesAreRefusedWithTheirRange() throws Exception {
        try (ProcessSupervisor supervisor = supervisor()) {
            SupervisorView view = new SupervisorView(supervisor);
            assertThatThrownBy(() -> view.setStartTimeoutMillis(Long.MAX_VALUE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("365 days");
            assertThatThrownBy(() -> view.setGracePeriodMillis(-1)).isInstanceOf(IllegalArgumentException.class);
            view.setIdleTimeoutMillis(-1);
            assertThat(view.getIdleTimeoutMillis()).isEqualTo(-1);
            assertThat(supervisor.idleTimeout()).isEqualTo(SupervisorConfig.NEVER);
        }
    }
}
