package org.tiproxy.wire;

/** What {@link CommandScanner#scan} has come to; the chunk's position is right behind it. */
public enum CommandEvent {
    /** The chunk is used up. */
    NEED_BYTES,
    /** The head of a command is known: its command byte and as many bytes as were asked for. */
    COMMAND_HEAD,
    /** The command is over. */
    COMMAND_END,
    /** The client has sent the last, empty, packet of its file. */
    FILE_END,
    /** A packet of the authentication is over. */
    AUTH_REPLY_END
}
