package org.tiproxy.wire;

/** How a result ended. */
public enum ResponseKind {
    /** Nothing has ended yet, or the command has no response. */
    NONE,
    /** With an OK: status flags, affected rows, last insert id and warnings are known. */
    OK,
    /** With an EOF in place of an OK: status flags and warnings are known. */
    EOF,
    /** With an ERR, perhaps after rows: the error code is known, status flags are not. */
    ERR,
    /** With the terminator of a result set: status flags and warnings are known. */
    RESULT_SET,
    /** COM_STMT_PREPARE succeeded: the statement's id and its counts are known. */
    PREPARE_OK,
    /** With a packet of bare text: COM_STATISTICS. */
    TEXT
}
