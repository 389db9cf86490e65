package org.tiproxy.wire;

import java.nio.ByteBuffer;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.protocol.StatusFlag;

/**
 * Finds the end of the response to one command, and what the server says about its session there, in a stream of bytes
 * that arrives in chunks of any size. Rows and definitions are passed over by their length; only packets that say
 * something about the response (OK, EOF, ERR, the first one) are kept, up to a limit.
 *
 * <p>Use: {@link #begin} with the command that was sent, then {@link #scan} with each chunk from the server until
 * {@link ResponseEvent#COMPLETE}. What was scanned may be forwarded as it is: it is the range between the chunk's
 * positions before and after. Several commands may be in flight; their responses are scanned one after the other.
 * Details of the last result may be asked for until the next call of {@code begin} or {@code scan}.
 *
 * <p>The first byte of a packet means different things in different places, so what counts is the packet that is
 * expected ({@link ResponseState}). In every state but IDLE an ERR (first byte 0xff) ends the response; MariaDB's
 * progress reports look like an ERR with code 0xffff and change nothing. Continuation fragments are never looked at.
 *
 * <pre>
 * expected                packet                            next                          event
 * IDLE                    ERR                               IDLE                          UNSOLICITED_ERR
 * RESULT_FIRST            OK, more results follow           RESULT_FIRST                  RESULT_END
 * RESULT_FIRST            OK, or a short EOF                IDLE                          COMPLETE
 * RESULT_FIRST            0xfb and a file name              FILE_RESULT                   CLIENT_FILE_WANTED
 * RESULT_FIRST            number of columns                 COLUMN, COLUMNS_EOF or ROW [1]
 * COLUMN                  the last definition               COLUMNS_EOF or ROW [2]
 * COLUMNS_EOF             EOF, a cursor is open [3]         IDLE                          COMPLETE
 * COLUMNS_EOF             EOF                               ROW
 * ROW                     row                               ROW
 * ROW                     terminator [4], more follow       RESULT_FIRST                  RESULT_END
 * ROW                     terminator                        IDLE                          COMPLETE
 * FILE_RESULT             OK, more results follow           RESULT_FIRST                  RESULT_END
 * FILE_RESULT             OK                                IDLE                          COMPLETE
 * OK                      OK                                IDLE                          COMPLETE
 * OK_OR_EOF               OK or EOF                         IDLE                          COMPLETE
 * PREPARE_FIRST           OK                                the first non-empty one of the next four [2]
 * PREPARE_PARAMETER       the last definition               PREPARE_PARAMETERS_EOF [2]
 * PREPARE_PARAMETERS_EOF  EOF                               PREPARE_COLUMN
 * PREPARE_COLUMN          the last definition               PREPARE_COLUMNS_EOF [2]
 * PREPARE_COLUMNS_EOF     EOF                               IDLE                          COMPLETE
 * FETCH_ROW               row                               FETCH_ROW
 * FETCH_ROW               terminator                        IDLE                          COMPLETE
 * FIELD_LIST_COLUMN       definition                        FIELD_LIST_COLUMN
 * FIELD_LIST_COLUMN       terminator                        IDLE                          COMPLETE
 * TEXT                    anything                          IDLE                          COMPLETE
 * AUTH                    0xfe or 0x02                      AUTH                          AUTH_SWITCH
 * AUTH                    0x01                              AUTH                          AUTH_MORE_DATA
 * AUTH                    OK                                IDLE                          COMPLETE
 * BINLOG_EVENT            event                             BINLOG_EVENT
 * BINLOG_EVENT            short EOF                         IDLE                          COMPLETE
 * any but IDLE            ERR                               IDLE                          COMPLETE
 * any but IDLE, AUTH      progress report                   unchanged
 *
 * [1] With MARIADB_CLIENT_CACHE_METADATA a second number tells whether definitions follow.
 * [2] Left out with CLIENT_DEPRECATE_EOF, and in COM_STMT_PREPARE if there are no definitions in front of it.
 * [3] SERVER_STATUS_CURSOR_EXISTS in the answer to COM_STMT_EXECUTE.
 * [4] First byte 0xfe, and shorter than 9 bytes, or shorter than a full fragment with CLIENT_DEPRECATE_EOF.
 * </pre>
 *
 * <p>Not safe for use by several threads.
 */
public final class ResponseScanner {
    /** The smallest limit: the fixed fields of an OK have at most 23 bytes. */
    public static final int MIN_CAPTURE_LIMIT = 64;

    private static final int OK_HEADER = 0x00;
    private static final int MORE_DATA_HEADER = 0x01;
    private static final int NEXT_FACTOR_HEADER = 0x02;
    private static final int LOCAL_INFILE_HEADER = 0xfb;
    private static final int EOF_HEADER = 0xfe;
    private static final int ERR_HEADER = 0xff;
    private static final int PROGRESS_CODE = 0xffff;
    /** An EOF is shorter than this; a row that starts with 0xfe is longer. */
    private static final int EOF_LENGTH_LIMIT = 9;
    /** The shortest OK; what is shorter and starts with 0xfe is laid out as an EOF. */
    private static final int OK_MIN_LENGTH = 7;

    private final PacketFramer framer = new PacketFramer();
    private final PacketCapture capture;
    private final ResponseOutcome outcome = new ResponseOutcome();
    private final boolean deprecateEof;
    private final boolean cacheMetadata;
    private final boolean progress;

    private ResponseState state = ResponseState.IDLE;
    private Command command = Command.UNKNOWN;
    private boolean capturing;
    private boolean undecided;
    private int firstByte;
    private int firstLength;

    private int definitionsLeft;

    /**
     * A scanner for one connection to a server.
     *
     * @param capabilities the flags that both sides have set, as {@link Capability} describes
     * @param captureLimit how many bytes are kept of a packet, at least {@link #MIN_CAPTURE_LIMIT}
     * @throws IllegalArgumentException if the capabilities change the layout in a way that is not supported
     */
    public ResponseScanner(long capabilities, int captureLimit) {
        if (Capability.CLIENT_OPTIONAL_RESULTSET_METADATA.isIn(capabilities)) {
            throw new IllegalArgumentException("CLIENT_OPTIONAL_RESULTSET_METADATA must not be negotiated");
        }
        if (captureLimit < MIN_CAPTURE_LIMIT) {
            throw new IllegalArgumentException(
                    "a capture limit of " + captureLimit + " bytes is less than " + MIN_CAPTURE_LIMIT);
        }
        this.capture = new PacketCapture(captureLimit);
        this.deprecateEof = Capability.CLIENT_DEPRECATE_EOF.isIn(capabilities);
        this.cacheMetadata = Capability.MARIADB_CLIENT_CACHE_METADATA.isIn(capabilities);
        this.progress = Capability.MARIADB_CLIENT_PROGRESS.isIn(capabilities);
    }

    /**
     * Starts the response to a command.
     *
     * @return whether there is one; if not, the next command may begin at once
     * @throws IllegalStateException if the response before is not over
     */
    public boolean begin(Command newCommand) {
        if (state != ResponseState.IDLE) {
            throw new IllegalStateException(
                    newCommand + " begins while the response to " + command + " is at " + state);
        }
        command = newCommand;
        outcome.reset();
        moveTo(ResponseState.firstFor(newCommand));
        return state != ResponseState.IDLE;
    }

    /** Starts the answer to a HandshakeResponse41: it is scanned like the one to COM_CHANGE_USER. */
    public void beginAuthentication() {
        begin(Command.COM_CHANGE_USER);
    }

    /**
     * Moves the chunk's position to the next event, or to its end. Any byte order of the chunk is fine.
     *
     * @throws ProtocolException if the server sends what cannot be a response; the scanner is of no use afterwards
     */
    public ResponseEvent scan(ByteBuffer chunk) {
        while (true) {
            if (!framer.inPayload()) {
                if (state.isStream()) {
                    framer.skipWholePackets(chunk, EOF_HEADER);
                }
                if (!framer.readHeader(chunk)) {
                    return ResponseEvent.NEED_BYTES;
                }
                if (!framer.isContinuation()) {
                    undecided = true;
                }
            }
            if (undecided && !decide(chunk)) {
                return ResponseEvent.NEED_BYTES;
            }
            if (capturing) {
                capture.take(framer, chunk);
            }
            if (!framer.skip(chunk)) {
                return ResponseEvent.NEED_BYTES;
            }
            if (framer.isLastFragment()) {
                ResponseEvent event = endPacket();
                if (event != ResponseEvent.NEED_BYTES) {
                    return event;
                }
            }
        }
    }

    /** The command whose response is, or was, scanned. */
    public Command command() {
        return command;
    }

    /** Whether no response is expected. */
    public boolean isIdle() {
        return state == ResponseState.IDLE;
    }

    /** Whether the next byte starts a packet: only then bytes of our own may be inserted. */
    public boolean atPacketStart() {
        return framer.atPacketStart();
    }

    /** The sequence id of the last packet, 0 to 255; the next one has this plus 1, modulo 256. */
    public int lastSequenceId() {
        return framer.sequenceId();
    }

    /** What the last result ended with. */
    public ResponseOutcome outcome() {
        return outcome;
    }

    /**
     * A read-only view of the packet that caused the last event: OK (with the session's changes), ERR, terminator, file
     * name, AuthSwitchRequest. Valid until the next {@code begin} or {@code scan}. It does not have all bytes if {@link
     * #isTruncated}.
     */
    public ByteBuffer packet() {
        return capture.view(0);
    }

    /** Whether {@link #packet} was larger than the limit. */
    public boolean isTruncated() {
        return capture.isTruncated();
    }

    ResponseState state() {
        return state;
    }

    /** Looks at the packet's first byte, and says whether there was one to look at. */
    private boolean decide(ByteBuffer chunk) {
        firstLength = framer.length();
        if (firstLength == 0) {
            firstByte = -1;
        } else if (chunk.hasRemaining()) {
            firstByte = chunk.get(chunk.position()) & 0xff;
        } else {
            return false;
        }
        undecided = false;
        capturing = isOfInterest();
        if (capturing) {
            capture.clear();
        }
        return true;
    }

    private boolean isOfInterest() {
        if (firstByte == ERR_HEADER) {
            return true;
        }
        return switch (state) {
            case IDLE -> throw unexpected("nothing");
            case RESULT_FIRST,
                    COLUMNS_EOF,
                    FILE_RESULT,
                    OK,
                    OK_OR_EOF,
                    PREPARE_FIRST,
                    PREPARE_PARAMETERS_EOF,
                    PREPARE_COLUMNS_EOF,
                    TEXT,
                    AUTH -> true;
            case COLUMN, PREPARE_PARAMETER, PREPARE_COLUMN -> false;
            case ROW, FETCH_ROW, FIELD_LIST_COLUMN -> isTerminator();
            case BINLOG_EVENT -> isShortEof();
        };
    }

    private ResponseEvent endPacket() {
        if (firstByte == ERR_HEADER) {
            return onErr();
        }
        return switch (state) {
            case IDLE -> throw unexpected("nothing");
            case RESULT_FIRST -> onResultFirst();
            case COLUMN -> onDefinition(ResponseState.COLUMN, afterColumns());
            case COLUMNS_EOF -> onColumnsEof();
            case ROW, FETCH_ROW, FIELD_LIST_COLUMN -> isTerminator() ? onTerminator() : ResponseEvent.NEED_BYTES;
            case FILE_RESULT, OK -> onOk();
            case OK_OR_EOF -> firstByte == EOF_HEADER ? onEof() : onOk();
            case PREPARE_FIRST -> onPrepareOk();
            case PREPARE_PARAMETER -> onPrepareDefinition();
            case PREPARE_PARAMETERS_EOF -> onPrepareEof();
            case PREPARE_COLUMN -> onPrepareDefinition();
            case PREPARE_COLUMNS_EOF -> onPrepareEof();
            case TEXT -> complete(ResponseKind.TEXT);
            case AUTH -> onAuth();
            case BINLOG_EVENT -> isShortEof() ? onEof() : ResponseEvent.NEED_BYTES;
        };
    }

    private ResponseEvent onErr() {
        int code = outcome.errorCodeIn(capture);
        if (code == PROGRESS_CODE && progress && state != ResponseState.IDLE && state != ResponseState.AUTH) {
            return ResponseEvent.NEED_BYTES;
        }
        boolean unsolicited = state == ResponseState.IDLE;
        outcome.readErr(code);
        complete(ResponseKind.ERR);
        return unsolicited ? ResponseEvent.UNSOLICITED_ERR : ResponseEvent.COMPLETE;
    }

    private ResponseEvent onResultFirst() {
        outcome.reset();
        switch (firstByte) {
            case OK_HEADER -> {
                return onOk();
            }
            case LOCAL_INFILE_HEADER -> {
                moveTo(ResponseState.FILE_RESULT);
                return ResponseEvent.CLIENT_FILE_WANTED;
            }
            case EOF_HEADER -> {
                if (isShortEof()) {
                    return onEof();
                }
                throw unexpected("OK, ERR, LOCAL INFILE or a number of columns");
            }
            default -> {
                return onColumnCount();
            }
        }
    }

    private ResponseEvent onColumnCount() {
        definitionsLeft = outcome.readColumnCount(capture, cacheMetadata) ? outcome.columns() : 0;
        moveTo(definitionsLeft > 0 ? ResponseState.COLUMN : afterColumns());
        return ResponseEvent.NEED_BYTES;
    }

    private ResponseState afterColumns() {
        return deprecateEof ? ResponseState.ROW : ResponseState.COLUMNS_EOF;
    }

    private ResponseEvent onColumnsEof() {
        if (firstByte != EOF_HEADER) {
            throw unexpected("an EOF behind the column definitions");
        }
        outcome.readEof(capture);
        if (command == Command.COM_STMT_EXECUTE && StatusFlag.SERVER_STATUS_CURSOR_EXISTS.isIn(outcome.statusFlags())) {
            return complete(ResponseKind.RESULT_SET);
        }
        moveTo(ResponseState.ROW);
        return ResponseEvent.NEED_BYTES;
    }

    private ResponseEvent onTerminator() {
        readOkOrEof();
        return endResult(ResponseKind.RESULT_SET);
    }

    private ResponseEvent onEof() {
        readOkOrEof();
        return endResult(ResponseKind.EOF);
    }

    private ResponseEvent onOk() {
        if (firstByte != OK_HEADER) {
            throw unexpected("OK or ERR");
        }
        outcome.readOk(capture);
        return endResult(ResponseKind.OK);
    }

    private ResponseEvent endResult(ResponseKind ended) {
        boolean severalResults =
                state == ResponseState.RESULT_FIRST || state == ResponseState.ROW || state == ResponseState.FILE_RESULT;
        if (severalResults && StatusFlag.SERVER_MORE_RESULTS_EXISTS.isIn(outcome.statusFlags())) {
            outcome.ended(ended);
            moveTo(ResponseState.RESULT_FIRST);
            return ResponseEvent.RESULT_END;
        }
        return complete(ended);
    }

    private ResponseEvent onPrepareOk() {
        if (firstByte != OK_HEADER) {
            throw unexpected("OK or ERR for COM_STMT_PREPARE");
        }
        outcome.readPrepareOk(capture);
        return toPrepareParameters();
    }

    private ResponseEvent toPrepareParameters() {
        definitionsLeft = outcome.parameters();
        if (definitionsLeft > 0) {
            moveTo(ResponseState.PREPARE_PARAMETER);
            return ResponseEvent.NEED_BYTES;
        }
        return toPrepareColumns();
    }

    private ResponseEvent toPrepareColumns() {
        definitionsLeft = outcome.columns();
        if (definitionsLeft > 0) {
            moveTo(ResponseState.PREPARE_COLUMN);
            return ResponseEvent.NEED_BYTES;
        }
        return complete(ResponseKind.PREPARE_OK);
    }

    private ResponseEvent onPrepareDefinition() {
        boolean ofParameters = state == ResponseState.PREPARE_PARAMETER;
        if (--definitionsLeft > 0) {
            return ResponseEvent.NEED_BYTES;
        }
        if (!deprecateEof) {
            moveTo(ofParameters ? ResponseState.PREPARE_PARAMETERS_EOF : ResponseState.PREPARE_COLUMNS_EOF);
            return ResponseEvent.NEED_BYTES;
        }
        return ofParameters ? toPrepareColumns() : complete(ResponseKind.PREPARE_OK);
    }

    private ResponseEvent onPrepareEof() {
        if (firstByte != EOF_HEADER) {
            throw unexpected("an EOF behind the definitions");
        }
        boolean ofParameters = state == ResponseState.PREPARE_PARAMETERS_EOF;
        outcome.readEof(capture);
        return ofParameters ? toPrepareColumns() : complete(ResponseKind.PREPARE_OK);
    }

    private ResponseEvent onDefinition(ResponseState same, ResponseState next) {
        moveTo(--definitionsLeft > 0 ? same : next);
        return ResponseEvent.NEED_BYTES;
    }

    private ResponseEvent onAuth() {
        return switch (firstByte) {
            case OK_HEADER -> onOk();
            case EOF_HEADER, NEXT_FACTOR_HEADER -> ResponseEvent.AUTH_SWITCH;
            case MORE_DATA_HEADER -> ResponseEvent.AUTH_MORE_DATA;
            default -> throw unexpected("OK, ERR, AuthSwitchRequest or AuthMoreData");
        };
    }

    private boolean isTerminator() {
        return firstByte == EOF_HEADER && firstLength < (deprecateEof ? PacketFramer.MAX_FRAGMENT : EOF_LENGTH_LIMIT);
    }

    private boolean isShortEof() {
        return firstByte == EOF_HEADER && firstLength < EOF_LENGTH_LIMIT;
    }

    private void readOkOrEof() {
        if (deprecateEof && firstLength >= OK_MIN_LENGTH) {
            outcome.readOk(capture);
        } else {
            outcome.readEof(capture);
        }
    }

    private ResponseEvent complete(ResponseKind ended) {
        outcome.ended(ended);
        moveTo(ResponseState.IDLE);
        return ResponseEvent.COMPLETE;
    }

    private void moveTo(ResponseState next) {
        state = next;
    }

    private ProtocolException unexpected(String expected) {
        String found = firstByte < 0
                ? "an empty packet"
                : "a packet of " + firstLength + " bytes with first byte " + firstByte;
        return new ProtocolException("response to " + command + ": expected " + expected + " (" + state
                + "), but found " + found + ", sequence id " + framer.sequenceId());
    }
}
