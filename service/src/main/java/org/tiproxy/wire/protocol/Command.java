package org.tiproxy.wire.protocol;

import java.util.Arrays;

/** The command byte: the first byte of the first packet that a client sends for each command. */
public enum Command {
    /** Internal to the server; refused with ERR 1047. */
    COM_SLEEP(0x00),
    /** Ends the session; the server closes the connection without an answer. */
    COM_QUIT(0x01),
    /** Changes the default schema. */
    COM_INIT_DB(0x02),
    /** One or several statements as text. */
    COM_QUERY(0x03),
    /** The columns of a table; deprecated. */
    COM_FIELD_LIST(0x04),
    /** Creates a schema; removed from the servers. */
    COM_CREATE_DB(0x05),
    /** Drops a schema; removed from the servers. */
    COM_DROP_DB(0x06),
    /** FLUSH and RESET; deprecated. */
    COM_REFRESH(0x07),
    /** Stops the server; deprecated. */
    COM_SHUTDOWN(0x08),
    /** One line of statistics as bare text. */
    COM_STATISTICS(0x09),
    /** SHOW PROCESSLIST; deprecated. */
    COM_PROCESS_INFO(0x0a),
    /** Internal to the server. */
    COM_CONNECT(0x0b),
    /** KILL of a connection id; deprecated. */
    COM_PROCESS_KILL(0x0c),
    /** Makes the server write debug information to its log. */
    COM_DEBUG(0x0d),
    /** Does the connection live? */
    COM_PING(0x0e),
    /** Internal to the server. */
    COM_TIME(0x0f),
    /** Internal to the server. */
    COM_DELAYED_INSERT(0x10),
    /** Logs in again on the same connection. */
    COM_CHANGE_USER(0x11),
    /** Streams the binary log. */
    COM_BINLOG_DUMP(0x12),
    /** Streams a table; removed from the servers. */
    COM_TABLE_DUMP(0x13),
    /** Internal to the server. */
    COM_CONNECT_OUT(0x14),
    /** Registers a replica. */
    COM_REGISTER_SLAVE(0x15),
    /** Prepares a statement. */
    COM_STMT_PREPARE(0x16),
    /** Executes a prepared statement. */
    COM_STMT_EXECUTE(0x17),
    /** Sends a part of a parameter's value; never answered. */
    COM_STMT_SEND_LONG_DATA(0x18),
    /** Closes a prepared statement; never answered. */
    COM_STMT_CLOSE(0x19),
    /** Forgets the long data and the cursor of a prepared statement. */
    COM_STMT_RESET(0x1a),
    /** Turns several statements per COM_QUERY on or off. */
    COM_SET_OPTION(0x1b),
    /** Fetches rows from the cursor of a prepared statement. */
    COM_STMT_FETCH(0x1c),
    /** Internal to the server. */
    COM_DAEMON(0x1d),
    /** Streams the binary log from a GTID on; MySQL only. */
    COM_BINLOG_DUMP_GTID(0x1e),
    /** Resets the session's state without logging in again. */
    COM_RESET_CONNECTION(0x1f),
    /** Copies a whole server; MySQL only. */
    COM_CLONE(0x20),
    /** Internal to MySQL's group replication. */
    COM_SUBSCRIBE_GROUP_REPLICATION_STREAM(0x21),
    /** Executes a prepared statement with many rows of parameters; MariaDB only. */
    COM_STMT_BULK_EXECUTE(0xfa),
    /** Internal to MariaDB. */
    COM_SLAVE_WORKER(0xfb),
    /** Internal to MariaDB. */
    COM_SLAVE_IO(0xfc),
    /** Internal to MariaDB. */
    COM_SLAVE_SQL(0xfd),
    /** Several commands in one; MariaDB, never released. */
    COM_MULTI(0xfe),
    /** No command byte at all (an empty packet), or one that no server knows: answered with ERR 1047. */
    UNKNOWN(-1);

    private static final Command[] BY_CODE = new Command[256];

    static {
        Arrays.fill(BY_CODE, UNKNOWN);
        for (Command command : values()) {
            if (command.code >= 0) {
                BY_CODE[command.code] = command;
            }
        }
    }

    private final int code;

    Command(int code) {
        this.code = code;
    }

    /** The command byte, 0 to 255; -1 for {@link #UNKNOWN}. */
    public int code() {
        return code;
    }

    /** The command of a command byte; {@link #UNKNOWN} if there is none. */
    public static Command of(byte code) {
        return BY_CODE[code & 0xff];
    }

    /** Whether bytes 1 to 4 of the payload are the id of a prepared statement. */
    public boolean namesStatement() {
        return switch (this) {
            case COM_STMT_EXECUTE,
                    COM_STMT_SEND_LONG_DATA,
                    COM_STMT_CLOSE,
                    COM_STMT_RESET,
                    COM_STMT_FETCH,
                    COM_STMT_BULK_EXECUTE -> true;
            default -> false;
        };
    }
}
