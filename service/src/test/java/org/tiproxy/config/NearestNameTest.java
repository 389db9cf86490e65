package org.tiproxy.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearestNameTest {
    private static final List<String> KNOWN =
            List.of("proxy.addr", "proxy.max-connections", "supervisor.idle", "supervisor.exec", "dest", "bind");

    @ParameterizedTest
    @CsvSource(
            nullValues = "none",
            value = {
                "proxy.adr, proxy.addr",
                "proxy.addrr, proxy.addr",
                "proxy.adrd, proxy.addr",
                "porxy.addr, proxy.addr",
                "proxy.maxconnections, proxy.max-connections",
                "proxy.max_connection, proxy.max-connections",
                "supervizer.idle, supervisor.idle",
                "dst, dest",
                "dset, dest",
                "port, none",
                "proxy.port, none",
                "frobnicate, none",
            })
    void findsLikelyTypingMistakesOnly(String name, String nearest) {
        assertThat(NearestName.find(name, KNOWN)).isEqualTo(nearest);
    }

    @ParameterizedTest
    @CsvSource({"'', '', 0", "'', abc, 3", "abc, abc, 0", "abc, acb, 1", "kitten, sitting, 3", "ab, ba, 1"})
    void countsSwappedNeighboursAsOneMistake(String from, String to, int distance) {
        assertThat(NearestName.distance(from, to)).isEqualTo(distance);
        assertThat(NearestName.distance(to, from)).isEqualTo(distance);
    }
}
