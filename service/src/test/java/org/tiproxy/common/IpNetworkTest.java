package org.tiproxy.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.InetAddress;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpNetworkTest {
    @ParameterizedTest
    @CsvSource({
        "10.1.2.3, 10.1.2.3, true",
        "10.1.2.3, 10.1.2.4, false",
        "10.0.0.0/8, 10.255.0.1, true",
        "10.0.0.0/8, 11.0.0.1, false",
        "10.1.2.128/25, 10.1.2.200, true",
        "10.1.2.128/25, 10.1.2.127, false",
        "0.0.0.0/0, 200.1.2.3, true",
        "0.0.0.0/0, ::1, false",
        "::1, ::1, true",
        "::/0, 2001:db8::1, true",
        "::/0, 10.1.2.3, false",
        "2001:db8::/33, 2001:db8:7fff::1, true",
        "2001:db8::/33, 2001:db8:8000::1, false",
        "::ffff:10.1.2.3, 10.1.2.3, true"
    })
    void containsTheAddressesWithTheSameLeadingBits(String network, String address, boolean contained)
            throws Exception {
        assertThat(IpNetwork.parse(network).contains(InetAddress.getByName(address)))
                .isEqualTo(contained);
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.1.2.3", "10.0.0.0/8", "0.0.0.0/0", "0:0:0:0:0:0:0:1", "2001:db8:0:0:0:0:0:0/33"})
    void isWrittenAsItIsRead(String text) {
        assertThat(IpNetwork.parse(text)).hasToString(text).isEqualTo(IpNetwork.parse(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "localhost",
                "10.1",
                "10.1.2.256",
                "1.2.3.4.5",
                "10.1.2.3/33",
                "10.0.0.0/-1",
                "10.0.0.0/",
                "10.1.2.3/8",
                "::1/129",
                ":::",
                "fe80::1%eth0",
                "10.0.0.0/8/8",
                "*"
            })
    void whatIsNoAddressOrRangeIsRefused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> IpNetwork.parse(text));
    }
}
