package org.tiproxy.management;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.Headers;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.management.BrowserGuard.Access;

class BrowserGuardTest {
    private static final String FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:60.0) Gecko/20100101 Firefox/60.0";

    private final BrowserGuard guard = new BrowserGuard("127.0.0.1", List.of("ops.example.com"));
    private final InetAddress loopback = InetAddress.getLoopbackAddress();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1:8778",
                "127.0.0.1",
                "localhost:8778",
                "LOCALHOST",
                "localhost.:8778",
                "[::1]:8778",
                "[0:0:0:0:0:0:0:1]",
                "localhost:9999",
                "ops.example.com"
            })
    void namesOfALoopbackEndpointAreServed(String host) {
        assertThat(decide(loopback, "Host", host)).isEqualTo(Access.FULL);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "evil.example:8778",
                "127.0.0.1.evil.example",
                "localhost.evil.example",
                "10.0.0.5:8778",
                ":8778",
                "[::2]:8778",
                "[nonsense]",
                "::",
                "ops.example.com.evil.example",
            })
    void otherNamesAreRefused(String host) {
        assertThat(decide(loopback, "Host", host)).isEqualTo(Access.REFUSED);
    }

    @Test
    void missingHostIsRefused() {
        assertThat(guard.decide(new Headers(), loopback).access()).isEqualTo(Access.REFUSED);
    }

    @Test
    void addressThatTheConnectionCameInOnIsServed() throws Exception {
        BrowserGuard everyAddress = new BrowserGuard("", List.of());
        InetAddress local = InetAddress.getByName("192.0.2.7");

        assertThat(everyAddress.decide(headers("Host", "192.0.2.7:8778"), local).access())
                .isEqualTo(Access.FULL);
        assertThat(everyAddress.decide(headers("Host", "192.0.2.8:8778"), local).access())
                .isEqualTo(Access.REFUSED);
        assertThat(everyAddress.decide(headers("Host", "localhost:8778"), local).access())
                .isEqualTo(Access.REFUSED);
        assertThat(everyAddress.decide(headers("Host", ""), local).access()).isEqualTo(Access.REFUSED);
    }

    @ParameterizedTest
    @CsvSource({
        "http://localhost:8778, localhost:8778, FULL",
        "http://LocalHost:8778, localhost:8778, FULL",
        "https://ops.example.com, ops.example.com, FULL",
        "https://ops.example.com:443, ops.example.com, FULL",
        "https://ops.example.com:8443, ops.example.com, REFUSED",
        "http://localhost:3000, localhost:8778, REFUSED",
        "http://127.0.0.1:8778, localhost:8778, REFUSED",
        "http://evil.example, localhost:8778, REFUSED",
        "http://localhost:8778@evil.example, localhost:8778, REFUSED",
        "null, localhost:8778, REFUSED",
        "file://, localhost:8778, REFUSED",
        "'%%%', localhost:8778, REFUSED",
    })
    void originMustBeTheHost(String origin, String host, Access expected) {
        assertThat(decide(loopback, "Host", host, "Origin", origin)).isEqualTo(expected);
        assertThat(decide(loopback, "Host", host, "Referer", origin + (origin.startsWith("http") ? "/page" : "")))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"none, FULL", "same-origin, FULL", "same-site, REFUSED", "cross-site, REFUSED", "'', REFUSED"})
    void requestsOfOtherSitesPagesAreRefused(String site, Access expected) {
        assertThat(decide(loopback, "Host", "localhost", "User-Agent", FIREFOX, "Sec-Fetch-Site", site))
                .isEqualTo(expected);
    }

    @Test
    void browserThatDoesNotSayWhichPageAsksMayOnlyRead() {
        assertThat(decide(loopback, "Host", "localhost", "User-Agent", FIREFOX)).isEqualTo(Access.READ_ONLY);
        assertThat(decide(loopback, "Host", "localhost", "User-Agent", FIREFOX, "Origin", "http://localhost"))
                .isEqualTo(Access.FULL);
        assertThat(decide(loopback, "Host", "localhost", "User-Agent", "curl/8.5.0"))
                .isEqualTo(Access.FULL);
    }

    private Access decide(InetAddress local, String... namesAndValues) {
        return guard.decide(headers(namesAndValues), local).access();
    }

    private static Headers headers(String... namesAndValues) {
        Headers headers = new Headers();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            headers.add(namesAndValues[i], namesAndValues[i + 1]);
        }
        return headers;
    }
}
