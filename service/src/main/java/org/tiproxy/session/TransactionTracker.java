package org.tiproxy.session;

import org.tiproxy.wire.ResponseKind;
import org.tiproxy.wire.protocol.StatusFlag;

/**
 * Follows the transaction by the status flags of the server's answers.
 *
 * <pre>
 * state            answer                                next
 * any              with status flags, IN_TRANS set       ACTIVE
 * any              with status flags, IN_TRANS clear     NONE
 * ACTIVE           ERR                                   UNKNOWN
 * NONE             ERR while autocommit is off           UNKNOWN
 * any              other ERR, or without status flags    unchanged
 * any              (reset)                               NONE
 * </pre>
 */
final class TransactionTracker {
    private TransactionState state = TransactionState.NONE;
    private boolean autocommit = true;

    TransactionState state() {
        return state;
    }

    /** Takes the end of a result in, and says whether the state has changed. */
    boolean onResult(ResponseKind kind, int statusFlags) {
        return switch (kind) {
            case OK, EOF, RESULT_SET -> onFlags(statusFlags);
            case ERR -> moveTo(state == TransactionState.ACTIVE || !autocommit ? TransactionState.UNKNOWN : state);
            case NONE, PREPARE_OK, TEXT -> false;
        };
    }

    boolean onFlags(int statusFlags) {
        autocommit = StatusFlag.SERVER_STATUS_AUTOCOMMIT.isIn(statusFlags);
        boolean active = StatusFlag.SERVER_STATUS_IN_TRANS.isIn(statusFlags);
        return moveTo(active ? TransactionState.ACTIVE : TransactionState.NONE);
    }

    /** The server has rolled back. */
    boolean reset() {
        autocommit = true;
        return moveTo(TransactionState.NONE);
    }

    private boolean moveTo(TransactionState next) {
        boolean changes = state != next;
        state = next;
        return changes;
    }
}
