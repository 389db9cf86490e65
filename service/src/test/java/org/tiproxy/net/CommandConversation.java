package org.tiproxy.net;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.testing.RawClient;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.client.ComStmtExecute;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.AuthSwitchRequest;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.StmtPrepareOk;

/**
 * A session in which one command is sent in one phase, and what comes back: one text per packet, without what differs
 * from session to session. Behind the command a query shows whether the session lives on, and in which state.
 */
final class CommandConversation {
    /** When the command is sent. */
    enum Phase {
        /** At once after the connection was made. */
        BEFORE_THE_GREETING,
        /** In place of the login, numbered like it. */
        IN_PLACE_OF_THE_LOGIN,
        /** In place of the login, numbered like a command. */
        IN_PLACE_OF_THE_LOGIN_OUT_OF_ORDER,
        /** In place of the reply to an AuthSwitchRequest, numbered like it. */
        DURING_THE_AUTH_SWITCH,
        /** In place of the reply to an AuthSwitchRequest, numbered like a command. */
        DURING_THE_AUTH_SWITCH_OUT_OF_ORDER,
        /** Logged in, nothing is going on. */
        IDLE,
        /** Idle, but with a wrong sequence id. */
        IDLE_OUT_OF_ORDER,
        /** In a transaction that has written. */
        IN_A_TRANSACTION,
        /** A cursor is open that was not read to its end. */
        WITH_AN_OPEN_CURSOR,
        /** As a part of the file. */
        DURING_LOCAL_INFILE,
        /** The server waits for the file. */
        DURING_LOCAL_INFILE_OUT_OF_ORDER,
        /** In one piece with a query in front of it. */
        BEHIND_ANOTHER_COMMAND,
        /** As the continuation of a query with 16 MiB. */
        INSIDE_A_MULTI_PACKET
    }

    private static final HexFormat HEX = HexFormat.of();
    private static final String SENTINEL = "still here";
    private static final String PROCESS = "process";
    private static final int UNUSED_CODE = 0x22;
    private static final int MAX_FRAGMENT = 0xffffff;
    /** Enough for each response here; a server that never stops would otherwise fill the memory. */
    private static final int MAX_PACKETS = 200;

    /** A query with a comment that goes on in the next packet. */
    private static final byte[] LARGEST_FRAGMENT = new byte[4 + MAX_FRAGMENT];

    static {
        byte[] start = new PayloadWriter()
                .int3(MAX_FRAGMENT)
                .int1(0)
                .bytes(RawClient.command(Command.COM_QUERY, "SELECT 3 -- "))
                .toByteArray();
        Arrays.fill(LARGEST_FRAGMENT, (byte) 'x');
        System.arraycopy(start, 0, LARGEST_FRAGMENT, 0, start.length);
    }

    private final Phase phase;
    private final Command command;
    private final boolean withBody;
    private final long capabilities;
    private final List<String> seen = new ArrayList<>();
    private int statementId;

    CommandConversation(Phase phase, Command command, boolean withBody, long capabilities) {
        this.phase = phase;
        this.command = command;
        this.withBody = withBody;
        this.capabilities = capabilities;
    }

    /** Has the conversation with whoever listens there. */
    List<String> with(int port) throws IOException {
        try {
            return converse(port);
        } catch (SocketTimeoutException e) {
            seen.add("nothing comes");
            return List.copyOf(seen);
        }
    }

    private List<String> converse(int port) throws IOException {
        seen.clear();
        statementId = 0x7000_0000;
        try (RawClient client = new RawClient(port)) {
            switch (phase) {
                case BEFORE_THE_GREETING -> {
                    client.send(0, payload(null));
                    readToEnd(client);
                }
                case IN_PLACE_OF_THE_LOGIN -> {
                    client.greet().send(1, payload(client));
                    readToEnd(client);
                }
                case IN_PLACE_OF_THE_LOGIN_OUT_OF_ORDER -> {
                    client.greet().send(0, payload(client));
                    readToEnd(client);
                }
                case DURING_THE_AUTH_SWITCH -> duringTheAuthSwitch(client, 3);
                case DURING_THE_AUTH_SWITCH_OUT_OF_ORDER -> duringTheAuthSwitch(client, 0);
                case IDLE -> {
                    prepare(client.logIn(capabilities));
                    client.send(0, payload(client));
                    readResponse(client);
                }
                case IDLE_OUT_OF_ORDER -> {
                    client.logIn(capabilities).send(1, payload(client));
                    readToEnd(client);
                }
                case IN_A_TRANSACTION -> {
                    prepare(client.logIn(capabilities));
                    client.execute("BEGIN").execute("INSERT INTO listed VALUES (1, 'one')");
                    client.send(0, payload(client));
                    readResponse(client);
                }
                case WITH_AN_OPEN_CURSOR -> withAnOpenCursor(client);
                case DURING_LOCAL_INFILE -> duringLocalInfile(client, 2);
                case DURING_LOCAL_INFILE_OUT_OF_ORDER -> duringLocalInfile(client, 0);
                case BEHIND_ANOTHER_COMMAND -> {
                    prepare(client.logIn(capabilities));
                    client.sendBytes(concat(
                            packet(RawClient.command(Command.COM_QUERY, "SELECT 'in front'")),
                            packet(payload(client))));
                    readUntil(client, "in front");
                    readResponse(client);
                }
                case INSIDE_A_MULTI_PACKET -> insideAMultiPacket(client);
            }
        }
        return List.copyOf(seen);
    }

    private void duringTheAuthSwitch(RawClient client, int sequenceId) throws IOException {
        client.greet();
        client.send(1, RawClient.login(capabilities, "no_such_plugin", Bytes.EMPTY));
        note(client.read());
        client.send(sequenceId, payload(client));
        readToEnd(client);
    }

    private void withAnOpenCursor(RawClient client) throws IOException {
        prepare(client.logIn(capabilities));
        client.send(0, execute(ComStmtExecute.CURSOR_TYPE_READ_ONLY));
        client.query("SELECT 'opened'");
        readUntil(client, "opened");
        client.send(0, payload(client));
        if (readResponse(client)) {
            client.send(0, fetch());
            client.query("SELECT 'fetched'");
            readUntil(client, "fetched");
        }
    }

    private void duringLocalInfile(RawClient client, int sequenceId) throws IOException {
        client.logIn(capabilities);
        client.execute("CREATE TEMPORARY TABLE loaded (content VARBINARY(200))");
        client.query("LOAD DATA LOCAL INFILE 'any' INTO TABLE loaded CHARACTER SET binary");
        note(client.read());
        client.send(sequenceId, payload(null));
        if (sequenceId == 0) {
            note(client.read());
            alive(client);
            return;
        }
        client.send(sequenceId + 1, new byte[0]);
        note(client.read());
        client.query("SELECT HEX(content) FROM loaded");
        alive(client);
    }

    private void insideAMultiPacket(RawClient client) throws IOException {
        client.logIn(capabilities);
        client.sendBytes(LARGEST_FRAGMENT);
        client.send(1, payload(client));
        client.query("SELECT 'behind'");
        readUntil(client, "behind");
        alive(client);
    }

    /** A statement that has no parameters: to execute one of 11.4.5 with unbound parameters ends the server. */
    private void prepare(RawClient client) throws IOException {
        client.send(0, RawClient.command(Command.COM_STMT_PREPARE, "SELECT seq FROM seq_1_to_5"));
        StmtPrepareOk ok = StmtPrepareOk.decode(client.expect().payload());
        statementId = ok.statementId();
        client.query("SELECT 'prepared'");
        readUntil(client, "prepared");
    }

    /** What answers the command, if anything does, and whether the session lives on. */
    private boolean readResponse(RawClient client) throws IOException {
        switch (command) {
            case COM_QUIT -> {
                readToEnd(client);
                return false;
            }
            case COM_STMT_CLOSE, COM_STMT_SEND_LONG_DATA -> {}
            case COM_CHANGE_USER -> {
                RawClient.Packet first = client.read();
                note(first);
                if (first != null && first.header() == AuthSwitchRequest.HEADER) {
                    Bytes scramble = AuthSwitchRequest.decode(first.payload()).scramble();
                    client.send(
                            first.sequenceId() + 1, RawClient.reply(scramble).toByteArray());
                    note(client.read());
                }
            }
            // The rest comes in front of the answer to the query.
            default -> note(client.read());
        }
        return alive(client);
    }

    private boolean alive(RawClient client) throws IOException {
        client.query("SELECT '" + SENTINEL + "', DATABASE(), USER()");
        return readUntil(client, SENTINEL);
    }

    private void readToEnd(RawClient client) throws IOException {
        while (note(client.read())) {}
    }

    /** Reads up to the end of the result with this text. */
    private boolean readUntil(RawClient client, String text) throws IOException {
        byte[] wanted = new PayloadWriter().lenencString(text).toByteArray();
        for (int packets = 0; packets < MAX_PACKETS; packets++) {
            RawClient.Packet packet = client.read();
            if (!note(packet)) {
                return false;
            }
            if (packet != null
                    && packet.payload().length() >= wanted.length
                    && packet.payload().first(wanted.length).equals(Bytes.of(wanted))) {
                return note(client.read());
            }
        }
        throw new IOException("the server does not stop: " + seen);
    }

    private boolean note(RawClient.@Nullable Packet packet) {
        String text = packet == null ? "closed" : packet.sequenceId() + " " + describe(packet);
        // Others come and go: what matters of a list of processes is that it has an end.
        if (!text.endsWith(PROCESS)) {
            seen.add(command == Command.COM_PROCESS_INFO ? text.substring(text.indexOf(' ') + 1) : text);
        }
        return packet != null;
    }

    private String describe(RawClient.Packet packet) {
        if (packet.header() == ErrPacket.HEADER) {
            return ErrPacket.decode(packet.payload())
                    .toString()
                    .replaceFirst("(statement|handler) \\(\\d+\\)", "$1 (id)");
        }
        String hex = HEX.formatHex(packet.payload().toByteArray());
        if (packet.header() == 0x0a && packet.payload().length() > 60) {
            return "greeting";
        }
        if (packet.header() == AuthSwitchRequest.HEADER && packet.payload().length() > 20) {
            return "AuthSwitchRequest "
                    + AuthSwitchRequest.decode(packet.payload()).pluginName();
        }
        if (command == Command.COM_STATISTICS && packet.payload().utf8().startsWith("Uptime")) {
            return "statistics";
        }
        if (command == Command.COM_PROCESS_INFO && packet.payload().utf8().contains("127.0.0.1:")) {
            return PROCESS;
        }
        if (command == Command.COM_STMT_PREPARE
                && packet.header() == 0
                && packet.payload().length() == 12) {
            return hex.substring(0, 2) + " id " + hex.substring(10);
        }
        return hex;
    }

    private byte[] payload(@Nullable RawClient client) {
        PayloadWriter payload = new PayloadWriter().int1(code());
        if (!withBody) {
            return payload.toByteArray();
        }
        switch (command) {
            case COM_INIT_DB -> payload.string("demo");
            case COM_QUERY -> payload.string("SELECT 1, 'two'; SELECT 3");
            case COM_FIELD_LIST -> payload.nulString("listed");
            case COM_CREATE_DB, COM_DROP_DB -> payload.string("nowhere");
            case COM_REFRESH, COM_SHUTDOWN -> payload.int1(1);
            case COM_PROCESS_KILL ->
                payload.int4(client == null ? 1 : client.greeting().connectionId());
            case COM_CHANGE_USER ->
                payload.nulString("demo").int1(0).nulString("demo").int2(45).nulString("mysql_native_password");
            case COM_BINLOG_DUMP -> payload.int4(4).int2(0).int4(99);
            case COM_TABLE_DUMP -> payload.lenencString("demo").lenencString("listed");
            case COM_REGISTER_SLAVE -> payload.int4(99).zeros(14);
            case COM_STMT_PREPARE -> payload.string("SELECT ?, 'x'");
            case COM_STMT_EXECUTE -> payload.bytes(Bytes.of(execute(0), 1, ComStmtExecute.LENGTH - 1));
            case COM_STMT_SEND_LONG_DATA -> payload.int4(statementId).int2(0).string("long");
            case COM_STMT_CLOSE, COM_STMT_RESET -> payload.int4(statementId);
            case COM_STMT_FETCH -> payload.int4(statementId).int4(2);
            case COM_STMT_BULK_EXECUTE -> payload.int4(statementId).int2(0);
            case COM_SET_OPTION -> payload.int2(0);
            default -> payload.string("and a body");
        }
        return payload.toByteArray();
    }

    private byte code() {
        return (byte) (command == Command.UNKNOWN ? UNUSED_CODE : command.code());
    }

    private byte[] execute(int flags) {
        return new PayloadWriter()
                .int1(Command.COM_STMT_EXECUTE.code())
                .int4(statementId)
                .int1(flags)
                .int4(1)
                .toByteArray();
    }

    private byte[] fetch() {
        return new PayloadWriter()
                .int1(Command.COM_STMT_FETCH.code())
                .int4(statementId)
                .int4(2)
                .toByteArray();
    }

    private static byte[] packet(byte[] payload) {
        return new PayloadWriter().bytes(payload).toPacket(0).array();
    }

    private static byte[] concat(byte[] first, byte[] second) {
        return new PayloadWriter().bytes(first).bytes(second).toByteArray();
    }
}
