package org.tiproxy.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GoDurationTest {

    /** Text, nanoseconds, and how Go prints them. */
    @ParameterizedTest
    @CsvSource({
        "0, 0, 0s",
        "-0, 0, 0s",
        "0s, 0, 0s",
        "30s, 30000000000, 30s",
        "+5s, 5000000000, 5s",
        "500ms, 500000000, 500ms",
        "1m30s, 90000000000, 1m30s",
        "1.5h, 5400000000000, 1h30m0s",
        "1h, 3600000000000, 1h0m0s",
        "0.5s, 500000000, 500ms",
        ".5s, 500000000, 500ms",
        "5.s, 5000000000, 5s",
        "1.5ms, 1500000, 1.5ms",
        "15us, 15000, 15µs",
        "15\u00b5s, 15000, 15µs",
        "15\u03bcs, 15000, 15µs",
        "7ns, 7, 7ns",
        "0.9ns, 0, 0s",
        "30s1m, 90000000000, 1m30s",
        "0.3333333333333333333h, 1200000000000, 20m0s",
        "0.100000000000000000000h, 360000000000, 6m0s",
        "9223372036854775807ns, 9223372036854775807, 2562047h47m16.854775807s",
        "2562047h47m16.854775807s, 9223372036854775807, 2562047h47m16.854775807s",
    })
    void readsAndPrintsAsGoDoes(String text, long nanos, String printed) {
        Duration duration = GoDuration.parse(text);

        assertThat(duration).isEqualTo(Duration.ofNanos(nanos));
        assertThat(GoDuration.format(duration)).isEqualTo(printed);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                    | no number",
                "-                     | no number",
                "s                     | no number before \"s\"",
                ".s                    | no number before \".s\"",
                "30                    | no unit after \"30\"",
                "1m30                  | no unit after \"30\"",
                "30 s                  | unknown unit \" s\"",
                "30 parsecs            | unknown unit \" parsecs\"",
                "1d                    | unknown unit \"d\"",
                "1S                    | unknown unit \"S\"",
                "1s-1s                 | unknown unit \"s-\"",
                "-1s                   | negative",
                "9223372036854775808ns | longer than 2562047h47m16.854775807s",
                "99999999999999999999s | longer than 2562047h47m16.854775807s",
                "3000000h              | longer than 2562047h47m16.854775807s",
                "2562047h60m           | longer than 2562047h47m16.854775807s",
            })
    void saysWhatIsWrong(String text, String reason) {
        assertThatThrownBy(() -> GoDuration.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(reason);
    }

    @Test
    void doesNotPrintWhatGoCannotHold() {
        assertThatThrownBy(() -> GoDuration.format(Duration.ofSeconds(Long.MAX_VALUE)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> GoDuration.format(Duration.ofNanos(-1))).isInstanceOf(IllegalArgumentException.class);
    }
}
