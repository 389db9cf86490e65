package org.tiproxy.session;

import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.client.ConnectionAttributes;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.client.SslRequest;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.HandshakeV10;

/** Packets that conversations are made of. */
final class Packets {
    /** The proxy's keys: made once, because that is slow. */
    static final KeyPair PROXY_KEYS = keys();
    /** The fake backend's keys. */
    static final KeyPair BACKEND_KEYS = keys();

    static final Bytes SCRAMBLE = Bytes.ofUtf8("abcdefghijklmnopqrst");
    static final int THREAD_ID = 11;

    /** What a MySQL 8 sends: everything but the client-side bits. */
    static final long MYSQL_CAPABILITIES = 0x1fff_ffffL;
    /** What a MySQL 8 client sends, without TLS. */
    static final long CLIENT_CAPABILITIES = Capability.setOf(
            Capability.CLIENT_LONG_PASSWORD,
            Capability.CLIENT_LONG_FLAG,
            Capability.CLIENT_CONNECT_WITH_DB,
            Capability.CLIENT_LOCAL_FILES,
            Capability.CLIENT_PROTOCOL_41,
            Capability.CLIENT_TRANSACTIONS,
            Capability.CLIENT_SECURE_CONNECTION,
            Capability.CLIENT_MULTI_STATEMENTS,
            Capability.CLIENT_MULTI_RESULTS,
            Capability.CLIENT_PS_MULTI_RESULTS,
            Capability.CLIENT_PLUGIN_AUTH,
            Capability.CLIENT_CONNECT_ATTRS,
            Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA,
            Capability.CLIENT_SESSION_TRACK,
            Capability.CLIENT_DEPRECATE_EOF);

    /** OK, autocommit. */
    static final String OK = "00 00 00 0200 0000";
    /** OK, autocommit, in a transaction. */
    static final String OK_IN_TRANSACTION = "00 00 00 0300 0000";
    /** ERR 1064 with SQLSTATE. */
    static final String ERR = "ff 2804";

    private Packets() {}

    static SessionConfig config(TlsMode client, TlsMode backend) {
        return SessionConfig.of(client, backend, () -> PROXY_KEYS);
    }

    static SessionConfig plain() {
        return config(TlsMode.DISABLED, TlsMode.DISABLED);
    }

    static HandshakeV10 greetingOf(long capabilities, String plugin) {
        return new HandshakeV10("8.4.3", THREAD_ID, SCRAMBLE, capabilities, 255, 2, plugin);
    }

    static byte[] greeting() {
        return bytes(greetingOf(MYSQL_CAPABILITIES, "mysql_native_password").encode(), 0);
    }

    static byte[] greeting(String plugin) {
        return bytes(greetingOf(MYSQL_CAPABILITIES, plugin).encode(), 0);
    }

    static HandshakeResponse41 response(long capabilities, String plugin, Bytes auth) {
        return new HandshakeResponse41(
                capabilities,
                0x1000000,
                45,
                Bytes.ofUtf8("root"),
                auth,
                Bytes.ofUtf8("test"),
                plugin,
                ConnectionAttributes.of(Map.of("_os", "Linux")),
                0);
    }

    static byte[] response(int sequenceId) {
        return bytes(
                response(CLIENT_CAPABILITIES, "mysql_native_password", Bytes.ofUtf8("scrambled-20-bytes!!"))
                        .encode(),
                sequenceId);
    }

    static byte[] sslRequest(long capabilities) {
        return bytes(new SslRequest(capabilities | Capability.CLIENT_SSL.mask(), 0x1000000, 45).encode(), 1);
    }

    static byte[] query(String sql) {
        return bytes(new PayloadWriter().int1(Command.COM_QUERY.code()).string(sql), 0);
    }

    static byte[] command(Command command, String... fields) {
        String[] all = new String[fields.length + 1];
        all[0] = String.format("%02x", command.code());
        System.arraycopy(fields, 0, all, 1, fields.length);
        return Hex.packet(0, all);
    }

    static byte[] ok(int sequenceId) {
        return Hex.packet(sequenceId, OK);
    }

    static byte[] err(int sequenceId, String text) {
        return Hex.packet(sequenceId, ERR, "'#42000" + text + "'");
    }

    /** One column named "1", one row with "1", with CLIENT_DEPRECATE_EOF. */
    static byte[] resultSet() {
        return Hex.join(
                Hex.packet(1, "01"),
                Hex.packet(2, "03 'def' 00 00 00 01 '1' 00 0c 3f00 01000000 08 8100 00 0000".split(" ")),
                Hex.packet(3, "01", "'1'"),
                Hex.packet(4, "fe 00 00 0200 0000"));
    }

    static byte[] bytes(PayloadWriter payload, int sequenceId) {
        return payload.toPacket(sequenceId).array();
    }

    /** The payload of a single packet. */
    static Bytes payload(byte[] packet) {
        return Bytes.of(packet, 4, packet.length - 4);
    }

    private static KeyPair keys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(2048);
            return generator.generateKeyPair();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The answer to {@link CleaningStep#SELECT_STATE} for root, with CLIENT_DEPRECATE_EOF. */
    static byte[] stateIs(String... roleAndSchema) {
        return stateIs("root@localhost", roleAndSchema);
    }

    /** The same for a user of fewer than 251 letters. */
    static byte[] stateIs(String user, String[] roleAndSchema) {
        return Hex.join(stateRow(user, roleAndSchema), Hex.packet(6, "fe 00 00 0200 0000"));
    }

    /** For root, and the terminator has a change of transaction_isolation behind it. */
    static byte[] stateIsWithChanges(String... roleAndSchema) {
        return Hex.join(
                stateRow("root@localhost", roleAndSchema),
                Hex.packet(6, "fe 00 00 0240 0000 00 18 00 16 15 'transaction_isolation'".split(" ")));
    }

    private static byte[] stateRow(String user, String... roleAndSchema) {
        List<String> row = new ArrayList<>(List.of(roleAndSchema));
        row.add("%02x".formatted(user.length()));
        row.add("'" + user + "'");
        return Hex.join(
                Hex.packet(1, "03"),
                Hex.packet(2, "'a column'"),
                Hex.packet(3, "'a column'"),
                Hex.packet(4, "'a column'"),
                Hex.packet(5, row.toArray(String[]::new)));
    }

    /** What SHOW GRANTS says of most accounts. */
    static final String NO_LIMITS = "GRANT USAGE ON *.* TO `root`@`localhost`";

    /** The answer to {@link CleaningStep#SELECT_LIMITS}, with CLIENT_DEPRECATE_EOF. */
    static byte[] limitedIs(boolean limited) {
        return Hex.join(
                Hex.packet(1, "01"),
                Hex.packet(2, "'a column'"),
                Hex.packet(3, "01", limited ? "'1'" : "'0'"),
                Hex.packet(4, "fe 00 00 0200 0000"));
    }

    /** The answer to SHOW GRANTS, with CLIENT_DEPRECATE_EOF. */
    static byte[] grantsAre(String text) {
        return Hex.join(
                Hex.packet(1, "01"),
                Hex.packet(2, "'a column'"),
                Hex.packet(3, "%02x".formatted(text.length()), "'" + text + "'"),
                Hex.packet(4, "fe 00 00 0200 0000"));
    }
}
