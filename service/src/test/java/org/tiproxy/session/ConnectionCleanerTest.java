package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.common.Secret;
import org.tiproxy.session.ConnectionCleaner.State;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.auth.MysqlNativePassword;
import org.tiproxy.wire.client.ComChangeUser;
import org.tiproxy.wire.client.ConnectionAttributes;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.server.HandshakeV10;
import org.tiproxy.wire.server.OkPacket;

/** Cleaning, with a backend that a test plays. */
class ConnectionCleanerTest {
    private static final Bytes SECRET = Bytes.ofUtf8("s3cret");
    private static final BackendCredentials CREDENTIALS = BackendCredentials.ofPassword("root", new Secret("s3cret"));
    private static final long CAPABILITIES = Packets.CLIENT_CAPABILITIES & ~Capability.CLIENT_CONNECT_ATTRS.mask();
    private static final PoolKey KEY = PoolKey.ofUser("root", CAPABILITIES, 45);

    /** SHOW PROFILES without rows, with CLIENT_DEPRECATE_EOF. */
    private static final byte[] NO_PROFILES = Hex.join(
            Hex.packet(1, "03"),
            Hex.packet(2, "'a column'"),
            Hex.packet(3, "'a column'"),
            Hex.packet(4, "'a column'"),
            Hex.packet(5, "fe 00 00 0200 0000"));

    private static final String LOGGED_IN_PLAN = "SELECT CURRENT_ROLE(), DATABASE(), USER(); "
            + CleaningStep.SELECT_LIMITS + "; RESET_CONNECTION; INIT_DB test";

    private final SentPackets sent = new SentPackets();

    /** The answers to all of a change of user but the state. */
    private void logIn(ConnectionCleaner cleaner) {
        receive(cleaner, Hex.packet(1, "fe 'mysql_native_password' 00 'tsrqponmlkjihgfedcba' 00".split(" ")));
        sent.takeOnly(2);
        receive(cleaner, Hex.packet(3, "00 00 00 0340 0000 00 07 01 05 04 'test'".split(" ")));
    }

    /** A connection whose first cleaning is over. */
    private BackendConnectionInfo cleaned(String version, BackendRequest served, String... row) {
        BackendConnectionInfo info = connection(version, served.key().collationId())
                .loggedIn("root", served.schema(), served.key().collationId(), CAPABILITIES, OkPacket.of(2));
        ConnectionCleaner cleaner = ConnectionCleaner.afterUse(
                new BackendRelease(info, true, "", false), served, ConnectionAttributes.NONE, sent);
        sent.take();
        receive(cleaner, Packets.ok(1));
        if (!version.contains("TiDB")) {
            receive(cleaner, NO_PROFILES);
        }
        logIn(cleaner);
        receive(cleaner, Packets.stateIs(row));
        for (SentPackets.Packet packet : sent.take().stream().skip(1).toList()) {
            receive(
                    cleaner,
                    name(packet).equals(CleaningStep.SELECT_LIMITS) ? Packets.limitedIs(false) : Packets.ok(1));
        }
        assertThat(cleaner.state()).isEqualTo(State.CLEAN);
        return cleaner.result();
    }

    private ConnectionCleaner again(BackendConnectionInfo info, BackendRequest served) {
        return ConnectionCleaner.afterUse(
                new BackendRelease(info, true, "", false), served, ConnectionAttributes.NONE, sent);
    }

    private static BackendConnectionInfo connection(String version) {
        return connection(version, 45);
    }

    private static BackendConnectionInfo connection(String version, int collationId) {
        return connection(version, collationId, false);
    }

    private static BackendConnectionInfo connection(String version, int collationId, boolean tls) {
        HandshakeV10 greeting = new HandshakeV10(
                version, 11, Packets.SCRAMBLE, Packets.MYSQL_CAPABILITIES, 45, 2, "mysql_native_password");
        return new BackendConnectionInfo(greeting, tls, "root", "test", collationId, CAPABILITIES, OkPacket.of(2));
    }

    private static BackendRequest request(String schema, BackendCredentials credentials) {
        return new BackendRequest(KEY, schema, credentials, false);
    }

    private ConnectionCleaner afterUse(String version, boolean optionUsed, BackendCredentials credentials) {
        BackendRelease release = new BackendRelease(connection(version), true, "", optionUsed);
        return ConnectionCleaner.afterUse(release, request("test", credentials), ConnectionAttributes.NONE, sent);
    }

    private ConnectionCleaner beforeUse(BackendRequest request) {
        return ConnectionCleaner.beforeUse(connection("11.4.5-MariaDB"), request, ConnectionAttributes.NONE, sent);
    }

    private static void receive(ConnectionCleaner cleaner, byte[]... packets) {
        for (byte[] packet : packets) {
            for (byte b : packet) {
                cleaner.bytes(ByteBuffer.wrap(new byte[] {b}));
            }
        }
    }

    private static String name(SentPackets.Packet packet) {
        assertThat(packet.sequenceId()).isZero();
        byte[] payload = packet.payload().toByteArray();
        return switch (packet.header()) {
            case 0x02 -> "INIT_DB " + Bytes.of(payload, 1, payload.length - 1).utf8();
            case 0x03 -> Bytes.of(payload, 1, payload.length - 1).utf8();
            case 0x11 -> "CHANGE_USER";
            case 0x1b -> "SET_OPTION " + payload[1];
            case 0x1f -> "RESET_CONNECTION";
            default -> "0x" + Integer.toHexString(packet.header());
        };
    }

    private String plan() {
        return sent.take().stream().map(ConnectionCleanerTest::name).collect(Collectors.joining("; "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "5.5.5-10.11.6-MariaDB  | false | true  | SET ROLE NONE; SHOW PROFILES; CHANGE_USER",
                "11.4.5-MariaDB         | true  | true  | SET ROLE NONE; SHOW PROFILES; SET_OPTION 0; CHANGE_USER",
                "11.4.5-MariaDB         | false | false | SET ROLE NONE; SHOW PROFILES; RESET_CONNECTION",
                "8.4.3                  | false | true  | SET ROLE NONE; SHOW PROFILES; CHANGE_USER",
                "8.4.3                  | true  | false | SET ROLE NONE; SHOW PROFILES; SET_OPTION 0; RESET_CONNECTION",
                "9.1.0                  | false | true  | SET ROLE NONE; SHOW PROFILES; CHANGE_USER",
                "5.7.44-log             | false | true  | SHOW PROFILES; CHANGE_USER",
                "8.0.11-TiDB-v8.5.0     | false | true  | SET ROLE NONE; CHANGE_USER",
                "8.0.11-TiDB-v8.5.0     | false | false | SET ROLE NONE; RESET_CONNECTION"
            })
    void thePlanFitsTheServer(String version, boolean optionUsed, boolean withCredentials, String plan) {
        ConnectionCleaner cleaner = afterUse(version, optionUsed, withCredentials ? CREDENTIALS : null);
        assertThat(plan()).isEqualTo(plan);
        assertThat(cleaner.state()).isEqualTo(State.RUNNING);
    }

    @Test
    void itIsCleanWhenAllStepsHaveSucceeded() {
        ConnectionCleaner cleaner = afterUse("11.4.5-MariaDB", true, CREDENTIALS);
        List<SentPackets.Packet> packets = sent.take();
        ComChangeUser change =
                ComChangeUser.decode(packets.get(packets.size() - 1).payload(), CAPABILITIES);
        assertThat(change.user().utf8()).isEqualTo("root");
        assertThat(change.schema().utf8()).isEqualTo("test");
        assertThat(change.collationId()).isEqualTo(45);

        receive(cleaner, Packets.ok(1), NO_PROFILES, Hex.packet(1, "fe 0000 0200"));
        receive(cleaner, Hex.packet(1, "fe 'mysql_native_password' 00 'tsrqponmlkjihgfedcba' 00".split(" ")));
        assertThat(cleaner.state()).isEqualTo(State.RUNNING);
        assertThat(MysqlNativePassword.verify(
                        sent.takeOnly(2), Bytes.ofUtf8("tsrqponmlkjihgfedcba"), MysqlNativePassword.storedHash(SECRET)))
                .isTrue();
        receive(cleaner, Hex.packet(3, "00 00 00 0340 0000 00 07 01 05 04 'test'".split(" ")));
        assertThat(plan()).isEqualTo(LOGGED_IN_PLAN);
        receive(cleaner, Packets.stateIs("06 'role_a' 04 'test'".split(" ")), Packets.limitedIs(false), Packets.ok(1));
        assertThat(cleaner.state()).isEqualTo(State.RUNNING);
        receive(cleaner, Packets.ok(1));
        assertThat(cleaner.state()).isEqualTo(State.CLEAN);
        assertThat(cleaner.result().fresh())
                .isEqualTo(new BackendConnectionInfo.Fresh("role_a", "root@localhost", false, 0));
        assertThat(cleaner.result().ok().sessionChanges()).hasSize(1);
        assertThat(cleaner.result().user()).isEqualTo("root");
    }

    @Test
    void profilesCannotBeCleared() {
        ConnectionCleaner cleaner = afterUse("11.4.5-MariaDB", false, CREDENTIALS);
        receive(
                cleaner,
                Packets.ok(1),
                Hex.packet(1, "03"),
                Hex.packet(2, "'a'"),
                Hex.packet(3, "'b'"),
                Hex.packet(4, "'c'"));
        assertThat(cleaner.state()).isEqualTo(State.RUNNING);
        receive(cleaner, Hex.packet(5, "01", "'1'", "01", "'2'", "08", "'SELECT 1'"));
        assertThat(cleaner.state()).isEqualTo(State.FAILED);
        assertThat(cleaner.failure().message()).contains("profiling");
    }

    @Test
    void aServerWithoutProfilingIsFine() {
        ConnectionCleaner cleaner = afterUse("11.4.5-MariaDB", false, null);
        receive(cleaner, Packets.ok(1), Packets.err(1, "The 'SHOW PROFILES' feature is disabled"), Packets.ok(1));
        assertThat(cleaner.state()).isEqualTo(State.CLEAN);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void anErrorInAnyStepMeansClose(int failing) {
        ConnectionCleaner cleaner = afterUse("11.4.5-MariaDB", true, CREDENTIALS);
        if (failing > 0) {
            receive(cleaner, Packets.ok(1), NO_PROFILES);
        }
        for (int step = 1; step < failing; step++) {
            receive(cleaner, Packets.ok(1));
        }
        receive(cleaner, Packets.err(1, "no"));
        assertThat(cleaner.state()).isEqualTo(State.FAILED);
        assertThat(cleaner.failure().code()).isEqualTo(1064);
        assertThatThrownBy(cleaner::result).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatIsNoAnswerMeansClose() {
        ConnectionCleaner cleaner = afterUse("8.0.11-TiDB-v8.5.0", false, null);
        receive(cleaner, Hex.packet(1, "05"));
        assertThat(cleaner.state()).isEqualTo(State.FAILED);

        ConnectionCleaner talkative = afterUse("8.0.11-TiDB-v8.5.0", false, null);
        talkative.bytes(ByteBuffer.wrap(Hex.join(Packets.ok(1), Packets.ok(1), Packets.ok(1))));
        assertThat(talkative.state()).isEqualTo(State.FAILED);
    }

    @Test
    void whatMustBeClosedIsNotCleaned() {
        BackendRelease release = new BackendRelease(connection("8.4.3"), false, "COM_QUERY was in flight", false);
        BackendRequest served = request("test", CREDENTIALS);
        assertThatThrownBy(() -> ConnectionCleaner.afterUse(release, served, ConnectionAttributes.NONE, sent))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("COM_QUERY");
    }

    @Test
    void aFittingConnectionNeedsNothing() {
        ConnectionCleaner cleaner = beforeUse(request("test", CREDENTIALS));
        assertThat(cleaner.state()).isEqualTo(State.CLEAN);
        assertThat(sent.take()).isEmpty();
        assertThat(beforeUse(request("other", null)).state()).isEqualTo(State.CLEAN);
        assertThat(sent.take()).isEmpty();
    }

    @Test
    void anotherSchemaIsChosen() {
        ConnectionCleaner cleaner = beforeUse(request("other", CREDENTIALS));
        assertThat(plan()).isEqualTo("INIT_DB other");
        receive(cleaner, Packets.ok(1));
        assertThat(cleaner.state()).isEqualTo(State.CLEAN);
        assertThat(cleaner.result().schema()).isEqualTo("other");
    }

    @Test
    void anUnknownSchemaLeavesTheConnectionAsItWas() {
        ConnectionCleaner cleaner = beforeUse(request("other", CREDENTIALS));
        receive(cleaner, Hex.packet(1, "ff 1904", "'#42000Unknown database'"));
        assertThat(cleaner.state()).isEqualTo(State.REFUSED);
        assertThat(cleaner.failure().code()).isEqualTo(1049);
        assertThat(cleaner.result().schema()).isEqualTo("test");
    }

    @Test
    void noSchemaAnotherUserAndAnotherCollationNeedAChangeOfUser() {
        assertThat(beforeUse(request("", CREDENTIALS)).state()).isEqualTo(State.RUNNING);
        assertThat(plan()).isEqualTo("SET ROLE NONE; CHANGE_USER");
        BackendCredentials other = BackendCredentials.ofPassword("other", new Secret("x"));
        beforeUse(new BackendRequest(PoolKey.ofUser("other", CAPABILITIES, 45), "test", other, false));
        assertThat(plan()).isEqualTo("SET ROLE NONE; CHANGE_USER");
        beforeUse(new BackendRequest(PoolKey.ofUser("root", CAPABILITIES, 255), "test", CREDENTIALS, false));
        assertThat(plan()).isEqualTo("SET ROLE NONE; CHANGE_USER");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "11.4.5-MariaDB     | 45  | test | SHOW PROFILES; RESET_CONNECTION; INIT_DB test",
                "11.4.5-MariaDB     | 33  | ''   | SHOW PROFILES; RESET_CONNECTION",
                "8.4.3              | 255 | test | SHOW PROFILES; RESET_CONNECTION; "
                        + "SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci; INIT_DB test",
                "8.0.11-TiDB-v8.5.0 | 46  | test | RESET_CONNECTION; INIT_DB test"
            })
    void theCleaningsBehindTheFirstAreResets(String version, int collationId, String schema, String plan) {
        BackendRequest served =
                new BackendRequest(PoolKey.ofUser("root", CAPABILITIES, collationId), schema, CREDENTIALS, false);
        String row = schema.isEmpty() ? "fb fb" : "fb 04 'test'";
        ConnectionCleaner cleaner = again(cleaned(version, served, row.split(" ")), served);
        assertThat(plan()).isEqualTo("SELECT CURRENT_ROLE(), DATABASE(), USER(); " + plan);

        receive(cleaner, Packets.stateIs(row.split(" ")));
        if (plan.startsWith("SHOW")) {
            receive(cleaner, NO_PROFILES);
        }
        for (int ok = plan.split("; ").length - (plan.startsWith("SHOW") ? 1 : 0); ok > 0; ok--) {
            assertThat(cleaner.state()).isEqualTo(State.RUNNING);
            receive(cleaner, Packets.ok(1));
        }
        assertThat(cleaner.state()).isEqualTo(State.CLEAN);
        assertThat(cleaner.result().fresh())
                .isEqualTo(new BackendConnectionInfo.Fresh(null, "root@localhost", false, 1));
        assertThat(cleaner.result().schema()).isEqualTo(schema);
    }

    @ParameterizedTest
    @CsvSource({"5.7.44-log, 45", "8.4.3, 33", "8.4.3, 304"})
    void whereAResetDoesNotLeadBackEachCleaningIsAChangeOfUser(String version, int collationId) {
        BackendRequest served =
                new BackendRequest(PoolKey.ofUser("root", CAPABILITIES, collationId), "test", CREDENTIALS, false);
        ConnectionCleaner cleaner = again(connection(version, collationId), served);
        assertThat(plan()).endsWith("CHANGE_USER");
        if (!version.startsWith("5")) {
            receive(cleaner, Packets.ok(1));
        }
        receive(cleaner, NO_PROFILES);
        logIn(cleaner);
        assertThat(cleaner.state()).isEqualTo(State.CLEAN);
        assertThat(cleaner.result().fresh()).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // Another role, none, or nobody knows.
                "07 'other_a' 04 'test'",
                "fb 04 'test'",
                "error"
            })
    void aSessionThatHasLeftItsRoleCostsAChangeOfUser(String row) {
        BackendRequest served = request("test", CREDENTIALS);
        ConnectionCleaner cleaner =
                again(cleaned("11.4.5-MariaDB", served, "06 'role_a' 04 'test'".split(" ")), served);
        sent.take();
        receive(cleaner, row.equals("error") ? Packets.err(1, "no") : Packets.stateIs(row.split(" ")));
        receive(cleaner, NO_PROFILES, Packets.ok(1));
        assertThat(sent.take()).isEmpty();
        receive(cleaner, Packets.ok(1));
        assertThat(plan()).isEqualTo("SET ROLE NONE; CHANGE_USER");
        receive(cleaner, Packets.ok(1));
        logIn(cleaner);
        assertThat(plan()).isEqualTo(LOGGED_IN_PLAN);
        receive(
                cleaner,
                Packets.stateIs("06 'role_a' 04 'test'".split(" ")),
                Packets.limitedIs(false),
                Packets.ok(1),
                Packets.ok(1));
        assertThat(cleaner.state()).isEqualTo(State.CLEAN);
        assertThat(cleaner.result().fresh())
                .isEqualTo(new BackendConnectionInfo.Fresh("role_a", "root@localhost", false, 0));
    }

    @Test
    void aSessionThatHasBecomeSomebodyElseCostsAChangeOfUser() {
        BackendRequest served = request("test", CREDENTIALS);
        String[] row = "fb 04 'test'".split(" ");
        ConnectionCleaner cleaner = again(cleaned("12.1.2-MariaDB", served, row), served);
        sent.take();
        receive(cleaner, Packets.stateIs("tenant@localhost", row), NO_PROFILES, Packets.ok(1), Packets.ok(1));
        assertThat(plan()).isEqualTo("SET ROLE NONE; CHANGE_USER");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // Over TLS or not, whether variables show a limit, what SHOW GRANTS says.
                "false | true  | -",
                "true  | true  | GRANT USAGE ON *.* TO `root`@`%` WITH MAX_STATEMENT_TIME 60.000000",
                "true  | false | GRANT USAGE ON *.* TO `root`@`%` WITH MAX_QUERIES_PER_HOUR 8",
                "true  | false | error"
            })
    void anAccountThatMayHaveLimitsIsCleanedByALoginEachTime(boolean tls, boolean shown, String grants) {
        BackendRequest served = request("test", CREDENTIALS);
        BackendConnectionInfo info = connection("11.4.5-MariaDB", 45, tls);
        ConnectionCleaner cleaner = again(info, served);
        sent.take();
        receive(cleaner, Packets.ok(1), NO_PROFILES);
        logIn(cleaner);
        assertThat(plan()).isEqualTo(tls ? LOGGED_IN_PLAN.replace("; RESET", "; SHOW GRANTS; RESET") : LOGGED_IN_PLAN);
        receive(cleaner, Packets.stateIs("fb 04 'test'".split(" ")), Packets.limitedIs(shown));
        if (tls) {
            receive(cleaner, grants.equals("error") ? Packets.err(1, "no such grant") : Packets.grantsAre(grants));
        }
        receive(cleaner, Packets.ok(1), Packets.ok(1));
        assertThat(cleaner.state()).isEqualTo(State.RUNNING);
        assertThat(plan()).isEqualTo("SET ROLE NONE; CHANGE_USER");
        receive(cleaner, Packets.ok(1));
        logIn(cleaner);
        assertThat(cleaner.state()).as("with nothing behind the login").isEqualTo(State.CLEAN);

        for (int i = 0; i < 3; i++) {
            cleaner = again(cleaner.result(), served);
            assertThat(plan()).isEqualTo("SET ROLE NONE; SHOW PROFILES; CHANGE_USER");
            receive(cleaner, Packets.ok(1), NO_PROFILES);
            logIn(cleaner);
            assertThat(cleaner.state()).isEqualTo(State.CLEAN);
        }
    }

    @Test
    void anAccountWithoutLimitsIsReset() {
        BackendRequest served = request("test", CREDENTIALS);
        ConnectionCleaner cleaner = again(connection("11.4.5-MariaDB", 45, true), served);
        sent.take();
        receive(cleaner, Packets.ok(1), NO_PROFILES);
        logIn(cleaner);
        receive(
                cleaner,
                Packets.stateIs("fb 04 'test'".split(" ")),
                Packets.limitedIs(false),
                Packets.grantsAre(Packets.NO_LIMITS),
                Packets.ok(1),
                Packets.ok(1));
        assertThat(cleaner.state()).isEqualTo(State.CLEAN);
        sent.take();
        again(cleaner.result(), served);
        assertThat(plan()).contains("RESET_CONNECTION");
    }

    @Test
    void changesOfTheSessionBehindTheRowsAreNoRow() {
        BackendRequest served = request("test", CREDENTIALS);
        ConnectionCleaner cleaner = again(cleaned("9.7.0", served, "fb 04 'test'".split(" ")), served);
        sent.take();
        receive(cleaner, Packets.stateIsWithChanges("fb 04 'test'".split(" ")), NO_PROFILES);
        receive(cleaner, Packets.ok(1), Packets.ok(1), Packets.ok(1));
        assertThat(cleaner.state()).isEqualTo(State.CLEAN);
    }

    @Test
    void aSchemaWhereNoneWasCostsAChangeOfUser() {
        BackendRequest served = request("", CREDENTIALS);
        ConnectionCleaner cleaner = again(cleaned("11.4.5-MariaDB", served, "fb fb"), served);
        sent.take();
        receive(cleaner, Packets.stateIs("fb 04 'test'".split(" ")), NO_PROFILES, Packets.ok(1));
        assertThat(plan()).isEqualTo("SET ROLE NONE; CHANGE_USER");
    }

    @Test
    void aResetThatIsRefusedIsFollowedByAChangeOfUser() {
        BackendRequest served = request("test", CREDENTIALS);
        ConnectionCleaner cleaner = again(cleaned("11.4.5-MariaDB", served, "fb 04 'test'".split(" ")), served);
        sent.take();
        receive(
                cleaner,
                Packets.stateIs("fb 04 'test'".split(" ")),
                NO_PROFILES,
                Packets.ok(1),
                Packets.err(1, "no schema"));
        assertThat(plan()).isEqualTo("SET ROLE NONE; CHANGE_USER");
        receive(cleaner, Packets.ok(1), Packets.err(1, "no account"));
        assertThat(cleaner.state()).isEqualTo(State.FAILED);
        assertThat(cleaner.failure().message()).contains("no account");
    }

    @Test
    void nowAndThenTheAccountIsChecked() {
        BackendRequest served = request("test", CREDENTIALS);
        BackendConnectionInfo info = cleaned("11.4.5-MariaDB", served, "fb 04 'test'".split(" "));
        for (int i = 0; i < ConnectionCleaner.MAX_RESETS; i++) {
            ConnectionCleaner cleaner = again(info, served);
            receive(cleaner, Packets.stateIs("fb 04 'test'".split(" ")), NO_PROFILES, Packets.ok(1), Packets.ok(1));
            info = cleaner.result();
        }
        sent.take();
        again(info, served);
        assertThat(plan()).isEqualTo("SET ROLE NONE; SHOW PROFILES; CHANGE_USER");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "CLIENT_IGNORE_SPACE |                    | SET sql_mode = CONCAT(@@sql_mode, ',IGNORE_SPACE')",
                "CLIENT_INTERACTIVE  |                    | SET wait_timeout = @@interactive_timeout",
                "CLIENT_INTERACTIVE  | CLIENT_IGNORE_SPACE | SET sql_mode = CONCAT(@@sql_mode, ',IGNORE_SPACE'), "
                        + "wait_timeout = @@interactive_timeout"
            })
    void whatOnlyAFirstLoginDoesIsDoneAgain(Capability one, Capability other, String sql) {
        long flags = CAPABILITIES | one.mask() | (other == null ? 0 : other.mask());
        BackendConnectionInfo info = connection("11.4.5-MariaDB").loggedIn("root", "test", 45, flags, OkPacket.of(2));
        ConnectionCleaner cleaner = again(info, request("test", CREDENTIALS));
        assertThat(plan()).endsWith("CHANGE_USER");
        receive(cleaner, Packets.ok(1), NO_PROFILES);
        logIn(cleaner);
        assertThat(plan()).isEqualTo(LOGGED_IN_PLAN + "; " + sql);
        receive(
                cleaner,
                Packets.stateIs("fb 04 'test'".split(" ")),
                Packets.limitedIs(false),
                Packets.ok(1),
                Packets.ok(1));
        assertThat(cleaner.state()).isEqualTo(State.RUNNING);
        receive(cleaner, Packets.ok(1));
        assertThat(cleaner.state()).isEqualTo(State.CLEAN);

        again(cleaner.result(), request("test", CREDENTIALS));
        assertThat(plan()).endsWith("RESET_CONNECTION; INIT_DB test; " + sql);
    }
}
