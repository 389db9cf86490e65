package org.tiproxy.wire;

import org.tiproxy.wire.protocol.Command;

/** Which packet {@link ResponseScanner} expects next: what its first byte means depends on nothing else. */
enum ResponseState {
    /** None: no command is in flight. */
    IDLE,
    /** The first packet of a result: OK, ERR, LOCAL INFILE request or the number of columns. */
    RESULT_FIRST,
    /** One of the announced column definitions. */
    COLUMN,
    /** The EOF behind the column definitions; not with CLIENT_DEPRECATE_EOF. */
    COLUMNS_EOF,
    /** A row, or the terminator. */
    ROW,
    /** OK or ERR, after the client has sent its file. */
    FILE_RESULT,
    /** OK or ERR. */
    OK,
    /** OK, EOF or ERR. */
    OK_OR_EOF,
    /** COM_STMT_PREPARE: OK with the statement's id, or ERR. */
    PREPARE_FIRST,
    /** COM_STMT_PREPARE: one of the announced parameter definitions. */
    PREPARE_PARAMETER,
    /** COM_STMT_PREPARE: the EOF behind the parameter definitions; not with CLIENT_DEPRECATE_EOF. */
    PREPARE_PARAMETERS_EOF,
    /** COM_STMT_PREPARE: one of the announced column definitions. */
    PREPARE_COLUMN,
    /** COM_STMT_PREPARE: the EOF behind the column definitions; not with CLIENT_DEPRECATE_EOF. */
    PREPARE_COLUMNS_EOF,
    /** COM_STMT_FETCH: a row, or the terminator; never another result. */
    FETCH_ROW,
    /** COM_FIELD_LIST: a column definition, or the terminator. */
    FIELD_LIST_COLUMN,
    /** COM_STATISTICS: bare text. */
    TEXT,
    /** Authentication: OK, ERR, AuthSwitchRequest, AuthMoreData. */
    AUTH,
    /** Binary log: an event, an EOF at its end, or ERR. */
    BINLOG_EVENT;

    /** Whether packets of this kind come in any number, and need no look unless their first byte is 0xfe or 0xff. */
    boolean isStream() {
        return this == ROW || this == FETCH_ROW || this == BINLOG_EVENT;
    }

    /** What a command is answered with first; {@link #IDLE} if it is not answered. */
    static ResponseState firstFor(Command command) {
        return switch (command) {
            case COM_QUIT, COM_STMT_SEND_LONG_DATA, COM_STMT_CLOSE -> IDLE;
            case COM_QUERY, COM_PROCESS_INFO, COM_STMT_EXECUTE, COM_STMT_BULK_EXECUTE, COM_MULTI -> RESULT_FIRST;
            case COM_FIELD_LIST -> FIELD_LIST_COLUMN;
            case COM_STATISTICS -> TEXT;
            case COM_CHANGE_USER -> AUTH;
            case COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID, COM_TABLE_DUMP -> BINLOG_EVENT;
            case COM_STMT_PREPARE -> PREPARE_FIRST;
            case COM_STMT_FETCH -> FETCH_ROW;
            case COM_SHUTDOWN, COM_DEBUG, COM_SET_OPTION -> OK_OR_EOF;
            case COM_SLEEP,
                    COM_INIT_DB,
                    COM_CREATE_DB,
                    COM_DROP_DB,
                    COM_REFRESH,
                    COM_CONNECT,
                    COM_PROCESS_KILL,
                    COM_PING,
                    COM_TIME,
                    COM_DELAYED_INSERT,
                    COM_CONNECT_OUT,
                    COM_REGISTER_SLAVE,
                    COM_STMT_RESET,
                    COM_DAEMON,
                    COM_RESET_CONNECTION,
                    COM_CLONE,
                    COM_SUBSCRIBE_GROUP_REPLICATION_STREAM,
                    COM_SLAVE_WORKER,
                    COM_SLAVE_IO,
                    COM_SLAVE_SQL,
                    UNKNOWN -> OK;
        };
    }
}
