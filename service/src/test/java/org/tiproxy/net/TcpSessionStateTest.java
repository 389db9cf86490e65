package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TcpSessionStateTest {
    @ParameterizedTest
    @CsvSource({
        "WAITING,    'CONNECTING CLOSED'",
        "CONNECTING, 'RELAYING CLOSED'",
        "RELAYING,   'CLOSING CLOSED'",
        "CLOSING,    'CLOSED'",
        "CLOSED,     ''"
    })
    void onlyTheTableOfTheJavadocIsAllowed(TcpSessionState from, String targets) {
        Set<String> expected = Set.of(targets.split(" "));
        for (TcpSessionState to : TcpSessionState.values()) {
            assertThat(TcpSession.allowed(from, to)).as(from + " -> " + to).isEqualTo(expected.contains(to.name()));
        }
    }
}
