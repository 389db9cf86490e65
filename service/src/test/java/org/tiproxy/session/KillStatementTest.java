package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KillStatementTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "KILL 5|5",
                "kill connection 17|17",
                "KILL QUERY 4294967295|4294967295",
                "kill hard query 9|9",
                "KILL SOFT CONNECTION 9|9",
                "KILL TIDB 123456789012345678|123456789012345678",
                "'  \t\nKILL\n5 ; '|5",
                "/* driver */ KILL/**/QUERY /* x */ 8 -- done|8",
                "'# one\n-- two\nKILL 8'|8",
                "/* kill 3 */ KILL 4|4",
                "KILL QUERY -2147483647|2147483649"
            })
    void isFound(String sql, long id) {
        byte[] text = sql.getBytes(StandardCharsets.ISO_8859_1);
        KillStatement kill = Objects.requireNonNull(KillStatement.find(text));
        assertThat(kill.id()).isEqualTo(id);
        assertThat(KillStatement.mayStartWith(text[0])).isTrue();
        String digits = sql.substring(kill.start(), kill.end());
        assertThat(Long.parseLong(digits) & 0xffff_ffffL).isEqualTo(id & 0xffff_ffffL);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "KILL",
                "KILL 5 6",
                "KILL 5; SELECT 1",
                "KILL QUERY ID 5",
                "KILL USER 5",
                "KILL @id",
                "KILL 5 + 1",
                "KILL5",
                "KILL 1234567890123456789",
                "SELECT 'KILL 5'",
                "/* KILL 5 */",
                "/*! KILL 5 */",
                "/*M! KILL 5 */",
                "KILL CONNECTION_ID()",
                "-- KILL 5"
            })
    void isNotFound(String sql) {
        assertThat(KillStatement.find(sql.getBytes(StandardCharsets.ISO_8859_1)))
                .isNull();
    }

    @Test
    void unfinishedCommentsTakeNoTime() {
        String sql = "/* /* /* ".repeat(28);
        assertThat(KillStatement.find(sql.getBytes(StandardCharsets.ISO_8859_1)))
                .isNull();
    }
}
