package org.tiproxy.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ByteSizeTest {

    @ParameterizedTest
    @CsvSource({
        "0, 0, 0B",
        "1000, 1000, 1000B",
        "4096, 4096, 4KB",
        "7B, 7, 7B",
        "64K, 65536, 64KB",
        "64 kb, 65536, 64KB",
        "64KiB, 65536, 64KB",
        "300MB, 314572800, 300MB",
        "1g, 1073741824, 1GB",
        "2TB, 2199023255552, 2TB",
    })
    void readsNumbersWithAndWithoutUnit(String text, long bytes, String printed) {
        ByteSize size = ByteSize.parse(text);

        assertThat(size.bytes()).isEqualTo(bytes);
        assertThat(size).hasToString(printed);
    }

    @ParameterizedTest
    @CsvSource({
        "'', no whole number",
        "-1, no whole number",
        "MB, no whole number",
        "1.5GB, unknown unit \".5GB\"",
        "1PB, unknown unit \"PB\"",
        "99999999999999999999, too large",
        "9223372036854775807K, too large",
    })
    void saysWhatIsWrong(String text, String reason) {
        assertThatThrownBy(() -> ByteSize.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(reason);
    }
}
