package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.server.ErrPacket;

class ConnectionLimitsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ER_CON_COUNT_ERROR | Too many connections | true | false",
                "ER_TOO_MANY_USER_CONNECTIONS | User u already has more than 'max_user_connections' | false | true",
                "ER_USER_LIMIT_REACHED | User 'u' has exceeded the 'max_user_connections' resource | false | true",
                "ER_USER_LIMIT_REACHED | User 'u' has exceeded the 'max_connections_per_hour' resource | false | false",
                "ER_USER_LIMIT_REACHED | User 'u' has exceeded the 'max_questions' resource | false | false",
                "ER_ACCESS_DENIED_ERROR | Access denied for user 'max_user_connections' | false | false"
            })
    void onlyWhatFewerConnectionsWouldHelpIsALimitOfThem(
            ErrorCode code, String text, boolean serverFull, boolean userFull) {
        ErrPacket refusal = ErrPacket.of(code, text);
        assertThat(ConnectionLimits.isServerFull(refusal)).isEqualTo(serverFull);
        assertThat(ConnectionLimits.isUserFull(refusal)).isEqualTo(userFull);
    }
}
