package org.tiproxy.wire.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.protocol.SessionTrackType;

class ServerPacketsTest {
    private static final long TRACKING =
            Capability.setOf(Capability.CLIENT_PROTOCOL_41, Capability.CLIENT_SESSION_TRACK);

    private static final Bytes MARIADB_GREETING = Hex.bytes(
            "0a", // protocol version
            "'5.5.5-10.11.19-MariaDB-0+deb12u1'", // server version
            "00", // its end
            "1f000000", // thread id
            "'abcdefgh'", // scramble, part 1
            "00", // filler
            "fef7", // capability flags, lower half: all but CLIENT_LONG_PASSWORD and CLIENT_SSL
            "2d", // character set: utf8mb4_general_ci
            "0200", // status flags: autocommit
            "ff81", // capability flags, upper half
            "15", // length of the scramble: 21
            "000000000000", // filler
            "1d000000", // MariaDB's extended flags: 32, 34, 35, 36
            "'ijklmnopqrst'", // scramble, part 2
            "00", // its end
            "'mysql_native_password'", // auth plugin
            "00"); // its end

    private static final Bytes MYSQL_GREETING = Hex.bytes(
            "0a", // protocol version
            "'8.4.7'", // server version
            "00", // its end
            "0b000000", // thread id
            "'abcdefgh'", // scramble, part 1
            "00", // filler
            "ffff", // capability flags, lower half
            "ff", // character set: utf8mb4_0900_ai_ci
            "0200", // status flags: autocommit
            "ffdf", // capability flags, upper half
            "15", // length of the scramble: 21
            "00000000000000000000", // filler
            "'ijklmnopqrst'", // scramble, part 2
            "00", // its end
            "'caching_sha2_password'", // auth plugin
            "00"); // its end

    @Test
    void greetingOfMariaDb() {
        HandshakeV10 greeting = HandshakeV10.decode(MARIADB_GREETING);
        assertThat(greeting.serverVersion()).isEqualTo("5.5.5-10.11.19-MariaDB-0+deb12u1");
        assertThat(greeting.displayVersion()).isEqualTo("10.11.19-MariaDB-0+deb12u1");
        assertThat(greeting.isMariaDb()).isTrue();
        assertThat(greeting.connectionId()).isEqualTo(31);
        assertThat(greeting.authPluginData()).isEqualTo(Hex.bytes("'abcdefghijklmnopqrst'"));
        assertThat(greeting.capabilities()).isEqualTo(0x1d_81ff_f7feL);
        assertThat(Capability.namesIn(greeting.capabilities()))
                .contains(
                        Capability.MARIADB_CLIENT_PROGRESS,
                        Capability.MARIADB_CLIENT_STMT_BULK_OPERATIONS,
                        Capability.MARIADB_CLIENT_EXTENDED_METADATA,
                        Capability.MARIADB_CLIENT_CACHE_METADATA)
                .doesNotContain(Capability.CLIENT_LONG_PASSWORD, Capability.CLIENT_SSL);
        assertThat(greeting.collationId()).isEqualTo(45);
        assertThat(greeting.statusFlags()).isEqualTo(2);
        assertThat(greeting.authPluginName()).isEqualTo("mysql_native_password");
        assertThat(encoded(greeting.encode())).isEqualTo(MARIADB_GREETING);
    }

    @Test
    void greetingOfMySql() {
        HandshakeV10 greeting = HandshakeV10.decode(MYSQL_GREETING);
        assertThat(greeting.displayVersion()).isEqualTo("8.4.7");
        assertThat(greeting.isMariaDb()).isFalse();
        assertThat(greeting.capabilities()).isEqualTo(0xdfff_ffffL);
        assertThat(greeting.authPluginName()).isEqualTo("caching_sha2_password");
        assertThat(encoded(greeting.encode())).isEqualTo(MYSQL_GREETING);
    }

    @Test
    void extendedFlagsCountOnlyWithoutLongPassword() {
        HandshakeV10 greeting = HandshakeV10.decode(MARIADB_GREETING);
        HandshakeV10 masked =
                greeting.withCapabilities(greeting.capabilities() | Capability.CLIENT_LONG_PASSWORD.mask());
        assertThat(HandshakeV10.decode(encoded(masked.encode())).capabilities() & Capability.MARIADB_EXTENDED)
                .isZero();
    }

    @Test
    void onlyTheConnectionIdChanges() {
        HandshakeV10 changed = HandshakeV10.decode(MYSQL_GREETING).withConnectionId(-2);
        byte[] expected = MYSQL_GREETING.toByteArray();
        System.arraycopy(Hex.bytes("feffffff").toByteArray(), 0, expected, 7, 4);
        assertThat(encoded(changed.encode())).isEqualTo(Bytes.of(expected));
    }

    @Test
    void mySqlWithAMisleadingVersionIsNotShortened() {
        Bytes greeting = Hex.bytes(
                "0a", // protocol version
                "'5.5.5-m3'", // server version
                "00", // its end
                "01000000", // thread id
                "'abcdefgh'", // scramble, part 1
                "00", // filler
                "0182"); // capability flags, lower half; nothing else in old servers
        HandshakeV10 decoded = HandshakeV10.decode(greeting);
        assertThat(decoded.displayVersion()).isEqualTo("5.5.5-m3");
        assertThat(decoded.authPluginName()).isEmpty();
        assertThat(decoded.authPluginData().length()).isEqualTo(8);
    }

    @Test
    void greetingWithoutANulBehindThePluginIsUnderstood() {
        HandshakeV10 greeting = HandshakeV10.decode(MYSQL_GREETING.first(MYSQL_GREETING.length() - 1));
        assertThat(greeting.authPluginName()).isEqualTo("caching_sha2_password");
    }

    @Test
    void otherProtocolVersionsAreRefused() {
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> HandshakeV10.decode(Hex.bytes("09", "'3.21'", "00")))
                .withMessage("HandshakeV10: expected protocol version 10 at offset 0, but it is 9")
                .extracting(ProtocolException::errorCode)
                .isEqualTo(ErrorCode.ER_HANDSHAKE_ERROR);
    }

    @Test
    void everyCutOffGreetingIsAProtocolErrorOrAnOldGreeting() {
        for (int length = 0; length < MARIADB_GREETING.length() - 22; length++) {
            Bytes cut = MARIADB_GREETING.first(length);
            // 49 bytes end behind the lower half of the flags, as in very old servers.
            if (length == 49) {
                assertThat(HandshakeV10.decode(cut).authPluginName()).isEmpty();
            } else {
                assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> HandshakeV10.decode(cut));
            }
        }
    }

    @Test
    void scrambleHasBounds() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new HandshakeV10("1", 1, Bytes.ofUtf8("short"), 0, 0, 0, ""));
    }

    @Test
    void okWithSessionChanges() {
        Bytes payload = Hex.bytes(
                "00", // header
                "fc0004", // affected rows: 1024
                "05", // last insert id
                "0240", // status flags: autocommit, session state changed
                "0100", // warnings
                "02", // length of info
                "'hi'", // info
                "25", // length of all changes: 37
                "00", // system variables
                "14", // length: 20
                "0a", // length of the name
                "'autocommit'", // name
                "02", // length of the value
                "'ON'", // value
                "01", // length of the name: MariaDB puts several pairs into one entry
                "'x'", // name
                "03", // length of the value
                "'yes'", // value
                "01", // schema
                "05", // length
                "04", // length of the name
                "'test'", // name
                "02", // state change
                "01", // length: MariaDB has no inner length
                "'1'", // changed
                "63", // a type from the future
                "01", // length
                "'?'", // unknown content
                "00", // system variables again
                "00"); // none
        OkPacket ok = OkPacket.decode(payload, TRACKING);
        assertThat(ok.affectedRows()).isEqualTo(1024);
        assertThat(ok.lastInsertId()).isEqualTo(5);
        assertThat(ok.statusFlags()).isEqualTo(0x4002);
        assertThat(ok.warnings()).isEqualTo(1);
        assertThat(ok.info().utf8()).isEqualTo("hi");
        List<SessionChange> changes = ok.sessionChanges();
        assertThat(changes).hasSize(5);
        assertThat(changes.get(0).type()).isEqualTo(SessionTrackType.SESSION_TRACK_SYSTEM_VARIABLES);
        assertThat(changes.get(0).systemVariables()).isEqualTo(Map.of("autocommit", "ON", "x", "yes"));
        assertThat(changes.get(1).text()).isEqualTo("test");
        assertThat(changes.get(2).type()).isEqualTo(SessionTrackType.SESSION_TRACK_STATE_CHANGE);
        assertThat(changes.get(3).type()).isNull();
        assertThat(changes.get(3).code()).isEqualTo(0x63);
        assertThat(changes.get(4).systemVariables()).isEmpty();
        assertThat(encoded(ok.encode(TRACKING))).isEqualTo(payload);
    }

    @Test
    void okWithoutInfoWithTracking() {
        // header, affected rows, last insert id, status flags, warnings
        Bytes payload = Hex.bytes("00", "00", "00", "0200", "0000");
        OkPacket ok = OkPacket.decode(payload, TRACKING);
        assertThat(ok).isEqualTo(OkPacket.of(2));
        assertThat(encoded(ok.encode(TRACKING))).isEqualTo(payload);
    }

    @Test
    void okWithoutTrackingHasInfoUpToItsEnd() {
        // header, affected rows, last insert id, status flags, warnings, info
        Bytes payload = Hex.bytes("fe", "00", "00", "0200", "0000", "'Rows matched: 1'");
        OkPacket ok = OkPacket.decode(payload, Capability.CLIENT_PROTOCOL_41.mask());
        assertThat(ok.header()).isEqualTo(EofPacket.HEADER);
        assertThat(ok.info().utf8()).isEqualTo("Rows matched: 1");
        assertThat(encoded(ok.encode(0))).isEqualTo(payload);
    }

    @Test
    void sessionChangeLongerThanItsBlockIsAProtocolError() {
        Bytes payload = Hex.bytes("00", "00", "00", "0040", "0000", "00", "03", "01", "05", "'x'");
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> OkPacket.decode(payload, TRACKING))
                .withMessageStartingWith("session changes in OK_Packet: expected 5 bytes of data");
    }

    @Test
    void errWithSqlState() {
        Bytes payload = Hex.bytes(
                "ff", // header
                "1504", // error code 1045
                "'#'", // marker
                "'28000'", // SQLSTATE
                "'Access denied'"); // text
        ErrPacket err = ErrPacket.decode(payload);
        assertThat(err).isEqualTo(ErrPacket.of(ErrorCode.ER_ACCESS_DENIED_ERROR, "Access denied"));
        assertThat(encoded(err.encode())).isEqualTo(payload);
    }

    @Test
    void errInPlaceOfTheGreetingHasNoSqlState() {
        // header, error code 1040, text
        Bytes payload = Hex.bytes("ff", "1004", "'Too many connections'");
        ErrPacket err = ErrPacket.decode(payload);
        assertThat(err).isEqualTo(new ErrPacket(1040, null, "Too many connections"));
        assertThat(encoded(err.encode())).isEqualTo(payload);
    }

    @Test
    void progressReport() {
        Bytes payload = Hex.bytes(
                "ff", // header of an ERR
                "ffff", // error code that is none
                "01", // number of strings
                "02", // stage
                "03", // max stage
                "983a00", // progress: 15.000 %
                "04", // length of the text
                "'copy'"); // text
        assertThat(ProgressReport.decode(payload)).isEqualTo(new ProgressReport(2, 3, 15_000, "copy"));
        assertThat(ErrPacket.decode(payload).code()).isEqualTo(ErrPacket.PROGRESS_CODE);
    }

    @Test
    void eof() {
        // header, warnings, status flags
        Bytes payload = Hex.bytes("fe", "0100", "2200");
        assertThat(EofPacket.decode(payload)).isEqualTo(new EofPacket(1, 0x22));
        assertThat(encoded(new EofPacket(1, 0x22).encode())).isEqualTo(payload);
    }

    @Test
    void authSwitchRequest() {
        Bytes payload = Hex.bytes(
                "fe", // header
                "'mysql_native_password'", // plugin
                "00", // its end
                "'abcdefghijklmnopqrst'", // scramble
                "00"); // its end
        AuthSwitchRequest request = AuthSwitchRequest.decode(payload);
        assertThat(request.pluginName()).isEqualTo("mysql_native_password");
        assertThat(request.scramble().utf8()).isEqualTo("abcdefghijklmnopqrst");
        assertThat(encoded(request.encode())).isEqualTo(payload);
        assertThat(request.toString()).doesNotContain("abcdefgh");
    }

    @Test
    void authSwitchRequestOfEd25519HasNoNul() {
        Bytes payload = Hex.bytes("fe", "'client_ed25519'", "00", "'abcdefghijklmnopqrstuvwxyz012345'");
        AuthSwitchRequest request = AuthSwitchRequest.decode(payload);
        assertThat(request.scramble().length()).isEqualTo(32);
        assertThat(encoded(request.encode())).isEqualTo(payload);
    }

    @Test
    void oldAuthSwitchRequestIsItsHeaderAlone() {
        AuthSwitchRequest request = AuthSwitchRequest.decode(Hex.bytes("fe"));
        assertThat(request.pluginName()).isNull();
        assertThat(encoded(request.encode())).isEqualTo(Hex.bytes("fe"));
    }

    @Test
    void authMoreData() {
        // header, caching_sha2_password: the reply was right
        Bytes payload = Hex.bytes("01", "03");
        assertThat(AuthMoreData.decode(payload)).isEqualTo(new AuthMoreData(Hex.bytes("03")));
        assertThat(encoded(new AuthMoreData(Hex.bytes("03")).encode())).isEqualTo(payload);
    }

    @Test
    void localInfileRequest() {
        // header, file name
        Bytes payload = Hex.bytes("fb", "'/tmp/x'");
        assertThat(LocalInfileRequest.decode(payload)).isEqualTo(new LocalInfileRequest(Bytes.ofUtf8("/tmp/x")));
        assertThat(encoded(new LocalInfileRequest(Bytes.ofUtf8("/tmp/x")).encode()))
                .isEqualTo(payload);
    }

    @Test
    void stmtPrepareOk() {
        Bytes payload = Hex.bytes(
                "00", // header
                "0b000000", // statement id
                "0200", // columns
                "0100", // parameters
                "00", // filler
                "0300"); // warnings
        assertThat(StmtPrepareOk.decode(payload)).isEqualTo(new StmtPrepareOk(11, 2, 1, 3));
        assertThat(encoded(new StmtPrepareOk(11, 2, 1, 3).encode())).isEqualTo(payload);
        assertThat(StmtPrepareOk.decode(payload.first(9))).isEqualTo(new StmtPrepareOk(11, 2, 1, 0));
    }

    private static Bytes encoded(PayloadWriter writer) {
        return Bytes.of(writer.toByteArray());
    }
}
