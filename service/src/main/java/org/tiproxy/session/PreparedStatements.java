package org.tiproxy.session;

import java.util.HashSet;
import java.util.Set;
import org.tiproxy.wire.ResponseKind;
import org.tiproxy.wire.ResponseOutcome;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.protocol.StatusFlag;

/**
 * The prepared statements of a session by their ids: which are open, which have an open cursor, which have got long data
 * that waits for its execution. A cursor is open from an answer to COM_STMT_EXECUTE with SERVER_STATUS_CURSOR_EXISTS
 * until SERVER_STATUS_LAST_ROW_SENT, COM_STMT_RESET, COM_STMT_CLOSE or the next execution.
 */
final class PreparedStatements {
    /** MariaDB: the statement prepared last. */
    private static final int LAST_PREPARED = -1;

    // Most sessions prepare nothing.
    private Set<Integer> open = Set.of();
    private Set<Integer> cursors = Set.of();
    private Set<Integer> longData = Set.of();
    private int lastPrepared;

    int openCount() {
        return open.size();
    }

    int cursorCount() {
        return cursors.size();
    }

    int longDataCount() {
        return longData.size();
    }

    /** A command that names a statement is on its way. */
    void onCommand(Command command, int statementId) {
        switch (command) {
            case COM_STMT_EXECUTE, COM_STMT_BULK_EXECUTE, COM_STMT_RESET -> {
                int id = resolve(statementId);
                remove(cursors, id);
                remove(longData, id);
            }
            case COM_STMT_SEND_LONG_DATA -> {
                int id = resolve(statementId);
                if (open.contains(id)) {
                    longData = add(longData, id);
                }
            }
            case COM_STMT_CLOSE -> {
                int id = resolve(statementId);
                remove(open, id);
                remove(cursors, id);
                remove(longData, id);
            }
            default -> {}
        }
    }

    /** The response to a command is over. */
    void onResponse(Command command, int statementId, ResponseOutcome outcome) {
        switch (command) {
            case COM_STMT_PREPARE -> {
                if (outcome.kind() == ResponseKind.PREPARE_OK) {
                    lastPrepared = outcome.statementId();
                    open = add(open, lastPrepared);
                }
            }
            case COM_STMT_EXECUTE -> {
                if (StatusFlag.SERVER_STATUS_CURSOR_EXISTS.isIn(outcome.statusFlags())) {
                    int id = resolve(statementId);
                    // It may have been closed before the answer came.
                    if (open.contains(id)) {
                        cursors = add(cursors, id);
                    }
                }
            }
            case COM_STMT_FETCH -> {
                if (StatusFlag.SERVER_STATUS_LAST_ROW_SENT.isIn(outcome.statusFlags())) {
                    remove(cursors, resolve(statementId));
                }
            }
            case COM_RESET_CONNECTION -> {
                if (outcome.kind() == ResponseKind.OK) {
                    clear();
                }
            }
            default -> {}
        }
    }

    /** The server has forgotten all of them. */
    void clear() {
        open = Set.of();
        cursors = Set.of();
        longData = Set.of();
    }

    private int resolve(int statementId) {
        return statementId == LAST_PREPARED ? lastPrepared : statementId;
    }

    private static Set<Integer> add(Set<Integer> ids, int id) {
        Set<Integer> changed = ids.isEmpty() ? new HashSet<>() : ids;
        changed.add(id);
        return changed;
    }

    private static void remove(Set<Integer> ids, int id) {
        // The immutable empty set throws on remove.
        if (!ids.isEmpty()) {
            ids.remove(id);
        }
    }
}
