package org.tiproxy.wire.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.wire.Bytes;

class CachingSha2HashTest {
    private static final int ROUNDS = 5000;
    private static final String SALT = "twenty bytes of salt";

    @ParameterizedTest
    @CsvSource({
        // Made with "openssl passwd -5".
        "'Hello world!', saltstringsaltst, a5C8Ofk71MUIoKve2QuP9FMl.dwNgseF5tR1LGAL7iB",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, saltstringsaltst, "
                + "Pq9ov2Vo62COYoeHnXGny2arFfqFSynnfJ9xyjs7ZX7",
        "'Hello world!', saltstring01234, KYhOsvq8PtcBsmjZQqBrvPRBR1n3uohH6Sn2piUS4Y/"
    })
    void computesSha256Crypt(String password, String salt, String digest) {
        assertThat(new String(CachingSha2Hash.crypt(ROUNDS, bytes(salt), bytes(password)), StandardCharsets.US_ASCII))
                .isEqualTo(digest);
    }

    @Test
    void checksAPasswordAgainstWhatTheServerStores() {
        String stored = "$A$005$" + SALT
                + new String(CachingSha2Hash.crypt(ROUNDS, bytes(SALT), bytes("s3cret")), StandardCharsets.US_ASCII);
        CachingSha2Hash hash = CachingSha2Hash.parse(stored);
        assertThat(hash.matches(Bytes.ofUtf8("s3cret"))).isTrue();
        assertThat(hash.matches(Bytes.ofUtf8("s3creT"))).isFalse();
        assertThat(hash.matches(Bytes.EMPTY)).isFalse();
        CachingSha2Hash same = CachingSha2Hash.parse("0x" + HexFormat.of().formatHex(bytes(stored)));
        assertThat(same.matches(Bytes.ofUtf8("s3cret"))).isTrue();
        assertThat(hash).hasToString("CachingSha2Hash[rounds=5000]");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "$A$005$tooshort",
                "$B$005$twenty bytes of saltaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "$A$000$twenty bytes of saltaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "$A$zzz$twenty bytes of saltaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "0xzz"
            })
    void refusesWhatIsNoHashWithoutShowingIt(String stored) {
        assertThatThrownBy(() -> CachingSha2Hash.parse(stored)).isInstanceOf(IllegalArgumentException.class);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
