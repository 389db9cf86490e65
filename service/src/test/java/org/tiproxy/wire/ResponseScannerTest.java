package org.tiproxy.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.tiproxy.wire.Hex.packet;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;

class ResponseScannerTest {
    private static final long OLD_EOF = Capability.setOf(Capability.CLIENT_PROTOCOL_41);
    private static final long NEW_EOF = OLD_EOF | Capability.CLIENT_DEPRECATE_EOF.mask();
    private static final long PROGRESS = Capability.MARIADB_CLIENT_PROGRESS.mask();
    private static final long CACHE = Capability.MARIADB_CLIENT_CACHE_METADATA.mask();

    // header, affected rows, last insert id, status flags, warnings
    private static final byte[] OK = packet(1, "00", "02", "07", "0200", "0000");
    private static final byte[] OK_MORE = packet(1, "00", "00", "00", "0a00", "0000");
    // header, error code 1064, SQLSTATE, text
    private static final byte[] ERR = packet(1, "ff", "2804", "'#42000'", "'You have an error'");
    // header, warnings, status flags
    private static final byte[] EOF = packet(1, "fe", "0000", "0200");
    private static final byte[] EOF_MORE = packet(1, "fe", "0000", "0a00");
    private static final byte[] EOF_CURSOR = packet(1, "fe", "0000", "4200");
    private static final byte[] EOF_LAST_ROW = packet(1, "fe", "0000", "8200");
    // header, affected rows, last insert id, status flags, warnings
    private static final byte[] END = packet(1, "fe", "00", "00", "0200", "0000");
    private static final byte[] END_MORE = packet(1, "fe", "00", "00", "0a00", "0000");
    private static final byte[] END_CURSOR = packet(1, "fe", "00", "00", "4200", "0000");
    private static final byte[] ONE_COLUMN = packet(1, "01");
    private static final byte[] TWO_COLUMNS = packet(1, "02");
    private static final byte[] COLUMN =
            packet(2, "03 'def' 00 00 00 01 'a' 00 0c 3f00 01000000 08 8100 00 0000".split(" "));
    private static final byte[] ROW = packet(3, "01", "'x'");
    private static final byte[] BINARY_ROW = packet(3, "00", "00", "01", "'x'");
    private static final byte[] NULL_ROW = packet(3, "fb");
    // header, file name
    private static final byte[] INFILE = packet(1, "fb", "'/tmp/x'");
    // header, error code 0xffff, number of strings, stage, max stage, progress, text
    private static final byte[] PROGRESS_REPORT = packet(1, "ff", "ffff", "01", "01", "02", "e80300", "04", "'copy'");

    private static final String AUTOCOMMIT = " [SERVER_STATUS_AUTOCOMMIT]";
    private static final String MORE = " [SERVER_STATUS_AUTOCOMMIT, SERVER_MORE_RESULTS_EXISTS]";
    private static final String CURSOR = " [SERVER_STATUS_AUTOCOMMIT, SERVER_STATUS_CURSOR_EXISTS]";
    private static final String COMPLETE_OK = "COMPLETE OK" + AUTOCOMMIT + " affected=2";
    private static final String COMPLETE_ROWS = "COMPLETE RESULT_SET" + AUTOCOMMIT;
    private static final String MORE_ROWS = "RESULT_END RESULT_SET" + MORE;

    /** What is answered to a command, and the events that this must cause. */
    record Case(String name, long capabilities, Command command, Bytes response, List<String> events) {
        byte[] stream() {
            return response.toByteArray();
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Case> responses() {
        List<Case> cases = new ArrayList<>();
        queries(cases);
        preparedStatements(cases);
        specialCommands(cases);
        return cases.stream();
    }

    private static void queries(List<Case> cases) {
        add(cases, "query: OK", NEW_EOF, Command.COM_QUERY, OK).expect(COMPLETE_OK);
        add(cases, "query: ERR", NEW_EOF, Command.COM_QUERY, ERR).expect("COMPLETE ERR 1064");
        add(cases, "query: rows", NEW_EOF, Command.COM_QUERY, ONE_COLUMN, COLUMN, ROW, NULL_ROW, END)
                .expect(COMPLETE_ROWS);
        add(cases, "query: rows, old EOF", OLD_EOF, Command.COM_QUERY, ONE_COLUMN, COLUMN, EOF, ROW, NULL_ROW, EOF)
                .expect(COMPLETE_ROWS);
        add(cases, "query: no rows", NEW_EOF, Command.COM_QUERY, TWO_COLUMNS, COLUMN, COLUMN, END)
                .expect(COMPLETE_ROWS);
        add(cases, "query: no rows, old EOF", OLD_EOF, Command.COM_QUERY, TWO_COLUMNS, COLUMN, COLUMN, EOF, EOF)
                .expect(COMPLETE_ROWS);
        add(cases, "query: ERR in place of a row", NEW_EOF, Command.COM_QUERY, ONE_COLUMN, COLUMN, ROW, ERR)
                .expect("COMPLETE ERR 1064");
        add(cases, "query: ERR in place of a definition", NEW_EOF, Command.COM_QUERY, TWO_COLUMNS, COLUMN, ERR)
                .expect("COMPLETE ERR 1064");
        add(cases, "query: ERR in place of an EOF", OLD_EOF, Command.COM_QUERY, ONE_COLUMN, COLUMN, ERR)
                .expect("COMPLETE ERR 1064");
        add(cases, "query: several results", NEW_EOF, Command.COM_QUERY, OK_MORE, ONE_COLUMN, COLUMN, END_MORE, OK)
                .expect("RESULT_END OK" + MORE, MORE_ROWS, COMPLETE_OK);
        add(cases, "query: several results, then ERR", NEW_EOF, Command.COM_QUERY, OK_MORE, ERR)
                .expect("RESULT_END OK" + MORE, "COMPLETE ERR 1064");
        add(
                        cases,
                        "query: several results, old EOF",
                        OLD_EOF,
                        Command.COM_QUERY,
                        ONE_COLUMN,
                        COLUMN,
                        EOF_MORE,
                        ROW,
                        EOF_MORE,
                        OK)
                .expect(MORE_ROWS, COMPLETE_OK);
        add(
                        cases,
                        "query: a cursor flag is of no meaning",
                        OLD_EOF,
                        Command.COM_QUERY,
                        ONE_COLUMN,
                        COLUMN,
                        EOF_CURSOR,
                        ROW,
                        EOF)
                .expect(COMPLETE_ROWS);
        add(cases, "query: short EOF", OLD_EOF, Command.COM_QUERY, EOF).expect("COMPLETE EOF" + AUTOCOMMIT);
        add(cases, "query: file", NEW_EOF, Command.COM_QUERY, INFILE, OK).expect("CLIENT_FILE_WANTED", COMPLETE_OK);
        add(cases, "query: file refused", NEW_EOF, Command.COM_QUERY, INFILE, ERR)
                .expect("CLIENT_FILE_WANTED", "COMPLETE ERR 1064");
        add(cases, "query: two files", NEW_EOF, Command.COM_QUERY, INFILE, OK_MORE, INFILE, OK)
                .expect("CLIENT_FILE_WANTED", "RESULT_END OK" + MORE, "CLIENT_FILE_WANTED", COMPLETE_OK);
        add(
                        cases,
                        "query: progress, then OK",
                        NEW_EOF | PROGRESS,
                        Command.COM_QUERY,
                        PROGRESS_REPORT,
                        PROGRESS_REPORT,
                        OK)
                .expect(COMPLETE_OK);
        add(cases, "query: progress among files", NEW_EOF | PROGRESS, Command.COM_QUERY, INFILE, PROGRESS_REPORT, OK)
                .expect("CLIENT_FILE_WANTED", COMPLETE_OK);
        add(cases, "query: 0xffff is an error code unless negotiated", NEW_EOF, Command.COM_QUERY, PROGRESS_REPORT)
                .expect("COMPLETE ERR 65535");
        add(cases, "process info: rows", NEW_EOF, Command.COM_PROCESS_INFO, ONE_COLUMN, COLUMN, ROW, END)
                .expect(COMPLETE_ROWS);
    }

    private static void preparedStatements(List<Case> cases) {
        // header, statement id, columns, parameters, filler, warnings
        byte[] columnsAndParameters = packet(1, "00", "01000000", "0100", "0200", "00", "0000");
        byte[] columnsOnly = packet(1, "00", "01000000", "0100", "0000", "00", "0000");
        byte[] parametersOnly = packet(1, "00", "01000000", "0000", "0100", "00", "0000");
        byte[] neither = packet(1, "00", "01000000", "0000", "0000", "00", "0000");
        Command prepare = Command.COM_STMT_PREPARE;
        add(cases, "prepare: columns, parameters", NEW_EOF, prepare, columnsAndParameters, COLUMN, COLUMN, COLUMN)
                .expect("COMPLETE PREPARE_OK");
        add(
                        cases,
                        "prepare: columns, parameters, old EOF",
                        OLD_EOF,
                        prepare,
                        columnsAndParameters,
                        COLUMN,
                        COLUMN,
                        EOF,
                        COLUMN,
                        EOF)
                .expect("COMPLETE PREPARE_OK" + AUTOCOMMIT);
        add(cases, "prepare: columns", NEW_EOF, prepare, columnsOnly, COLUMN).expect("COMPLETE PREPARE_OK");
        add(cases, "prepare: columns, old EOF", OLD_EOF, prepare, columnsOnly, COLUMN, EOF)
                .expect("COMPLETE PREPARE_OK" + AUTOCOMMIT);
        add(cases, "prepare: parameters", NEW_EOF, prepare, parametersOnly, COLUMN)
                .expect("COMPLETE PREPARE_OK");
        add(cases, "prepare: parameters, old EOF", OLD_EOF, prepare, parametersOnly, COLUMN, EOF)
                .expect("COMPLETE PREPARE_OK" + AUTOCOMMIT);
        add(cases, "prepare: neither", NEW_EOF, prepare, neither).expect("COMPLETE PREPARE_OK");
        add(cases, "prepare: neither, old EOF", OLD_EOF, prepare, neither).expect("COMPLETE PREPARE_OK");
        add(cases, "prepare: ERR", NEW_EOF, prepare, ERR).expect("COMPLETE ERR 1064");

        Command execute = Command.COM_STMT_EXECUTE;
        add(cases, "execute: rows", NEW_EOF, execute, ONE_COLUMN, COLUMN, BINARY_ROW, END)
                .expect(COMPLETE_ROWS);
        add(cases, "execute: rows, old EOF", OLD_EOF, execute, ONE_COLUMN, COLUMN, EOF, BINARY_ROW, EOF)
                .expect(COMPLETE_ROWS);
        add(cases, "execute: cursor", NEW_EOF, execute, ONE_COLUMN, COLUMN, END_CURSOR)
                .expect("COMPLETE RESULT_SET" + CURSOR);
        add(cases, "execute: cursor, old EOF", OLD_EOF, execute, ONE_COLUMN, COLUMN, EOF_CURSOR)
                .expect("COMPLETE RESULT_SET" + CURSOR);
        // number of columns, metadata follows
        byte[] withMetadata = packet(1, "01", "01");
        byte[] withoutMetadata = packet(1, "01", "00");
        add(cases, "execute: metadata sent", NEW_EOF | CACHE, execute, withMetadata, COLUMN, BINARY_ROW, END)
                .expect(COMPLETE_ROWS);
        add(cases, "execute: metadata left out", NEW_EOF | CACHE, execute, withoutMetadata, BINARY_ROW, END)
                .expect(COMPLETE_ROWS);
        add(
                        cases,
                        "execute: metadata left out, old EOF",
                        OLD_EOF | CACHE,
                        execute,
                        withoutMetadata,
                        EOF,
                        BINARY_ROW,
                        EOF)
                .expect(COMPLETE_ROWS);
        byte[] outParameters = packet(1, "fe", "00", "00", "0a10", "0000");
        add(cases, "execute: out parameters", NEW_EOF, execute, ONE_COLUMN, COLUMN, BINARY_ROW, outParameters, OK)
                .expect(
                        "RESULT_END RESULT_SET [SERVER_STATUS_AUTOCOMMIT, SERVER_MORE_RESULTS_EXISTS, "
                                + "SERVER_PS_OUT_PARAMS]",
                        COMPLETE_OK);
        add(cases, "bulk: OK", NEW_EOF, Command.COM_STMT_BULK_EXECUTE, OK).expect(COMPLETE_OK);
        add(cases, "fetch: rows", NEW_EOF, Command.COM_STMT_FETCH, BINARY_ROW, END_CURSOR)
                .expect("COMPLETE RESULT_SET" + CURSOR);
        add(cases, "fetch: last row, old EOF", OLD_EOF, Command.COM_STMT_FETCH, BINARY_ROW, EOF_LAST_ROW)
                .expect("COMPLETE RESULT_SET [SERVER_STATUS_AUTOCOMMIT, SERVER_STATUS_LAST_ROW_SENT]");
        add(cases, "fetch: more results is of no meaning", NEW_EOF, Command.COM_STMT_FETCH, END_MORE)
                .expect("COMPLETE RESULT_SET" + MORE);
        add(cases, "fetch: ERR", NEW_EOF, Command.COM_STMT_FETCH, ERR).expect("COMPLETE ERR 1064");
        add(cases, "reset: OK", NEW_EOF, Command.COM_STMT_RESET, OK).expect(COMPLETE_OK);
    }

    private static void specialCommands(List<Case> cases) {
        add(cases, "ping: OK", NEW_EOF, Command.COM_PING, OK).expect(COMPLETE_OK);
        add(cases, "ping: more results is of no meaning", NEW_EOF, Command.COM_PING, OK_MORE)
                .expect("COMPLETE OK" + MORE);
        add(cases, "set option: EOF", OLD_EOF, Command.COM_SET_OPTION, EOF).expect("COMPLETE EOF" + AUTOCOMMIT);
        add(cases, "set option: short EOF among new ones", NEW_EOF, Command.COM_SET_OPTION, EOF)
                .expect("COMPLETE EOF" + AUTOCOMMIT);
        add(cases, "set option: OK as EOF", NEW_EOF, Command.COM_SET_OPTION, END)
                .expect("COMPLETE EOF" + AUTOCOMMIT);
        add(cases, "debug: OK", NEW_EOF, Command.COM_DEBUG, OK).expect(COMPLETE_OK);
        add(cases, "field list", NEW_EOF, Command.COM_FIELD_LIST, COLUMN, COLUMN, END)
                .expect(COMPLETE_ROWS);
        add(cases, "field list, old EOF", OLD_EOF, Command.COM_FIELD_LIST, COLUMN, EOF)
                .expect(COMPLETE_ROWS);
        add(cases, "field list: ERR", NEW_EOF, Command.COM_FIELD_LIST, ERR).expect("COMPLETE ERR 1064");
        add(cases, "statistics", NEW_EOF, Command.COM_STATISTICS, packet(1, "'Uptime: 5'"))
                .expect("COMPLETE TEXT");
        add(cases, "statistics: empty", NEW_EOF, Command.COM_STATISTICS, packet(1))
                .expect("COMPLETE TEXT");
        // header, plugin, scramble
        byte[] authSwitch = packet(1, "fe", "'mysql_native_password'", "00", "'01234567890123456789'", "00");
        add(cases, "change user: switch", NEW_EOF, Command.COM_CHANGE_USER, authSwitch, authSwitch, OK)
                .expect("AUTH_SWITCH", "AUTH_SWITCH", COMPLETE_OK);
        add(cases, "change user: more data", NEW_EOF, Command.COM_CHANGE_USER, authSwitch, packet(3, "01", "03"), OK)
                .expect("AUTH_SWITCH", "AUTH_MORE_DATA", COMPLETE_OK);
        add(cases, "change user: ERR", NEW_EOF, Command.COM_CHANGE_USER, authSwitch, ERR)
                .expect("AUTH_SWITCH", "COMPLETE ERR 1064");
        byte[] event = packet(1, "00", "00000000", "04");
        add(cases, "binlog: ends with ERR", NEW_EOF, Command.COM_BINLOG_DUMP, event, event, ERR)
                .expect("COMPLETE ERR 1064");
        add(cases, "binlog: ends with EOF", NEW_EOF, Command.COM_BINLOG_DUMP, event, EOF)
                .expect("COMPLETE EOF" + AUTOCOMMIT);
        add(
                        cases,
                        "unknown command",
                        NEW_EOF,
                        Command.UNKNOWN,
                        packet(1, "ff", "1704", "'#08S01'", "'Unknown command'"))
                .expect("COMPLETE ERR 1047");
    }

    @ParameterizedTest
    @MethodSource("responses")
    void responseEndsWhereTheTableSays(Case testCase) {
        ResponseScanner scanner = new ResponseScanner(testCase.capabilities, 4096);
        // A PING behind it shows that the scanner neither stops early nor takes too much.
        byte[] stream = Hex.join(testCase.stream(), packet(1, "00", "00", "00", "0000", "0000"));
        List<String> expected = new ArrayList<>(testCase.events);
        expected.add("COMPLETE OK");
        List<String> events = Streams.responses(scanner, stream, Streams.whole(), testCase.command, Command.COM_PING);
        assertThat(events.stream().map(event -> event.substring(event.indexOf(' ') + 1)))
                .containsExactlyElementsOf(expected);
        assertThat(events.get(events.size() - 2)).startsWith(testCase.response.length() + " ");
        assertThat(events.get(events.size() - 1)).startsWith(stream.length + " ");
        assertThat(scanner.isIdle()).isTrue();
        assertThat(scanner.atPacketStart()).isTrue();
    }

    @ParameterizedTest
    @MethodSource("responses")
    void everySplitGivesTheSameEvents(Case testCase) {
        byte[] stream = testCase.stream();
        List<String> expected = scan(testCase, Streams.whole());
        for (int cut = 1; cut < stream.length; cut++) {
            int first = cut;
            assertThat(scan(testCase, remaining -> remaining == stream.length ? first : remaining))
                    .isEqualTo(expected);
        }
        assertThat(scan(testCase, remaining -> 1)).isEqualTo(expected);
        assertThat(scan(testCase, remaining -> 3)).isEqualTo(expected);
    }

    @ParameterizedTest
    @EnumSource(names = {"COM_QUIT", "COM_STMT_CLOSE", "COM_STMT_SEND_LONG_DATA"})
    void someCommandsAreNotAnswered(Command command) {
        ResponseScanner scanner = new ResponseScanner(NEW_EOF, 4096);
        assertThat(scanner.begin(command)).isFalse();
        assertThat(scanner.begin(Command.COM_PING)).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void everyCommandMayBeAnsweredWithAnErr(Command command) {
        ResponseScanner scanner = new ResponseScanner(NEW_EOF, 4096);
        if (scanner.begin(command)) {
            assertThat(scanner.scan(ByteBuffer.wrap(ERR))).isEqualTo(ResponseEvent.COMPLETE);
            assertThat(scanner.outcome().errorCode()).isEqualTo(1064);
        }
    }

    @Test
    void rowThatStartsLikeAnEofIsARow() {
        // A column of 16 MiB has 0xfe in front of its length; its packet is a full fragment, and then goes on.
        byte[] payload = new byte[PacketFramer.MAX_FRAGMENT + 20];
        System.arraycopy(Hex.bytes("fe", "0b00000100000000").toByteArray(), 0, payload, 0, 9);
        // The second fragment looks like an ERR.
        Arrays.fill(payload, PacketFramer.MAX_FRAGMENT, payload.length, (byte) 0xff);
        byte[] row = array(new PayloadWriter().bytes(payload).toPacket(3));
        byte[] stream = Hex.join(ONE_COLUMN, COLUMN, row, ROW, END);
        ResponseScanner scanner = new ResponseScanner(NEW_EOF, 64);
        assertThat(Streams.responses(scanner, stream, Streams.whole(), Command.COM_QUERY))
                .containsExactly(stream.length + " " + COMPLETE_ROWS);
    }

    @Test
    void continuationIsNeverInterpreted() {
        for (int tail : new int[] {0, 1, 5}) {
            byte[] payload = new byte[PacketFramer.MAX_FRAGMENT + tail];
            Arrays.fill(payload, (byte) 0xfe);
            payload[0] = 'a';
            byte[] row = array(new PayloadWriter().bytes(payload).toPacket(3));
            byte[] stream = Hex.join(ONE_COLUMN, COLUMN, EOF, row, EOF);
            for (Streams.Cuts cuts : List.of(Streams.whole(), remaining -> 65_537)) {
                assertThat(Streams.responses(new ResponseScanner(OLD_EOF, 64), stream, cuts, Command.COM_QUERY))
                        .containsExactly(stream.length + " " + COMPLETE_ROWS);
            }
        }
    }

    @Test
    void outcomeHasTheNumbersOfTheOk() {
        ResponseScanner scanner = new ResponseScanner(NEW_EOF, 4096);
        scanner.begin(Command.COM_QUERY);
        // header, affected rows, last insert id, status flags, warnings, info
        byte[] ok = packet(7, "00", "fc2c01", "fe0000000001000000", "0100", "0300", "'text'");
        assertThat(scanner.scan(ByteBuffer.wrap(ok))).isEqualTo(ResponseEvent.COMPLETE);
        assertThat(scanner.outcome().affectedRows()).isEqualTo(300);
        assertThat(scanner.outcome().lastInsertId()).isEqualTo(1L << 32);
        assertThat(scanner.outcome().statusFlags()).isEqualTo(1);
        assertThat(scanner.outcome().warnings()).isEqualTo(3);
        assertThat(scanner.lastSequenceId()).isEqualTo(7);
        assertThat(Streams.text(scanner.packet())).endsWith("text");
        assertThat(scanner.packet().remaining()).isEqualTo(ok.length - 4);
    }

    @Test
    void outcomeHasTheNumbersOfThePreparedStatement() {
        ResponseScanner scanner = new ResponseScanner(NEW_EOF, 4096);
        scanner.begin(Command.COM_STMT_PREPARE);
        byte[] first = packet(1, "00", "ffffffff", "0200", "0100", "00", "0500");
        assertThat(scanner.scan(ByteBuffer.wrap(Hex.join(first, COLUMN, COLUMN, COLUMN))))
                .isEqualTo(ResponseEvent.COMPLETE);
        assertThat(scanner.outcome().statementId()).isEqualTo(-1);
        assertThat(scanner.outcome().columns()).isEqualTo(2);
        assertThat(scanner.outcome().parameters()).isEqualTo(1);
        assertThat(scanner.outcome().warnings()).isEqualTo(5);
    }

    @Test
    void hugeOkIsKeptUpToTheLimit() {
        byte[] ok = array(new PayloadWriter()
                .bytes(Hex.bytes("00", "02", "07", "0240", "0000"))
                .zeros(20_000_000)
                .toPacket(1));
        ResponseScanner scanner = new ResponseScanner(NEW_EOF, 100);
        assertThat(Streams.responses(scanner, ok, remaining -> 1_000, Command.COM_QUERY))
                .containsExactly(ok.length
                        + " COMPLETE OK [SERVER_STATUS_AUTOCOMMIT, SERVER_SESSION_STATE_CHANGED] affected=2 truncated");
        assertThat(scanner.packet().remaining()).isEqualTo(100);
    }

    @Test
    void errWithoutACommandIsUnsolicited() {
        ResponseScanner scanner = new ResponseScanner(NEW_EOF, 4096);
        // error code 4031
        byte[] err = packet(0, "ff", "bf0f", "'#HY000'", "'The client was disconnected'");
        assertThat(scanner.scan(ByteBuffer.wrap(err))).isEqualTo(ResponseEvent.UNSOLICITED_ERR);
        assertThat(scanner.outcome().errorCode()).isEqualTo(4031);
    }

    @Test
    void anythingElseWithoutACommandIsAProtocolError() {
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> new ResponseScanner(NEW_EOF, 4096).scan(ByteBuffer.wrap(OK)))
                .withMessageContaining("expected nothing (IDLE), but found a packet of 7 bytes with first byte 0");
    }

    static Stream<Case> malformedResponses() {
        List<Case> cases = new ArrayList<>();
        add(cases, "empty first packet", NEW_EOF, Command.COM_QUERY, packet(1));
        add(cases, "row for OK", NEW_EOF, Command.COM_PING, ROW);
        add(cases, "short OK", NEW_EOF, Command.COM_PING, packet(1, "00", "00", "00", "02"));
        add(cases, "long 0xfe first", NEW_EOF, Command.COM_QUERY, packet(1, "fe", "000102030405060708"));
        add(cases, "ERR without a code", NEW_EOF, Command.COM_QUERY, packet(1, "ff"));
        add(cases, "row for EOF", OLD_EOF, Command.COM_QUERY, ONE_COLUMN, COLUMN, ROW);
        add(cases, "short terminator", NEW_EOF, Command.COM_QUERY, ONE_COLUMN, COLUMN, packet(1, "fe", "00"));
        add(cases, "short answer to prepare", NEW_EOF, Command.COM_STMT_PREPARE, packet(1, "00", "01"));
        add(cases, "EOF for prepare", NEW_EOF, Command.COM_STMT_PREPARE, EOF);
        add(cases, "row after a file", NEW_EOF, Command.COM_QUERY, INFILE, ROW);
        add(cases, "row in authentication", NEW_EOF, Command.COM_CHANGE_USER, packet(1, "05"));
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("malformedResponses")
    void malformedResponseIsAProtocolError(Case testCase) {
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> scan(testCase, Streams.whole()))
                .withMessageContaining("expected ");
    }

    @Test
    void misuseIsRefused() {
        ResponseScanner scanner = new ResponseScanner(NEW_EOF, 4096);
        scanner.begin(Command.COM_QUERY);
        assertThatIllegalStateException()
                .isThrownBy(() -> scanner.begin(Command.COM_PING))
                .withMessage("COM_PING begins while the response to COM_QUERY is at RESULT_FIRST");
        assertThatIllegalArgumentException().isThrownBy(() -> new ResponseScanner(NEW_EOF, 10));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ResponseScanner(Capability.CLIENT_OPTIONAL_RESULTSET_METADATA.mask(), 4096));
    }

    private static List<String> scan(Case testCase, Streams.Cuts cuts) {
        return Streams.responses(
                new ResponseScanner(testCase.capabilities, 4096), testCase.stream(), cuts, testCase.command);
    }

    private static byte[] array(ByteBuffer buffer) {
        byte[] result = new byte[buffer.remaining()];
        buffer.get(result);
        return result;
    }

    private static Expectation add(
            List<Case> cases, String name, long capabilities, Command command, byte[]... packets) {
        List<String> events = new ArrayList<>();
        cases.add(new Case(name, capabilities, command, Bytes.of(Hex.join(packets)), events));
        return expected -> events.addAll(List.of(expected));
    }

    /** Completes a case with the events it must cause. */
    private interface Expectation {
        void expect(String... events);
    }
}
