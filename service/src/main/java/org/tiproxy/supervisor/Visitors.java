package org.tiproxy.supervisor;

import java.util.LinkedHashSet;
import java.util.Set;
import org.tiproxy.error.ProxyException;

/** Who waits for the child and who uses it. Not thread-safe. */
final class Visitors {
    private final SupervisorEffects effects;
    private final Set<Visit> waiting = new LinkedHashSet<>();
    private final Set<Visit> active = new LinkedHashSet<>();

    Visitors(SupervisorEffects effects) {
        this.effects = effects;
    }

    void addWaiting(Visit visit) {
        waiting.add(visit);
    }

    void addActive(Visit visit) {
        active.add(visit);
    }

    /** Forgets {@code visit}; true if that was the last active one. */
    boolean remove(Visit visit) {
        if (active.remove(visit)) {
            return active.isEmpty();
        }
        waiting.remove(visit);
        return false;
    }

    /** Those that wait become active, in the order in which they came. */
    void admitWaiting() {
        active.addAll(waiting);
        waiting.forEach(effects::admit);
        waiting.clear();
    }

    void refuseWaiting(ProxyException cause) {
        waiting.forEach(visit -> effects.refuse(visit, cause));
        waiting.clear();
    }

    /** Those that are active lose their backend and count no longer: they do not use the next child. */
    void backendGone(String reason) {
        active.forEach(visit -> effects.backendGone(visit, reason));
        active.clear();
    }

    int waitingCount() {
        return waiting.size();
    }

    int activeCount() {
        return active.size();
    }
}
