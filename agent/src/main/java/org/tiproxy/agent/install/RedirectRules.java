package org.tiproxy.agent.install;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.config.ConfigTable;
import org.tiproxy.config.Key;
import org.tiproxy.config.NearestName;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;

/** Which connections are redirected, and where they lead. Immutable. */
final class RedirectRules implements Backends {
    /** The families of drivers, as {@link DriverTarget#family} names them. */
    static final List<String> FAMILIES = List.of("connector-j", "connector-j-5.1", "mariadb", "mariadb-2");

    static final Key<List<ConfigTable>> REDIRECT = Key.tables(
                    "agent.redirect",
                    "where connections to some addresses lead, with `from`, a host:port in which `*` stands for any text, and"
                            + " `to`, a host:port or a list of them; the first that fits counts; empty = each connection leads"
                            + " to the address in its URL")
            .byDefault("");
    static final Key<List<String>> EXCLUDE_ADDRESSES = Key.strings(
                    "agent.exclude-addresses",
                    "addresses whose connections stay the driver's own, each a host:port in which `*` stands for any text")
            .byDefault("");
    static final Key<List<String>> EXCLUDE_USERS = Key.strings(
                    "agent.exclude-users",
                    "users whose connections stay the driver's own, each a name in which `*` stands for any text")
            .byDefault("");
    static final Key<List<String>> EXCLUDE_DRIVERS = Key.strings(
                    "agent.exclude-drivers",
                    "drivers whose connections stay their own: `connector-j` (8 and later), `connector-j-5.1`, `mariadb` (3"
                            + " and later), `mariadb-2`")
            .byDefault("");

    static final List<Key<?>> KEYS = List.of(REDIRECT, EXCLUDE_ADDRESSES, EXCLUDE_USERS, EXCLUDE_DRIVERS);

    private final List<RedirectRule> rules;
    private final List<AddressPattern> excludedAddresses;
    private final List<Pattern> excludedUsers;
    private final Set<String> excludedFamilies;

    private RedirectRules(
            List<RedirectRule> rules,
            List<AddressPattern> excludedAddresses,
            List<Pattern> excludedUsers,
            Set<String> excludedFamilies) {
        this.rules = List.copyOf(rules);
        this.excludedAddresses = List.copyOf(excludedAddresses);
        this.excludedUsers = List.copyOf(excludedUsers);
        this.excludedFamilies = Set.copyOf(excludedFamilies);
    }

    /** Reads the keys. */
    static RedirectRules from(Settings settings, Problems problems) {
        List<RedirectRule> rules = new ArrayList<>();
        for (ConfigTable table : settings.get(REDIRECT)) {
            @Nullable RedirectRule rule = rule(table, problems);
            if (rule != null) {
                rules.add(rule);
            }
        }
        List<AddressPattern> addresses = new ArrayList<>();
        for (String text : settings.get(EXCLUDE_ADDRESSES)) {
            try {
                addresses.add(AddressPattern.parse(text));
            } catch (IllegalArgumentException e) {
                problems.error(settings.origin(EXCLUDE_ADDRESSES), Problem.quote(text) + ": " + e.getMessage());
            }
        }
        List<String> families = settings.get(EXCLUDE_DRIVERS);
        for (String family : families) {
            if (!FAMILIES.contains(family)) {
                @Nullable String nearest = NearestName.find(family, FAMILIES);
                problems.error(
                        settings.origin(EXCLUDE_DRIVERS),
                        Problem.quote(family) + ": expected one of " + String.join(", ", FAMILIES)
                                + (nearest == null ? "" : "; did you mean " + nearest + "?"));
            }
        }
        return new RedirectRules(
                rules,
                addresses,
                settings.get(EXCLUDE_USERS).stream()
                        .map(AddressPattern::wildcard)
                        .toList(),
                Set.copyOf(families));
    }

    private static @Nullable RedirectRule rule(ConfigTable table, Problems problems) {
        table.allow(Set.of("from", "to"), problems);
        @Nullable AddressPattern from = null;
        @Nullable String text = table.text("from", problems);
        if (text != null) {
            try {
                from = AddressPattern.parse(text);
            } catch (IllegalArgumentException e) {
                problems.error(table.origin("from"), Problem.quote(text) + ": " + e.getMessage());
            }
        } else if (!table.has("from")) {
            problems.error(table.origin(), "needs from, the address that is redirected, such as \"db1:3306\"");
        }
        List<HostPort> to = new ArrayList<>();
        for (String address : table.texts("to", problems)) {
            try {
                HostPort parsed = HostPort.parse(address);
                if (parsed.host().isEmpty() || parsed.port() == 0) {
                    throw new IllegalArgumentException("expected a host and a port to connect to");
                }
                to.add(parsed);
            } catch (IllegalArgumentException e) {
                problems.error(table.origin("to"), Problem.quote(address) + ": " + e.getMessage());
            }
        }
        if (to.isEmpty() && !table.has("to")) {
            problems.error(table.origin(), "needs to, the address or addresses that it leads to");
        }
        return from == null || to.isEmpty() ? null : new RedirectRule(from, to);
    }

    /** Why a connection stays the driver's own; null if it is redirected. */
    @Nullable
    String exclusion(DriverTarget target, HostPort address) {
        if (excludedFamilies.contains(target.family())) {
            return "driver excluded";
        }
        if (excludedAddresses.stream().anyMatch(pattern -> pattern.matches(address))) {
            return "address excluded";
        }
        String user = target.user().toLowerCase(Locale.ROOT);
        if (excludedUsers.stream().anyMatch(pattern -> pattern.matcher(user).matches())) {
            return "user excluded";
        }
        return null;
    }

    @Override
    public List<HostPort> of(HostPort address) {
        for (RedirectRule rule : rules) {
            if (rule.from().matches(address)) {
                return rule.to();
            }
        }
        return List.of(address);
    }

    /** As people read them; all that no rule names lead where they say. */
    List<String> describe() {
        return rules.stream().map(RedirectRule::toString).toList();
    }
}
