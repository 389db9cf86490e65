package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SessionPhaseTest {
    /** The table in {@link SessionEngine}. */
    private static final Map<SessionPhase, Set<SessionPhase>> TABLE = new EnumMap<>(Map.of(
            SessionPhase.CONNECTING, EnumSet.of(SessionPhase.GREETING, SessionPhase.HANDSHAKE),
            SessionPhase.GREETING, EnumSet.of(SessionPhase.HANDSHAKE),
            SessionPhase.HANDSHAKE,
                    EnumSet.of(
                            SessionPhase.CLIENT_TLS,
                            SessionPhase.BACKEND_TLS,
                            SessionPhase.AUTHENTICATION,
                            SessionPhase.ACQUIRING),
            SessionPhase.CLIENT_TLS, EnumSet.of(SessionPhase.HANDSHAKE),
            SessionPhase.BACKEND_TLS, EnumSet.of(SessionPhase.AUTHENTICATION),
            SessionPhase.AUTHENTICATION, EnumSet.of(SessionPhase.COMMANDS, SessionPhase.ACQUIRING),
            SessionPhase.ACQUIRING, EnumSet.of(SessionPhase.AUTHENTICATION, SessionPhase.COMMANDS),
            SessionPhase.COMMANDS, EnumSet.of(SessionPhase.CHANGE_USER, SessionPhase.QUITTING),
            SessionPhase.CHANGE_USER, EnumSet.of(SessionPhase.COMMANDS, SessionPhase.ACQUIRING),
            SessionPhase.QUITTING, EnumSet.noneOf(SessionPhase.class)));

    @Test
    void phasesFollowTheTable() {
        for (SessionPhase phase : SessionPhase.values()) {
            Set<SessionPhase> successors = EnumSet.noneOf(SessionPhase.class);
            for (SessionPhase next : SessionPhase.values()) {
                if (phase.mayBecome(next)) {
                    successors.add(next);
                }
            }
            Set<SessionPhase> expected = EnumSet.noneOf(SessionPhase.class);
            if (phase != SessionPhase.ENDED) {
                expected.addAll(TABLE.getOrDefault(phase, Set.of()));
                expected.add(SessionPhase.ENDED);
            }
            assertThat(successors).as(phase.name()).isEqualTo(expected);
        }
    }
}
