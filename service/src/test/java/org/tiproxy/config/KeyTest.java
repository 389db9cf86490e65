package org.tiproxy.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tiproxy.common.ByteSize;
import org.tiproxy.common.HostPort;

class KeyTest {
    private enum Choice {
        ONE,
        TWO_OR_MORE
    }

    private static final Duration FOREVER = Duration.ofDays(10_000);

    private static final Map<String, Key<?>> KEYS = Map.ofEntries(
            Map.entry("string", Key.string("a.string", "m")),
            Map.entry("secret", Key.secret("a.secret", "m")),
            Map.entry("integer", Key.integer("a.integer", 1, 10, "m")),
            Map.entry("bool", Key.bool("a.bool", "m")),
            Map.entry("duration", Key.duration("a.duration", "m")),
            Map.entry("positive", Key.positiveDuration("a.positive", "m")),
            Map.entry("idle", Key.durationOr("a.idle", "never", FOREVER, "m")),
            Map.entry("seconds", Key.secondsOrDuration("a.seconds", "m")),
            Map.entry("size", Key.byteSize("a.size", "m")),
            Map.entry("megabytes", Key.megabytesOrSize("a.megabytes", "m")),
            Map.entry("address", Key.address("a.address", "m")),
            Map.entry("addressOrOff", Key.addressOrOff("a.addressOrOff", "m")),
            Map.entry("addresses", Key.addresses("a.addresses", "m")),
            Map.entry("strings", Key.strings("a.strings", "m")),
            Map.entry("path", Key.path("a.path", "a file", "m")),
            Map.entry("url", Key.httpUrl("a.url", "m")),
            Map.entry("choice", Key.choice("a.choice", Choice.class, "m")));

    private static Key<?> key(String name) {
        return Objects.requireNonNull(KEYS.get(name));
    }

    private static Object read(String key, String text) throws InvalidValueException {
        return key(key).read(RawValue.text(text, Origin.ofFlag("--x", "a." + key)));
    }

    @Test
    void readsText() throws InvalidValueException {
        assertThat(read("string", "x")).isEqualTo("x");
        assertThat(read("integer", "10")).isEqualTo(10);
        assertThat(read("bool", "true")).isEqualTo(true);
        assertThat(read("duration", "0")).isEqualTo(Duration.ZERO);
        assertThat(read("positive", "1ns")).isEqualTo(Duration.ofNanos(1));
        assertThat(read("idle", "never")).isEqualTo(FOREVER);
        assertThat(read("idle", "30s")).isEqualTo(Duration.ofSeconds(30));
        assertThat(read("seconds", "15")).isEqualTo(Duration.ofSeconds(15));
        assertThat(read("seconds", "1m")).isEqualTo(Duration.ofMinutes(1));
        assertThat(read("size", "64KB")).isEqualTo(new ByteSize(65536));
        assertThat(read("megabytes", "2")).isEqualTo(new ByteSize(2 << 20));
        assertThat(read("megabytes", "2KB")).isEqualTo(new ByteSize(2 << 10));
        assertThat(read("address", "[::1]:0")).isEqualTo(new HostPort("::1", 0));
        assertThat(read("addressOrOff", "off")).isEqualTo(Optional.empty());
        assertThat(read("addressOrOff", "a:1")).isEqualTo(Optional.of(new HostPort("a", 1)));
        assertThat(read("addresses", "a:1, b:2")).isEqualTo(List.of(new HostPort("a", 1), new HostPort("b", 2)));
        assertThat(read("strings", "")).isEqualTo(List.of());
        assertThat(read("strings", "a,,b")).isEqualTo(List.of("a", "", "b"));
        assertThat(read("path", "x/y")).isEqualTo(Path.of("x/y"));
        assertThat(read("choice", "two-or-more")).isEqualTo(Choice.TWO_OR_MORE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "string       | ''          | \"\": expected a string (empty)",
                "integer      | 0           | \"0\": expected an integer from 1 to 10",
                "integer      | 11          | \"11\": expected an integer from 1 to 10",
                "integer      | 1.0         | \"1.0\": expected an integer from 1 to 10",
                "integer      | 9999999999999999999 | \"9999999999999999999\": expected an integer from 1 to 10",
                "bool         | yes         | \"yes\": expected true or false",
                "duration     | 5           | \"5\": expected a duration such as 30s, 500ms or 1m30s (no unit after \"5\")",
                "positive     | 0s          | \"0s\": expected a duration such as 30s, 500ms or 1m30s, more than 0",
                "idle         | 30 parsecs  | \"30 parsecs\": expected a duration such as 30s, 500ms or 1m30s, or never (unknown unit \" parsecs\")",
                "seconds      | -1          | \"-1\": expected whole seconds, or a duration such as 30s, 500ms or 1m30s (no unit after \"1\")",
                "size         | big         | \"big\": expected a size such as 4096, 64KB or 16MB (no whole number)",
                "address      | 4000        | \"4000\": expected host:port such as 127.0.0.1:4000 (it needs host:port, found no ':')",
                "address      | a:70000     | \"a:70000\": expected host:port such as 127.0.0.1:4000 (port 70000 is not between 0 and 65535)",
                "address      | ::1:80      | \"::1:80\": expected host:port such as 127.0.0.1:4000 (it needs an IPv6 address in brackets, as in [::1]:4000)",
                "address      | tcp://a:80  | \"tcp://a:80\": expected host:port such as 127.0.0.1:4000 (an address has no scheme, path or space)",
                "addressOrOff | on          | \"on\": expected host:port such as 127.0.0.1:9010, or off (it needs host:port, found no ':')",
                "addresses    | a:1,b:0     | \"b:0\": expected host:port such as 127.0.0.1:4000 (nothing listens on port 0)",
                "path         | ''          | \"\": expected the path of a file (empty)",
                "url          | ftp://a/    | \"ftp://a/\": expected a URL such as http://127.0.0.1:3000/health (only http:// is supported)",
                "url          | http:///x   | \"http:///x\": expected a URL such as http://127.0.0.1:3000/health (no host)",
                "choice       | three       | \"three\": expected one or two-or-more",
                "choice       | ONE         | \"ONE\": expected one or two-or-more",
            })
    void saysWhatItExpected(String key, String text, String message) {
        assertThatThrownBy(() -> read(key, text)).hasMessage(message);
    }

    @Test
    void neverShowsASecret() {
        RawValue number = new RawValue(RawValue.Kind.INTEGER, "4711", List.of(), Origin.ofFlag("--x", "a.secret"));

        assertThatThrownBy(() -> key("secret").read(number))
                .hasMessage("expected a string that is not empty, found an integer");
    }

    @Test
    void doesNotMakeAFlagOfASecret() {
        Key<?> secret = Key.secret("jmx.password", "m");

        assertThatThrownBy(() -> secret.flag("password")).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void namesItsVariable() {
        assertThat(Key.string("proxy.max-connections", "m").variable()).isEqualTo("TIPROXY_PROXY_MAX_CONNECTIONS");
    }
}
