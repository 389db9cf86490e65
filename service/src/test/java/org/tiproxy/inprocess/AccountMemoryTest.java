package org.tiproxy.inprocess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.session.BackendRequest;
import org.tiproxy.session.PoolKey;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.HandshakeV10;

class AccountMemoryTest {
    private static final HostPort ADDRESS = new HostPort("db1", 3306);

    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1);
    private final AccountMemory memory = new AccountMemory(now::get);

    private static DriverLogin login(String user) {
        return new DriverLogin(ADDRESS, user, new Secret("secret"), BackendTls.DISABLED, Duration.ZERO);
    }

    private static RefusedException refusal(String plugin) {
        return new RefusedException(ADDRESS, ErrPacket.of(ErrorCode.ER_NOT_SUPPORTED_AUTH_MODE, "no"), plugin);
    }

    @Test
    void anAccountWithAnUnsupportedPluginIsKnownForSomeMinutes() {
        memory.remember(login("app"), refusal("dialog"));

        assertThatThrownBy(() -> memory.check(login("app")))
                .isInstanceOfSatisfying(
                        UnsupportedAccountException.class,
                        known -> assertThat(known.plugin()).isEqualTo("dialog"))
                .hasMessageContaining("db1:3306");
        assertThatCode(() -> memory.check(login("other"))).doesNotThrowAnyException();
        now.addAndGet(AccountMemory.UNSUPPORTED_FOR.toNanos());
        assertThatCode(() -> memory.check(login("app"))).doesNotThrowAnyException();
    }

    @Test
    void aRefusalOfTheServersOwnIsNotRemembered() {
        assertThat(memory.remember(login("app"), refusal(null))).isNull();

        assertThatCode(() -> memory.check(login("app"))).doesNotThrowAnyException();
    }

    @Test
    void aPasswordThatMayNotBeSentIsAMatterOfThisLoginOnly() {
        assertThat(memory.remember(login("app"), refusal("caching_sha2_password")))
                .extracting(UnsupportedAccountException::plugin)
                .isEqualTo("caching_sha2_password");

        assertThatCode(() -> memory.check(login("app"))).doesNotThrowAnyException();
    }

    @Test
    void aPluginsNameThatIsNoneIsNotRepeated() {
        assertThat(memory.remember(login("app"), refusal("dialog\nforged line")))
                .extracting(UnsupportedAccountException::plugin)
                .isEqualTo("of another name");
    }

    @Test
    void aDriverIsExpectedToLogInAsItsKindDoesOrAsTheLastOneOfItDid() {
        long likely = Capability.setOf(Capability.CLIENT_FOUND_ROWS, Capability.CLIENT_LOCAL_FILES);
        DriverLogin login =
                new DriverLogin(ADDRESS, "app", new Secret("secret"), BackendTls.DISABLED, Duration.ZERO, true, likely);

        BackendRequest first = memory.guess(login, greeting(Capability.CLIENT_FOUND_ROWS));
        assertThat(Capability.CLIENT_FOUND_ROWS.isIn(first.key().capabilities()))
                .isTrue();
        assertThat(Capability.CLIENT_LOCAL_FILES.isIn(first.key().capabilities()))
                .as("the server does not offer it")
                .isFalse();

        PoolKey seen = new PoolKey("app", first.key().capabilities() | Capability.CLIENT_INTERACTIVE.mask(), 45);
        BackendRequest wanted = new BackendRequest(seen, "orders", first.credentials(), false);
        assertThat(AccountMemory.wasRight(first, wanted)).isFalse();
        memory.loggedIn(login, wanted);
        BackendRequest second =
                memory.guess(login, greeting(Capability.CLIENT_FOUND_ROWS, Capability.CLIENT_INTERACTIVE));
        assertThat(second.key()).isEqualTo(seen);
        assertThat(second.schema()).as("another account may not use it").isEmpty();
        assertThat(AccountMemory.wasRight(second, wanted)).isTrue();
    }

    private static HandshakeV10 greeting(Capability... offered) {
        return new HandshakeV10(
                "11.4.5-MariaDB",
                1,
                Bytes.ofUtf8("abcdefghijklmnopqrst"),
                Capability.setOf(offered),
                45,
                2,
                "mysql_native_password");
    }
}
