package org.tiproxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EntryStateTest {
    @ParameterizedTest
    @EnumSource
    void becomesWhatTheTableSays(EntryState state) {
        Set<EntryState> expected = switch (state) {
            case CONNECTING -> EnumSet.of(EntryState.IDLE, EntryState.CLOSED);
            case IDLE -> EnumSet.of(EntryState.IN_USE, EntryState.PROBING, EntryState.CLOSING);
            case PROBING, IN_USE -> EnumSet.of(EntryState.IDLE, EntryState.CLOSING);
            case CLOSING -> EnumSet.of(EntryState.CLOSED);
            case CLOSED -> EnumSet.noneOf(EntryState.class);
        };
        for (EntryState next : EntryState.values()) {
            assertThat(state.mayBecome(next)).as("%s -> %s", state, next).isEqualTo(expected.contains(next));
        }
    }
}
