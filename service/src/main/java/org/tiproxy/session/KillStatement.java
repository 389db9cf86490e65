package org.tiproxy.session;

import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * {@code KILL [HARD|SOFT] [TIDB] [CONNECTION|QUERY] <id>} in a COM_QUERY, behind and between comments. Other forms,
 * such as {@code KILL QUERY ID <n>} and {@code KILL USER <name>}, mean no connection and are not found.
 *
 * @param id the connection
 * @param start where its digits start in the text
 * @param end behind its digits
 */
record KillStatement(long id, int start, int end) {
    /** White space and comments; {@code #} and {@code --} comments go to the end of the line. */
    private static final String GAP = "(?:[\\s\\x0b]|/\\*(?!M?!)(?s:.*?)\\*/|--\\s[^\\n]*(?:\\n|$)|#[^\\n]*(?:\\n|$))";

    private static final long UNSIGNED_INT = 0xffff_ffffL;

    private static final Pattern KILL = Pattern.compile(
            GAP + "*+KILL" + GAP + "++(?:(?:HARD|SOFT)" + GAP + "++)?+(?:TIDB" + GAP + "++)?+(?:(?:CONNECTION|QUERY)"
                    + GAP + "++)?+(-?\\d{1,18})" + GAP + "*+(?:;" + GAP + "*+)*+",
            Pattern.CASE_INSENSITIVE);

    /** Whether a text that starts with this byte may be one: almost none does, and the rest costs nothing then. */
    static boolean mayStartWith(int firstByte) {
        return switch (firstByte) {
            case 'k', 'K', '/', '-', '#', ' ', '\t', '\n', '\r', '\f', 0x0b -> true;
            default -> false;
        };
    }

    /** Finds it in the text of a COM_QUERY; offsets count bytes. */
    static @Nullable KillStatement find(byte[] sql) {
        // One byte per character, so that offsets stay what they are.
        Matcher matcher = KILL.matcher(new String(sql, StandardCharsets.ISO_8859_1));
        if (!matcher.matches()) {
            return null;
        }
        long id = Long.parseLong(matcher.group(1));
        // MariaDB Connector/J reads ids from 2^31 on as negative ones.
        return new KillStatement(id < 0 ? id & UNSIGNED_INT : id, matcher.start(1), matcher.end(1));
    }
}
