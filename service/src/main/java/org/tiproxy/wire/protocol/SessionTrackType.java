package org.tiproxy.wire.protocol;

import org.jspecify.annotations.Nullable;

/** What an entry of the session state tracking in an OK packet is about. */
public enum SessionTrackType {
    /** System variables that were set: pairs of name and value. */
    SESSION_TRACK_SYSTEM_VARIABLES(0),
    /** The default schema. */
    SESSION_TRACK_SCHEMA(1),
    /** Something in the session's state has changed. */
    SESSION_TRACK_STATE_CHANGE(2),
    /** GTIDs of what was written; MySQL only. */
    SESSION_TRACK_GTIDS(3),
    /** The statements that would start the present transaction again. */
    SESSION_TRACK_TRANSACTION_CHARACTERISTICS(4),
    /** The state of the transaction as eight letters. */
    SESSION_TRACK_TRANSACTION_STATE(5);

    private final int code;

    SessionTrackType(int code) {
        this.code = code;
    }

    /** The byte in front of the entry. */
    public int code() {
        return code;
    }

    /** The type of an entry; null if no server known to us sends such a one. */
    public static @Nullable SessionTrackType of(int code) {
        return code >= 0 && code < values().length ? values()[code] : null;
    }
}
