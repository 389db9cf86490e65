package org.tiproxy.management;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.MBeanNotificationInfo;
import javax.management.Notification;
import javax.management.NotificationBroadcasterSupport;
import org.tiproxy.supervisor.ProcessSupervisor;
import org.tiproxy.supervisor.StateChange;
import org.tiproxy.supervisor.SupervisorConfig;

/** The on-demand child as JMX shows it. */
public final class SupervisorView extends NotificationBroadcasterSupport implements SupervisorMXBean {
    /** The type of the notifications: message "CLOSED -> STARTING: a connection arrived", user data the new state. */
    public static final String STATE_NOTIFICATION = "tiproxy.supervisor.state";

    private final ProcessSupervisor supervisor;
    private final AtomicLong sequence = new AtomicLong();

    /** A view of one supervisor. */
    public SupervisorView(ProcessSupervisor supervisor) {
        super(new MBeanNotificationInfo(
                new String[] {STATE_NOTIFICATION}, Notification.class.getName(), "The child's state changed."));
        this.supervisor = supervisor;
        supervisor.addListener(this::stateChanged);
    }

    private void stateChanged(StateChange change) {
        Notification notification = new Notification(
                STATE_NOTIFICATION,
                "tiproxy:type=Supervisor,name=default",
                sequence.incrementAndGet(),
                change.time().toEpochMilli(),
                change.from() + " -> " + change.to() + ": " + change.reason());
        notification.setUserData(change.to().name());
        sendNotification(notification);
    }

    @Override
    public String getState() {
        return supervisor.state().name();
    }

    @Override
    public long getPid() {
        return supervisor.pid();
    }

    @Override
    public int getActiveConnections() {
        return supervisor.activeConnections();
    }

    @Override
    public int getWaitingConnections() {
        return supervisor.waitingConnections();
    }

    @Override
    public String getLastChangeTime() {
        return supervisor.lastChangeTime().toString();
    }

    @Override
    public long getStartsTotal() {
        return supervisor.startsTotal();
    }

    @Override
    public long getStartFailuresTotal() {
        return supervisor.startFailuresTotal();
    }

    @Override
    public long getUnexpectedExitsTotal() {
        return supervisor.unexpectedExitsTotal();
    }

    @Override
    public String getLastExitStatus() {
        return supervisor.lastExitStatus();
    }

    @Override
    public String getLastError() {
        return supervisor.lastError();
    }

    @Override
    public long getLastStartMillis() {
        return supervisor.lastStartMillis();
    }

    @Override
    public long getUptimeMillis() {
        return supervisor.uptimeMillis();
    }

    @Override
    public String getCommand() {
        return supervisor.command();
    }

    @Override
    public List<String> getOutputTail() {
        return supervisor.outputTail();
    }

    @Override
    public long getIdleTimeoutMillis() {
        Duration idle = supervisor.idleTimeout();
        return idle.equals(SupervisorConfig.NEVER) ? -1 : idle.toMillis();
    }

    @Override
    public void setIdleTimeoutMillis(long millis) {
        supervisor.setIdleTimeout(millis == -1 ? SupervisorConfig.NEVER : Duration.ofMillis(millis));
    }

    @Override
    public long getStartTimeoutMillis() {
        return supervisor.startTimeout().toMillis();
    }

    @Override
    public void setStartTimeoutMillis(long millis) {
        supervisor.setStartTimeout(Duration.ofMillis(millis));
    }

    @Override
    public long getGracePeriodMillis() {
        return supervisor.gracePeriod().toMillis();
    }

    @Override
    public void setGracePeriodMillis(long millis) {
        supervisor.setGracePeriod(Duration.ofMillis(millis));
    }

    @Override
    public boolean isHeld() {
        return supervisor.held();
    }

    @Override
    public String start() {
        return await("start", supervisor.start());
    }

    @Override
    public String stop() {
        return await("stop", supervisor.stop());
    }

    @Override
    public String restart() {
        return await("restart", supervisor.restart());
    }

    @Override
    public String kill() {
        return await("kill", supervisor.kill());
    }

    @Override
    public String hold(boolean held) {
        return await("hold", supervisor.hold(held));
    }

    private String await(String operation, CompletableFuture<String> result) {
        // A restart may need the whole of both.
        Duration limit =
                supervisor.startTimeout().plus(supervisor.gracePeriod()).plusSeconds(5);
        Instant begin = Instant.now();
        try {
            return result.get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return operation + " is not done after "
                    + Duration.between(begin, Instant.now()).toMillis() + " ms and goes on; the state is "
                    + supervisor.state();
        } catch (ExecutionException e) {
            throw new IllegalStateException(
                    e.getCause() == null ? e.getMessage() : e.getCause().getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return operation + " goes on; the wait for it was interrupted";
        }
    }
}
