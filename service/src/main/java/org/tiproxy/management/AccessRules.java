package org.tiproxy.management;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;

/** What both management endpoints demand: whoever can stop the service must be on this machine or know a password. */
final class AccessRules {
    private AccessRules() {}

    static void check(
            Settings settings,
            Problems problems,
            Key<Optional<HostPort>> address,
            Key<String> user,
            Key<Secret> password) {
        @Nullable HostPort listening = settings.get(address).orElse(null);
        boolean open = settings.isMissing(user) && settings.isMissing(password);
        if (listening != null && open && !listening.isLoopback()) {
            problems.error(
                    settings.origin(address),
                    Problem.quote(listening.toString()) + ": other machines can reach this address: give " + user.path()
                            + " and " + password.path() + ", or use 127.0.0.1");
        }
        if (settings.isSet(user) && settings.isMissing(password)) {
            problems.error(
                    settings.origin(user), "needs " + password.path() + " (or " + password.path() + "-file) too");
        }
        if (settings.isSet(password) && settings.isMissing(user)) {
            problems.error(settings.origin(password), "needs " + user.path() + " too");
        }
    }
}
