package org.tiproxy.net;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.Secret;
import org.tiproxy.config.ConfigTable;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.session.KnownUser;
import org.tiproxy.session.KnownUsers;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.auth.CachingSha2Hash;

/** Reads {@code [[users]]}; no message shows a password or hash. */
final class UserTables {
    private static final String NAME = "name";
    private static final String PASSWORD = "password";
    private static final String PASSWORD_FILE = "password-file";
    private static final String HASH = "hash";

    private static final Pattern NATIVE_HASH = Pattern.compile("\\*[0-9A-Fa-f]{40}");

    private UserTables() {}

    /** The users; null if there is none. */
    static @Nullable KnownUsers read(List<ConfigTable> tables, Problems problems) {
        List<KnownUser> users = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (ConfigTable table : tables) {
            table.allow(Set.of(NAME, PASSWORD, PASSWORD_FILE, HASH), problems);
            @Nullable String name = table.text(NAME, problems);
            if (!table.has(NAME)) {
                problems.error(table.origin(), "a user needs a name");
            } else if (name != null && !names.add(name)) {
                problems.error(table.origin(NAME), Problem.quote(name) + ": there is another user of that name");
            }
            @Nullable KnownUser user = user(table, name == null ? "" : name, problems);
            if (user != null) {
                users.add(user);
            }
        }
        return tables.isEmpty() ? null : new KnownUsers(users);
    }

    private static @Nullable KnownUser user(ConfigTable table, String name, Problems problems) {
        long given = List.of(PASSWORD, PASSWORD_FILE, HASH).stream()
                .filter(table::has)
                .count();
        if (given != 1) {
            problems.error(
                    table.origin(),
                    "a user needs one of " + PASSWORD + ", " + PASSWORD_FILE + " and " + HASH + ", found " + given);
        }
        @Nullable Secret password = table.secret(PASSWORD, problems);
        @Nullable Secret fromFile = table.secretFile(PASSWORD_FILE, problems);
        @Nullable KnownUser byHash = byHash(table, name, problems);
        if (given != 1) {
            return null;
        }
        @Nullable Secret known = password == null ? fromFile : password;
        return known == null ? byHash : KnownUser.withPassword(name, known);
    }

    private static @Nullable KnownUser byHash(ConfigTable table, String name, Problems problems) {
        @Nullable Secret hash = table.secret(HASH, problems);
        if (hash == null) {
            return null;
        }
        String text = hash.reveal();
        try {
            return NATIVE_HASH.matcher(text).matches()
                    ? KnownUser.withNativeHash(name, Bytes.of(HexFormat.of().parseHex(text.substring(1))))
                    : KnownUser.withCachingSha2Hash(name, CachingSha2Hash.parse(text));
        } catch (IllegalArgumentException e) {
            problems.error(
                    table.origin(HASH),
                    "expected what the server stores: an asterisk and 40 hexadecimal digits (mysql_native_password), or"
                            + " 70 bytes that begin with $A$005$ (caching_sha2_password), as they are or as 0x and their"
                            + " hexadecimal digits");
            return null;
        }
    }
}
