package org.tiproxy.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class FileLimitTest {
    @Test
    void readsHardLimitOfOpenFiles() {
        assertThat(FileLimit.parse(
                        List.of("Max open files            1024                 20000                files")))
                .isEqualTo(20_000);
    }
}
