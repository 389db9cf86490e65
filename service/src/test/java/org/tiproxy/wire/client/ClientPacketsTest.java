package org.tiproxy.wire.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.protocol.ErrorCode;

class ClientPacketsTest {
    private static final long PLUGINS = Capability.setOf(
            Capability.CLIENT_PROTOCOL_41, Capability.CLIENT_SECURE_CONNECTION, Capability.CLIENT_PLUGIN_AUTH);

    private static final Bytes MARIADB_RESPONSE = Hex.bytes(
            "0aa2", // capability flags, lower half: without CLIENT_LONG_PASSWORD
            "3900", // capability flags, upper half: plugins, attributes, length-encoded reply
            "00000001", // max packet size: 16 MiB
            "2d", // character set: utf8mb4_general_ci
            "00000000000000000000000000000000000000", // filler
            "1d000000", // MariaDB's extended flags: 32, 34, 35, 36
            "'root'", // user
            "00", // its end
            "14", // length of the reply: 20
            "'SECRETSECRETSECRET00'", // reply
            "'test'", // schema
            "00", // its end
            "'mysql_native_password'", // auth plugin
            "00", // its end
            "09", // length of all attributes
            "04", // length of the key
            "'_pid'", // key
            "03", // length of the value
            "'123'"); // value

    @Test
    void responseOfAMariaDbClient() {
        HandshakeResponse41 response = HandshakeResponse41.decode(MARIADB_RESPONSE);
        assertThat(Capability.namesIn(response.capabilities()))
                .contains(Capability.MARIADB_CLIENT_PROGRESS, Capability.CLIENT_CONNECT_WITH_DB)
                .doesNotContain(Capability.CLIENT_LONG_PASSWORD);
        assertThat(response.maxPacketSize()).isEqualTo(1 << 24);
        assertThat(response.collationId()).isEqualTo(45);
        assertThat(response.user().utf8()).isEqualTo("root");
        assertThat(response.authResponse().length()).isEqualTo(20);
        assertThat(response.schema().utf8()).isEqualTo("test");
        assertThat(response.authPluginName()).isEqualTo("mysql_native_password");
        assertThat(response.attributes().toMap()).isEqualTo(Map.of("_pid", "123"));
        assertThat(encoded(response.encode())).isEqualTo(MARIADB_RESPONSE);
        assertThat(response.toString()).contains("user=root").doesNotContain("SECRET");
    }

    @Test
    void responseOfAMySqlClientWithZstd() {
        Bytes payload = Hex.bytes(
                "0182", // capability flags, lower half: with CLIENT_LONG_PASSWORD
                "0804", // capability flags, upper half: plugins, zstd
                "ffffffff", // max packet size
                "ff", // character set: utf8mb4_0900_ai_ci
                "0000000000000000000000000000000000000000000000", // filler
                "'app'", // user
                "00", // its end
                "03", // length of the reply in one byte
                "'abc'", // reply
                "'caching_sha2_password'", // auth plugin
                "00", // its end
                "03"); // zstd level
        HandshakeResponse41 response = HandshakeResponse41.decode(payload);
        assertThat(response.capabilities()).isEqualTo(0x0408_8201L);
        assertThat(response.schema()).isEqualTo(Bytes.EMPTY);
        assertThat(response.authResponse().utf8()).isEqualTo("abc");
        assertThat(response.zstdLevel()).isEqualTo(3);
        assertThat(encoded(response.encode())).isEqualTo(payload);
    }

    @Test
    void responseWithANulTerminatedReply() {
        Bytes payload = Hex.bytes(
                "0002", // capability flags, lower half: CLIENT_PROTOCOL_41 only
                "0000", // capability flags, upper half
                "00000001", // max packet size
                "21", // character set
                "00000000000000000000000000000000000000 00000000", // filler
                "'u'", // user
                "00", // its end
                "'abc'", // reply
                "00"); // its end
        HandshakeResponse41 response = HandshakeResponse41.decode(payload);
        assertThat(response.authResponse().utf8()).isEqualTo("abc");
        assertThat(encoded(response.encode())).isEqualTo(payload);
    }

    @Test
    void fieldsThatTheFlagsAnnounceMayBeMissingAtTheEnd() {
        // up to the reply's end: no schema, no plugin, no attributes
        HandshakeResponse41 response = HandshakeResponse41.decode(MARIADB_RESPONSE.first(32 + 5 + 21));
        assertThat(response.authPluginName()).isEmpty();
        assertThat(response.attributes()).isEqualTo(ConnectionAttributes.NONE);
    }

    @Test
    void maskedCapabilityTakesItsFieldAway() {
        HandshakeResponse41 response = HandshakeResponse41.decode(MARIADB_RESPONSE);
        HandshakeResponse41 masked =
                response.withCapabilities(response.capabilities() & ~Capability.CLIENT_CONNECT_ATTRS.mask());
        assertThat(encoded(masked.encode()).length()).isEqualTo(MARIADB_RESPONSE.length() - 10);
        assertThat(HandshakeResponse41.decode(encoded(masked.encode())).attributes())
                .isEqualTo(ConnectionAttributes.NONE);
    }

    @Test
    void handshakeResponse320IsRefusedByName() {
        // capability flags without CLIENT_PROTOCOL_41, max packet size, user, reply
        Bytes payload = Hex.bytes("0500", "000001", "'old'", "00", "'abcdefgh'");
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> HandshakeResponse41.decode(payload))
                .withMessageContaining("HandshakeResponse320")
                .extracting(ProtocolException::errorCode)
                .isEqualTo(ErrorCode.ER_HANDSHAKE_ERROR);
    }

    @Test
    void longReplyNeedsItsCapability() {
        HandshakeResponse41 response = HandshakeResponse41.decode(MARIADB_RESPONSE)
                .withCapabilities(PLUGINS)
                .withAuth("mysql_clear_password", Bytes.of(new byte[256]));
        assertThatIllegalArgumentException()
                .isThrownBy(response::encode)
                .withMessageContaining("CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA");
    }

    @Test
    void sslRequest() {
        Bytes payload = Hex.bytes(
                "01aa", // capability flags, lower half: with CLIENT_SSL
                "0800", // capability flags, upper half
                "00000001", // max packet size
                "2d", // character set
                "0000000000000000000000000000000000000000000000"); // filler
        assertThat(SslRequest.matches(payload)).isTrue();
        assertThat(SslRequest.matches(MARIADB_RESPONSE)).isFalse();
        SslRequest request = SslRequest.decode(payload);
        assertThat(request).isEqualTo(new SslRequest(0x0008_aa01L, 1 << 24, 45));
        assertThat(encoded(request.encode())).isEqualTo(payload);
    }

    @Test
    void changeUser() {
        Bytes payload = Hex.bytes(
                "11", // command
                "'root'", // user
                "00", // its end
                "06", // length of the reply
                "'SECRET'", // reply
                "'test'", // schema
                "00", // its end
                "2d00", // character set
                "'mysql_native_password'", // auth plugin
                "00"); // its end
        ComChangeUser change = ComChangeUser.decode(payload, PLUGINS);
        assertThat(change.user().utf8()).isEqualTo("root");
        assertThat(change.schema().utf8()).isEqualTo("test");
        assertThat(change.collationId()).isEqualTo(45);
        assertThat(change.authPluginName()).isEqualTo("mysql_native_password");
        assertThat(encoded(change.encode(PLUGINS))).isEqualTo(payload);
        assertThat(change.toString()).contains("root").doesNotContain("SECRET");

        long withAttributes = PLUGINS | Capability.CLIENT_CONNECT_ATTRS.mask();
        ComChangeUser attributed = new ComChangeUser(
                change.user(),
                change.authResponse(),
                change.schema(),
                45,
                change.authPluginName(),
                ConnectionAttributes.of(Map.of("k", "v")));
        assertThat(ComChangeUser.decode(encoded(attributed.encode(withAttributes)), withAttributes))
                .isEqualTo(attributed);
    }

    @Test
    void changeUserOfOldClientsEndsEarly() {
        // command, user, reply, schema
        Bytes payload = Hex.bytes("11", "'root'", "00", "'abc'", "00", "'test'", "00");
        ComChangeUser change = ComChangeUser.decode(payload, Capability.CLIENT_PROTOCOL_41.mask());
        assertThat(change.authResponse().utf8()).isEqualTo("abc");
        assertThat(change.collationId()).isZero();
    }

    @Test
    void query() {
        // command, statement
        Bytes payload = Hex.bytes("03", "'select 1'");
        assertThat(ComQuery.decode(payload)).isEqualTo(ComQuery.of("select 1"));
        assertThat(encoded(ComQuery.of("select 1").encode())).isEqualTo(payload);
        assertThat(ComQuery.of("set password = 'x'").toString()).doesNotContain("password");
    }

    @Test
    void initDb() {
        // command, schema
        Bytes payload = Hex.bytes("02", "'test'");
        assertThat(ComInitDb.decode(payload)).isEqualTo(new ComInitDb(Bytes.ofUtf8("test")));
        assertThat(encoded(new ComInitDb(Bytes.ofUtf8("test")).encode())).isEqualTo(payload);
    }

    @Test
    void stmtPrepare() {
        // command, statement
        Bytes payload = Hex.bytes("16", "'select ?'");
        assertThat(ComStmtPrepare.decode(payload)).isEqualTo(new ComStmtPrepare(Bytes.ofUtf8("select ?")));
        assertThat(encoded(ComStmtPrepare.decode(payload).encode())).isEqualTo(payload);
    }

    @Test
    void stmtExecute() {
        Bytes payload = Hex.bytes(
                "17", // command
                "ffffffff", // statement id: the last one
                "01", // flags: cursor
                "01000000", // iteration count
                "00", // NULL bitmap
                "01", // types follow
                "0300"); // type
        ComStmtExecute execute = ComStmtExecute.decode(payload);
        assertThat(execute).isEqualTo(new ComStmtExecute(-1, 1));
        assertThat(execute.wantsCursor()).isTrue();
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> ComStmtExecute.decode(payload.first(ComStmtExecute.LENGTH - 1)));
    }

    @Test
    void stmtFetch() {
        // command, statement id, rows
        assertThat(ComStmtFetch.decode(Hex.bytes("1c", "02000000", "64000000"))).isEqualTo(new ComStmtFetch(2, 100));
    }

    @Test
    void stmtClose() {
        // command, statement id
        Bytes payload = Hex.bytes("19", "02000000");
        assertThat(ComStmtClose.decode(payload)).isEqualTo(new ComStmtClose(2));
        assertThat(encoded(new ComStmtClose(2).encode())).isEqualTo(payload);
    }

    @Test
    void processKill() {
        // command, connection id
        Bytes payload = Hex.bytes("0c", "0a000000");
        assertThat(ComProcessKill.decode(payload)).isEqualTo(new ComProcessKill(10));
        assertThat(encoded(new ComProcessKill(10).encode())).isEqualTo(payload);
    }

    @Test
    void setOption() {
        // command, option
        Bytes payload = Hex.bytes("1b", "0100");
        assertThat(ComSetOption.decode(payload))
                .isEqualTo(new ComSetOption(ComSetOption.MYSQL_OPTION_MULTI_STATEMENTS_OFF));
        assertThat(encoded(ComSetOption.decode(payload).encode())).isEqualTo(payload);
    }

    @Test
    void simpleCommandIsItsByte() {
        assertThat(encoded(ComSimple.encode(Command.COM_RESET_CONNECTION))).isEqualTo(Hex.bytes("1f"));
    }

    @Test
    void anotherCommandIsAProtocolError() {
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> ComQuery.decode(Hex.bytes("0e")))
                .withMessage("COM_QUERY: expected 3 as command at offset 0, but it is 14");
    }

    private static Bytes encoded(PayloadWriter writer) {
        return Bytes.of(writer.toByteArray());
    }
}
