package org.tiproxy.drivers;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.install.DriverTarget;
import org.tiproxy.agent.install.Redirect;
import org.tiproxy.agent.install.Redirector;
import org.tiproxy.common.HostPort;

/** Redirects everything to where it goes anyway, unless told not to, and remembers what it was told. */
final class RecordingRedirector implements Redirector {
    private final List<DriverTarget> targets = new CopyOnWriteArrayList<>();
    private final List<String> bypassed = new CopyOnWriteArrayList<>();
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();
    private final Set<String> drivers = new ConcurrentSkipListSet<>();
    private volatile boolean redirecting = true;

    @Override
    public @Nullable Redirect redirect(DriverTarget target) {
        targets.add(target);
        return redirecting ? new Redirect(new HostPort(target.host(), target.port())) : null;
    }

    @Override
    public void bypassed(String reason, String detail) {
        bypassed.add(reason);
    }

    @Override
    public void turnedBack(String reason, String detail) {
        bypassed.add(reason);
    }

    @Override
    public void failedOpen(Throwable cause) {
        failures.add(cause);
    }

    @Override
    public void driverSeen(String nameAndVersion) {
        drivers.add(nameAndVersion);
    }

    void setRedirecting(boolean on) {
        redirecting = on;
    }

    List<DriverTarget> targets() {
        return targets;
    }

    List<String> bypassed() {
        return bypassed;
    }

    List<Throwable> failures() {
        return failures;
    }

    Set<String> drivers() {
        return drivers;
    }
}
