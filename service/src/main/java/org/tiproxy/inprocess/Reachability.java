package org.tiproxy.inprocess;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;

/** Which addresses of a pool's could not be reached when they were last tried. Thread-safe. */
final class Reachability {
    /** For how long an address that could not be reached is not asked again, if there are others. */
    static final Duration BELIEVED_FOR = Duration.ofSeconds(5);

    /** The last attempt, which has failed. */
    private record Failure(String reason, long at) {}

    private final Set<HostPort> addresses;
    private final Ticker ticker;
    private final Map<HostPort, Failure> failures = new ConcurrentHashMap<>();

    Reachability(List<HostPort> addresses, Ticker ticker) {
        this.addresses = new LinkedHashSet<>(addresses);
        this.ticker = ticker;
    }

    void failed(HostPort address, Throwable cause) {
        failures.put(address, new Failure(String.valueOf(cause.getMessage()), ticker.nanoTime()));
    }

    void reached(HostPort address) {
        if (!failures.isEmpty()) {
            failures.remove(address);
        }
    }

    /** How many addresses there are to try. */
    int addresses() {
        return addresses.size();
    }

    /** Whether no address is any better than the others. */
    boolean isDown() {
        return failures.size() >= addresses.size();
    }

    /** Whether others are to be had that have not failed. */
    boolean isWorseThanOthers(HostPort address) {
        return failures.containsKey(address) && !isDown();
    }

    /** Why the address cannot be reached, as far as that is still believed without another attempt; null otherwise. */
    @Nullable
    String failure(HostPort address) {
        Failure known = failures.get(address);
        return known == null || ticker.nanoTime() - known.at >= BELIEVED_FOR.toNanos() ? null : known.reason;
    }

    /** All addresses, those that have failed after the others. */
    List<HostPort> inOrder() {
        List<HostPort> ordered = new ArrayList<>(addresses);
        ordered.removeIf(failures::containsKey);
        for (HostPort address : addresses) {
            if (!ordered.contains(address)) {
                ordered.add(address);
            }
        }
        return ordered;
    }
}
