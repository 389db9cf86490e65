package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tiproxy.wire.ResponseKind;

class TransactionTrackerTest {
    private static final int IN_TRANS = 1;
    private static final int AUTOCOMMIT = 2;

    @ParameterizedTest
    // flags before, then how a result ends, its flags, and the state behind it
    @CsvSource({
        "2, OK, 2, NONE",
        "2, OK, 3, ACTIVE",
        "3, OK, 2, NONE",
        "3, EOF, 3, ACTIVE",
        "3, RESULT_SET, 2, NONE",
        "2, ERR, 0, NONE",
        "3, ERR, 0, UNKNOWN",
        "0, ERR, 0, UNKNOWN",
        "1, ERR, 0, UNKNOWN",
        "3, PREPARE_OK, 0, ACTIVE",
        "3, TEXT, 0, ACTIVE",
        "3, NONE, 0, ACTIVE"
    })
    void stateFollowsTheTable(int before, ResponseKind kind, int flags, TransactionState expected) {
        TransactionTracker tracker = new TransactionTracker();
        tracker.onFlags(before);
        TransactionState old = tracker.state();
        boolean changed = tracker.onResult(kind, flags);
        assertThat(tracker.state()).isEqualTo(expected);
        assertThat(changed).isEqualTo(old != expected);
    }

    @ParameterizedTest
    @CsvSource({"1", "3"})
    void nextOkEndsTheUncertainty(int flags) {
        TransactionTracker tracker = new TransactionTracker();
        tracker.onFlags(IN_TRANS | AUTOCOMMIT);
        tracker.onResult(ResponseKind.ERR, 0);
        tracker.onResult(ResponseKind.ERR, 0);
        assertThat(tracker.state()).isEqualTo(TransactionState.UNKNOWN);
        tracker.onResult(ResponseKind.OK, flags);
        assertThat(tracker.state()).isEqualTo(TransactionState.ACTIVE);
        assertThat(tracker.reset()).isTrue();
        assertThat(tracker.state()).isEqualTo(TransactionState.NONE);
    }
}
