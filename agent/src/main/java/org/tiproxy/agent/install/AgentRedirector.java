package org.tiproxy.agent.install;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.LogThrottle;
import org.tiproxy.common.Ticker;
import org.tiproxy.management.AgentStatus;

/** Decides by the configuration's rules, and counts. */
final class AgentRedirector implements Redirector, AgentStatus {
    private static final Logger log = LoggerFactory.getLogger(AgentRedirector.class);

    /** More would be a sign that details have got into the reasons. */
    private static final int MAX_REASONS = 64;

    private static final String OTHER_REASONS = "other";

    private final RedirectRules rules;
    private final Consumer<AgentStatus> beforeFirst;
    private final AtomicBoolean first = new AtomicBoolean();
    private final LongAdder redirected = new LongAdder();
    private final LongAdder failedOpen = new LongAdder();
    private final Map<String, LongAdder> bypassed = new ConcurrentHashMap<>();
    private final Set<String> drivers = new ConcurrentSkipListSet<>();
    private final LogThrottle failOpenLog;
    private volatile boolean enabled = true;
    private volatile @Nullable Failure lastFailOpen;

    /**
     * A redirector.
     *
     * @param beforeFirst told once, before the first connection is redirected, on its thread
     */
    AgentRedirector(RedirectRules rules, Ticker ticker, Consumer<AgentStatus> beforeFirst) {
        this.rules = rules;
        this.beforeFirst = beforeFirst;
        this.failOpenLog = new LogThrottle(Duration.ofMinutes(1), ticker);
    }

    @Override
    public @Nullable Redirect redirect(DriverTarget target) {
        if (!enabled) {
            count("disabled", "");
            return null;
        }
        HostPort address;
        try {
            address = new HostPort(target.host(), target.port());
        } catch (IllegalArgumentException e) {
            // The driver will say it better.
            count("no address", String.valueOf(e.getMessage()));
            return null;
        }
        @Nullable String exclusion = rules.exclusion(target, address);
        if (exclusion != null) {
            count(exclusion, address + ", user " + target.user() + ", driver " + target.family());
            return null;
        }
        if (!first.get() && first.compareAndSet(false, true)) {
            beforeFirst.accept(this);
        }
        redirected.increment();
        return new Redirect(address, rules.of(address));
    }

    @Override
    public void bypassed(String reason, String detail) {
        count(reason, detail);
    }

    @Override
    public void turnedBack(String reason, String detail) {
        redirected.decrement();
        count(reason, detail);
    }

    private void count(String reason, String detail) {
        @Nullable LongAdder counter = bypassed.get(reason);
        if (counter == null) {
            String kept = bypassed.size() < MAX_REASONS ? reason : OTHER_REASONS;
            LongAdder added = new LongAdder();
            @Nullable LongAdder before = bypassed.putIfAbsent(kept, added);
            counter = before == null ? added : before;
            if (before == null) {
                log.info(
                        "a connection stays the driver's own: {}{}; further ones for this reason are only counted",
                        kept,
                        detail.isEmpty() ? "" : " (" + detail + ")");
            }
        }
        counter.increment();
    }

    @Override
    public void failedOpen(Throwable cause) {
        failedOpen.increment();
        String text = Redaction.of(cause);
        lastFailOpen = new Failure(text, Instant.now());
        failOpenLog.run(more -> log.warn(
                "could not open a connection through the engine, the driver connects by itself: {}{}", text, more));
        log.debug("failed open", cause);
    }

    @Override
    public void driverSeen(String nameAndVersion) {
        if (drivers.add(nameAndVersion)) {
            log.info("found {}", nameAndVersion);
        }
    }

    @Override
    public boolean isEnabled() {
        return enabled;
    }

    @Override
    public void setEnabled(boolean enabled) {
        if (this.enabled != enabled) {
            this.enabled = enabled;
            log.info("new connections are {} redirected", enabled ? "again" : "no longer");
        }
    }

    @Override
    public long redirectedTotal() {
        return redirected.sum();
    }

    @Override
    public Map<String, Long> bypassedByReason() {
        Map<String, Long> counts = new TreeMap<>();
        bypassed.forEach((reason, counter) -> counts.put(reason, counter.sum()));
        return counts;
    }

    @Override
    public long failOpenTotal() {
        return failedOpen.sum();
    }

    @Override
    public @Nullable Failure lastFailOpen() {
        return lastFailOpen;
    }

    @Override
    public List<String> driversSeen() {
        return List.copyOf(drivers);
    }

    @Override
    public List<String> redirectRules() {
        return rules.describe();
    }
}
