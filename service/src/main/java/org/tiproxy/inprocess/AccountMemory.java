package org.tiproxy.inprocess;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.Ticker;
import org.tiproxy.session.BackendCredentials;
import org.tiproxy.session.BackendRequest;
import org.tiproxy.session.PoolKey;
import org.tiproxy.wire.protocol.AuthPluginName;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Collation;
import org.tiproxy.wire.server.HandshakeV10;

/** What logins have taught: which accounts the engine cannot log in, and how this process's drivers log in. Thread-safe. */
final class AccountMemory {
    /** An account may be given another plugin. */
    static final Duration UNSUPPORTED_FOR = Duration.ofMinutes(5);

    /** The engine's part of every login. */
    private static final long OWN = Capability.setOf(
            Capability.CLIENT_PROTOCOL_41,
            Capability.CLIENT_SECURE_CONNECTION,
            Capability.CLIENT_PLUGIN_AUTH,
            Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA);

    private static final Pattern PLUGIN = Pattern.compile("[A-Za-z0-9_]{1,64}");

    private record Unsupported(String plugin, String message, long until) {}

    private final Ticker ticker;
    private final Map<String, Unsupported> unsupported = new ConcurrentHashMap<>();

    /** How drivers have logged in of which the same was to be expected. */
    private final Map<Long, PoolKey> seen = new ConcurrentHashMap<>();

    AccountMemory(Ticker ticker) {
        this.ticker = ticker;
    }

    /**
     * Says so if the account is known not to be one for the engine.
     *
     * @throws UnsupportedAccountException if it is
     */
    void check(DriverLogin login) throws UnsupportedAccountException {
        // Nobody is slowed down who has no such account.
        Unsupported known = unsupported.isEmpty() ? null : unsupported.get(login.poolName());
        if (known == null) {
            return;
        }
        if (ticker.nanoTime() - known.until() >= 0) {
            unsupported.remove(login.poolName(), known);
            return;
        }
        throw new UnsupportedAccountException(known.plugin(), known.message());
    }

    /**
     * What to tell the driver of a refusal that is ours, not the server's; null if it is the server's. Remembers it, except
     * where it is a matter of this login only.
     */
    @Nullable
    UnsupportedAccountException remember(DriverLogin login, RefusedException refusal) {
        String plugin = refusal.unsupportedPlugin();
        if (plugin == null) {
            return null;
        }
        // It comes from the network, and ends up in logs and beans.
        String name = PLUGIN.matcher(plugin).matches() ? plugin : "of another name";
        String message = String.valueOf(refusal.getMessage());
        if (AuthPluginName.of(plugin) == null) {
            // With one that we have, it is a matter of TLS, of the URL, or of what the server remembers.
            unsupported.put(
                    login.poolName(), new Unsupported(name, message, ticker.nanoTime() + UNSUPPORTED_FOR.toNanos()));
        }
        return new UnsupportedAccountException(name, message);
    }

    /**
     * How a driver is going to log in, before it has said so: as the last one of its kind did, or as its kind does.
     * Whether that is right is only known afterwards, see {@link #wasRight}.
     */
    BackendRequest guess(DriverLogin login, HandshakeV10 greeting) {
        PoolKey last = seen.get(login.likelyCapabilities());
        long capabilities = last != null ? last.capabilities() : OWN | login.likelyCapabilities();
        PoolKey key = new PoolKey(
                login.user(),
                (capabilities & (greeting.capabilities() | Capability.CLIENT_LONG_PASSWORD.mask())) | OWN,
                last != null ? last.collationId() : Collation.UTF8MB4_GENERAL_CI.id());
        return new BackendRequest(
                key, "", login.careful(BackendCredentials.ofPassword(login.user(), login.password())), true);
    }

    /**
     * Whether a connection on which the guess is logged in can become the wanted one: flags are settled, the rest costs a
     * command.
     */
    static boolean wasRight(BackendRequest guess, BackendRequest wanted) {
        return PoolKey.sameEffect(guess.key().capabilities(), wanted.key().capabilities())
                && Objects.equals(guess.credentials(), wanted.credentials());
    }

    /** A driver has logged in. */
    void loggedIn(DriverLogin login, BackendRequest request) {
        seen.put(login.likelyCapabilities(), request.key());
    }
}
