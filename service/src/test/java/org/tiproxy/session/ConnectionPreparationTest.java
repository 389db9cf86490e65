package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.common.Secret;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.client.ComQuery;
import org.tiproxy.wire.client.ConnectionAttributes;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.server.HandshakeV10;
import org.tiproxy.wire.server.OkPacket;

/** Cleaning and the next session's opening in one go, with a backend that a test plays. */
class ConnectionPreparationTest {
    private static final long CAPABILITIES = Packets.CLIENT_CAPABILITIES & ~Capability.CLIENT_CONNECT_ATTRS.mask();
    private static final BackendCredentials CREDENTIALS = BackendCredentials.ofPassword("root", new Secret("s3cret"));
    private static final Bytes SET = statement("SET sql_mode='ANSI'");
    private static final Bytes SET_NAMES = statement("SET NAMES utf8mb4");

    private final SentPackets sent = new SentPackets();

    private static Bytes statement(String sql) {
        ByteBuffer packet = ComQuery.of(sql).encode().toPacket(0);
        byte[] bytes = new byte[packet.remaining()];
        packet.get(bytes);
        return Bytes.of(bytes);
    }

    /** Logged in to a server whose cleaning has few steps. */
    private static BackendConnectionInfo connection() {
        HandshakeV10 greeting = new HandshakeV10(
                "8.0.11-TiDB-v8.5.0", 11, Packets.SCRAMBLE, Packets.MYSQL_CAPABILITIES, 45, 2, "mysql_native_password");
        return new BackendConnectionInfo(greeting, false, "root", "", 45, CAPABILITIES, OkPacket.of(2));
    }

    private ConnectionPreparation begin(BackendConnectionInfo info, Bytes... statements) {
        BackendRequest served = new BackendRequest(PoolKey.ofUser("root", CAPABILITIES, 45), "", CREDENTIALS, false);
        return ConnectionPreparation.begin(
                new BackendRelease(info, true, "", false),
                served,
                List.of(statements),
                ConnectionAttributes.NONE,
                sent);
    }

    /** With a session behind it, so that a reset is enough. */
    private ConnectionPreparation beginReset(Bytes... statements) {
        return begin(
                connection().withFresh(new BackendConnectionInfo.Fresh(null, "root@localhost", false, 0)), statements);
    }

    private String sentNow() {
        return sent.take().stream()
                .map(packet -> switch (packet.header()) {
                    case 0x03 -> packet.payload().utf8().substring(1);
                    case 0x11 -> "CHANGE_USER";
                    case 0x1f -> "RESET_CONNECTION";
                    default -> "reply " + packet.sequenceId();
                })
                .collect(Collectors.joining("; "));
    }

    /** What follows the COM_CHANGE_USER. */
    private void logInAndRunTheStatement(ConnectionPreparation preparation, int step) {
        receive(preparation, Hex.packet(1, "fe 'mysql_native_password' 00 'tsrqponmlkjihgfedcba' 00".split(" ")), step);
        assertThat(sentNow()).isEqualTo("reply 2");
        receive(preparation, Packets.ok(3), step);
        assertThat(sentNow()).isEqualTo("SELECT CURRENT_ROLE(), DATABASE(), USER(); RESET_CONNECTION");
        receive(preparation, Hex.join(Packets.stateIs("fb", "fb"), Packets.ok(1)), step);
        assertThat(preparation.isOver()).isFalse();
        assertThat(sentNow()).isEqualTo("SET sql_mode='ANSI'");
        receive(preparation, Packets.ok(1), step);
        assertThat(preparation.isOver()).isTrue();
        assertThat(preparation.failure()).isNull();
        assertThat(preparation.opening()).containsExactly(new OpeningStatement(SET, Bytes.of(Packets.ok(1))));
    }

    private static void receive(ConnectionPreparation preparation, byte[] bytes, int step) {
        for (int i = 0; i < bytes.length; i += step) {
            preparation.bytes(ByteBuffer.wrap(bytes, i, Math.min(step, bytes.length - i)));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 1000})
    void everythingIsSentTogetherAndTheAnswersAreRemembered(int step) {
        ConnectionPreparation preparation = beginReset(SET, SET_NAMES);
        assertThat(preparation.asksBack()).isFalse();
        assertThat(sentNow())
                .isEqualTo(
                        "SELECT CURRENT_ROLE(), DATABASE(), USER(); RESET_CONNECTION; SET sql_mode='ANSI'; SET NAMES utf8mb4");
        receive(preparation, Hex.join(Packets.stateIs("fb", "fb"), Packets.ok(1), Packets.ok(1)), step);
        assertThat(preparation.isOver()).isFalse();
        receive(preparation, Packets.ok(1), step);
        assertThat(preparation.isOver()).isTrue();
        assertThat(preparation.failure()).isNull();
        assertThat(preparation.opening())
                .containsExactly(
                        new OpeningStatement(SET, Bytes.of(Packets.ok(1))),
                        new OpeningStatement(SET_NAMES, Bytes.of(Packets.ok(1))));
        assertThat(preparation.result().fresh())
                .isEqualTo(new BackendConnectionInfo.Fresh(null, "root@localhost", false, 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1000})
    void statementsWaitForACleaningThatBeginsWithALogin(int step) {
        ConnectionPreparation preparation = begin(connection(), SET);
        assertThat(preparation.asksBack()).isTrue();
        assertThat(sentNow()).isEqualTo("SET ROLE NONE; CHANGE_USER");
        receive(preparation, Packets.ok(1), step);
        logInAndRunTheStatement(preparation, step);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1000})
    void aCleaningThatGoesOverToALoginSendsTheStatementsAgain(int step) {
        ConnectionPreparation preparation = beginReset(SET);
        sent.take();
        // The role is another one, which a reset does not change.
        receive(preparation, Hex.join(Packets.stateIs("05", "'other'", "fb"), Packets.ok(1)), step);
        assertThat(sentNow()).isEqualTo("SET ROLE NONE; CHANGE_USER");
        receive(preparation, Hex.join(Packets.ok(1), Packets.ok(1)), step);
        logInAndRunTheStatement(preparation, step);
    }

    @Test
    void aStatementThatIsRefusedSpoilsTheConnection() {
        ConnectionPreparation preparation = beginReset(SET, SET_NAMES);
        receive(preparation, Hex.join(Packets.stateIs("fb", "fb"), Packets.ok(1), Packets.err(1, "no")), 1000);
        assertThat(preparation.isOver()).isTrue();
        assertThat(preparation.failure()).contains("could not be prepared", "ERR");
    }

    @Test
    void bytesBehindTheLastAnswerSpoilTheConnection() {
        ConnectionPreparation preparation = beginReset(SET);
        receive(preparation, Hex.join(Packets.stateIs("fb", "fb"), Packets.ok(1), Packets.ok(1), Packets.ok(1)), 1000);
        assertThat(preparation.isOver()).isTrue();
        assertThat(preparation.failure()).contains("11 bytes unasked");
    }

    @Test
    void withoutStatementsItIsACleaning() {
        ConnectionPreparation preparation = beginReset();
        receive(preparation, Hex.join(Packets.stateIs("fb", "fb"), Packets.ok(1)), 1000);
        assertThat(preparation.isOver()).isTrue();
        assertThat(preparation.failure()).isNull();
        assertThat(preparation.opening()).isEmpty();
    }
}
