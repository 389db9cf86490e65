package org.tiproxy.wire.protocol;

import java.util.EnumSet;
import java.util.Set;

/** Status flags of OK and EOF packets; a set of them is an {@code int} of 16 bits. */
public enum StatusFlag {
    /** A transaction is active. */
    SERVER_STATUS_IN_TRANS(0x0001),
    /** Autocommit is on. */
    SERVER_STATUS_AUTOCOMMIT(0x0002),
    /** Another result follows this one. */
    SERVER_MORE_RESULTS_EXISTS(0x0008),
    /** No good index was used. */
    SERVER_QUERY_NO_GOOD_INDEX_USED(0x0010),
    /** No index was used. */
    SERVER_QUERY_NO_INDEX_USED(0x0020),
    /** A cursor is open: rows come with COM_STMT_FETCH. */
    SERVER_STATUS_CURSOR_EXISTS(0x0040),
    /** The cursor has no more rows. */
    SERVER_STATUS_LAST_ROW_SENT(0x0080),
    /** A schema was dropped. */
    SERVER_STATUS_DB_DROPPED(0x0100),
    /** A backslash is an ordinary character in string literals. */
    SERVER_STATUS_NO_BACKSLASH_ESCAPES(0x0200),
    /** The columns of a prepared statement have changed since it was prepared. */
    SERVER_STATUS_METADATA_CHANGED(0x0400),
    /** The query was slower than {@code long_query_time}. */
    SERVER_QUERY_WAS_SLOW(0x0800),
    /** This result set holds the out parameters of a procedure. */
    SERVER_PS_OUT_PARAMS(0x1000),
    /** The active transaction is read-only. */
    SERVER_STATUS_IN_TRANS_READONLY(0x2000),
    /** The OK packet carries changes of the session's state. */
    SERVER_SESSION_STATE_CHANGED(0x4000),
    /** MariaDB: double quotes enclose identifiers. */
    SERVER_STATUS_ANSI_QUOTES(0x8000);

    private final int mask;

    StatusFlag(int mask) {
        this.mask = mask;
    }

    /** The flag as a set of one. */
    public int mask() {
        return mask;
    }

    /** Whether {@code statusFlags} contains this flag. */
    public boolean isIn(int statusFlags) {
        return (statusFlags & mask) != 0;
    }

    /** The named flags in {@code statusFlags}, for messages and tests. */
    public static Set<StatusFlag> namesIn(int statusFlags) {
        Set<StatusFlag> names = EnumSet.noneOf(StatusFlag.class);
        for (StatusFlag flag : values()) {
            if (flag.isIn(statusFlags)) {
                names.add(flag);
            }
        }
        return names;
    }
}
