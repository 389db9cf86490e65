package org.tiproxy.common;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostPortTest {

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:1, true",
        "127.9.9.9:1, true",
        "localhost:1, true",
        "LOCALHOST:1, true",
        "[::1]:1, true",
        "0.0.0.0:1, false",
        ":1, false",
        "[::]:1, false",
        "10.0.0.1:1, false",
        "127.0.0.999:1, false",
        "[fe80::zz]:1, false",
        "localhost.example.com:1, false",
    })
    void knowsWhichAddressesOnlyThisMachineReaches(String address, boolean loopback) {
        assertThat(HostPort.parse(address).isLoopback()).isEqualTo(loopback);
    }
}
