package org.tiproxy.wire;

import org.tiproxy.wire.protocol.StatusFlag;

/**
 * What the server has said at the end of the last result. One object is reused for all results of a {@link
 * ResponseScanner}; what it says holds until that one's next {@code begin} or {@code scan}.
 */
public final class ResponseOutcome {
    private final PayloadReader reader = new PayloadReader("response", Bytes.EMPTY);
    private ResponseKind kind = ResponseKind.NONE;
    private int statusFlags;
    private int warnings;
    private long affectedRows;
    private long lastInsertId;
    private int errorCode;
    private int statementId;
    private int columns;
    private int parameters;

    ResponseOutcome() {}

    /** How the last result ended. */
    public ResponseKind kind() {
        return kind;
    }

    /** Status flags ({@link StatusFlag}) of the last OK, EOF or terminator; 0 after an ERR, which has none. */
    public int statusFlags() {
        return statusFlags;
    }

    /** The number of warnings in the last OK, EOF, terminator or answer to COM_STMT_PREPARE. */
    public int warnings() {
        return warnings;
    }

    /** Affected rows of the last OK; unsigned. */
    public long affectedRows() {
        return affectedRows;
    }

    /** Last insert id of the last OK; unsigned. */
    public long lastInsertId() {
        return lastInsertId;
    }

    /** The error code of the ERR; 0 if there was none. */
    public int errorCode() {
        return errorCode;
    }

    /** The id that COM_STMT_PREPARE has returned; all 32 bits count. */
    public int statementId() {
        return statementId;
    }

    /** The number of columns of the last result set or prepared statement. */
    public int columns() {
        return columns;
    }

    /** The number of parameters of the prepared statement. */
    public int parameters() {
        return parameters;
    }

    void reset() {
        kind = ResponseKind.NONE;
        statusFlags = 0;
        warnings = 0;
        affectedRows = 0;
        lastInsertId = 0;
        errorCode = 0;
        statementId = 0;
        columns = 0;
        parameters = 0;
    }

    void ended(ResponseKind how) {
        kind = how;
    }

    void readErr(int code) {
        reset();
        errorCode = code;
    }

    void readOk(PacketCapture packet) {
        PayloadReader payload = behindHeader(packet);
        affectedRows = payload.lenencInt("affected rows");
        lastInsertId = payload.lenencInt("last insert id");
        statusFlags = payload.int2("status flags");
        warnings = payload.int2("warnings");
    }

    void readEof(PacketCapture packet) {
        PayloadReader payload = behindHeader(packet);
        affectedRows = 0;
        lastInsertId = 0;
        warnings = payload.int2("warnings");
        statusFlags = payload.int2("status flags");
    }

    void readPrepareOk(PacketCapture packet) {
        PayloadReader payload = behindHeader(packet);
        statementId = payload.int4("statement id");
        columns = payload.int2("number of columns");
        parameters = payload.int2("number of parameters");
        if (payload.remaining() >= 3) {
            payload.skip(1, "filler");
            warnings = payload.int2("warnings");
        }
    }

    /** Reads the number of columns, and returns whether their definitions follow. */
    boolean readColumnCount(PacketCapture packet, boolean tellsWhetherMetadataFollows) {
        reader.reset(packet.array(), 0, packet.length());
        columns = (int) reader.lenencInt("number of columns");
        return !tellsWhetherMetadataFollows || !reader.hasRemaining() || reader.int1("metadata follows") != 0;
    }

    int errorCodeIn(PacketCapture packet) {
        return behindHeader(packet).int2("error code");
    }

    private PayloadReader behindHeader(PacketCapture packet) {
        reader.reset(packet.array(), 0, packet.length());
        reader.skip(1, "header");
        return reader;
    }
}
