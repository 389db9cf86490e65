package org.tiproxy.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class QueryTest {
    @Test
    void connectsToTheProxyOfTheQuickStart() {
        assertThat(Query.url(Map.of())).startsWith("jdbc:mariadb://127.0.0.1:4000/demo?");
    }

    @Test
    void followsTheProxyToAnotherAddress() {
        assertThat(Query.url(Map.of("TIPROXY_PROXY_ADDR", "127.0.0.1:4100")))
                .startsWith("jdbc:mariadb://127.0.0.1:4100/demo?");
    }
}
