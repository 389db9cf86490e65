package org.tiproxy.wire;

import java.nio.ByteBuffer;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.protocol.ErrorCode;

/**
 * Finds the commands in what a client sends in the command phase, in a stream of bytes that arrives in chunks of any
 * size. Several commands may follow each other without waiting. Of each command only the head is kept: the header, the
 * command byte and the next bytes, as many as the caller has asked for.
 *
 * <p>Use: {@link #scan} with each chunk. A command causes {@link CommandEvent#COMMAND_HEAD} as soon as its head has
 * arrived, and {@link CommandEvent#COMMAND_END}. Up to the head nothing may be forwarded; then the caller forwards
 * {@link #heldBytes}, which repeat what the chunks up to the position contained of this command, and afterwards the
 * ranges between the chunk's positions. When the server asks for a file or for an authentication packet, the caller
 * says so ({@link #expectFile}, {@link #expectAuthReply}) before it scans on.
 *
 * <pre>
 * expected    packet                 next        event
 * COMMAND     any                    COMMAND     COMMAND_HEAD, later COMMAND_END
 * FILE        with content           FILE
 * FILE        empty                  COMMAND     FILE_END
 * AUTH_REPLY  any                    COMMAND     AUTH_REPLY_END
 * COMMAND     (expectFile)           FILE
 * COMMAND     (expectAuthReply)      AUTH_REPLY
 * </pre>
 *
 * <p>Sequence ids are checked, as servers do: a command starts at 0, what answers the server goes on behind the
 * server's packet, and each fragment adds 1, modulo 256.
 *
 * <p>Not safe for use by several threads.
 */
public final class CommandScanner {
    /** The smallest limit of a head: a command byte and the id of a prepared statement. */
    public static final int MIN_HEAD_LIMIT = 5;

    private enum Expected {
        COMMAND,
        FILE,
        AUTH_REPLY
    }

    private final PacketFramer framer = new PacketFramer();
    private final PacketCapture held;
    private Expected expected = Expected.COMMAND;
    private int nextSequenceId;
    private boolean headPending;
    private boolean empty;
    private Command command = Command.UNKNOWN;

    /** A scanner whose heads have up to {@code headLimit} bytes of payload, at least {@link #MIN_HEAD_LIMIT}. */
    public CommandScanner(int headLimit) {
        if (headLimit < MIN_HEAD_LIMIT || headLimit >= PacketFramer.MAX_FRAGMENT) {
            throw new IllegalArgumentException("a head limit of " + headLimit + " bytes is not between "
                    + MIN_HEAD_LIMIT + " and " + (PacketFramer.MAX_FRAGMENT - 1));
        }
        this.held = new PacketCapture(PacketFramer.HEADER_LENGTH + headLimit);
    }

    /**
     * Moves the chunk's position to the next event, or to its end. Any byte order of the chunk is fine.
     *
     * @throws ProtocolException if a sequence id is wrong: servers answer with ERR 1156 and close
     */
    public CommandEvent scan(ByteBuffer chunk) {
        while (true) {
            if (!framer.inPayload()) {
                if (!framer.readHeader(chunk)) {
                    return CommandEvent.NEED_BYTES;
                }
                startFragment();
            }
            if (headPending) {
                held.take(framer, chunk);
                int headLength = held.length() - PacketFramer.HEADER_LENGTH;
                if (headLength < framer.length() && !held.isFull()) {
                    return CommandEvent.NEED_BYTES;
                }
                headPending = false;
                command = headLength > 0 ? Command.of(held.array()[PacketFramer.HEADER_LENGTH]) : Command.UNKNOWN;
                return CommandEvent.COMMAND_HEAD;
            }
            if (!framer.skip(chunk)) {
                return CommandEvent.NEED_BYTES;
            }
            if (framer.isLastFragment()) {
                CommandEvent event = endPacket();
                if (event != CommandEvent.NEED_BYTES) {
                    return event;
                }
            }
        }
    }

    /**
     * The server has sent a LOCAL INFILE request: what follows is the file.
     *
     * @param sequenceId of the client's first packet: the server's plus 1, modulo 256
     * @throws ProtocolException if the client is in the middle of another command already
     */
    public void expectFile(int sequenceId) {
        expect(Expected.FILE, sequenceId);
    }

    /**
     * The server waits for one packet of the authentication within COM_CHANGE_USER.
     *
     * @param sequenceId of the client's packet: the server's plus 1, modulo 256
     * @throws ProtocolException if the client is in the middle of another command already
     */
    public void expectAuthReply(int sequenceId) {
        expect(Expected.AUTH_REPLY, sequenceId);
    }

    /** The server has ended the command before the client has answered: what follows is a command again. */
    public void expectCommand() {
        expect(Expected.COMMAND, 0);
    }

    /** The command whose head has been seen last. */
    public Command command() {
        return command;
    }

    /** Whether the head is long enough to hold the id of a prepared statement. */
    public boolean hasStatementId() {
        return command.namesStatement() && held.length() >= PacketFramer.HEADER_LENGTH + MIN_HEAD_LIMIT;
    }

    /**
     * The id of the prepared statement, all 32 bits of it; MariaDB uses -1 for the one prepared last.
     *
     * @throws ProtocolException if the command has none, or is too short for it
     */
    public int statementId() {
        if (!hasStatementId()) {
            throw new ProtocolException(command + ": expected 4 bytes of statement id at offset 1, but its head has "
                    + (held.length() - PacketFramer.HEADER_LENGTH) + " bytes");
        }
        return new PayloadReader("head", held.array(), PacketFramer.HEADER_LENGTH + 1, 4).int4("statement id");
    }

    /** A read-only view of the head's payload, from the command byte on; valid until the next {@code scan}. */
    public ByteBuffer head() {
        return held.view(PacketFramer.HEADER_LENGTH);
    }

    /** The number of bytes in the head's payload. */
    public int headLength() {
        return held.length() - PacketFramer.HEADER_LENGTH;
    }

    /** One byte of the head's payload, 0 to 255, without making a view of it. */
    public int headByte(int index) {
        return held.array()[PacketFramer.HEADER_LENGTH + index] & 0xff;
    }

    /** Whether the head is the whole command. */
    public boolean isHeadComplete() {
        return !headPending && framer.isLastFragment() && framer.length() == held.length() - PacketFramer.HEADER_LENGTH;
    }

    /** A read-only view of header and head: what the chunks held of this command; valid until the next {@code scan}. */
    public ByteBuffer heldBytes() {
        return held.view(0);
    }

    /** Whether the next byte starts a packet. */
    public boolean atPacketStart() {
        return framer.atPacketStart();
    }

    /** The sequence id of the last packet, 0 to 255; the server's answer starts with this plus 1, modulo 256. */
    public int lastSequenceId() {
        return framer.sequenceId();
    }

    private void startFragment() {
        if (framer.sequenceId() != nextSequenceId) {
            throw new ProtocolException(
                    ErrorCode.ER_NET_PACKETS_OUT_OF_ORDER,
                    "expected sequence id " + nextSequenceId + " of a packet from the client (" + expected
                            + "), but found " + framer.sequenceId() + " on one of " + framer.length() + " bytes");
        }
        nextSequenceId = (nextSequenceId + 1) & 0xff;
        if (framer.isContinuation()) {
            return;
        }
        empty = framer.length() == 0;
        if (expected == Expected.COMMAND) {
            headPending = true;
            held.clear();
            int length = framer.length();
            held.add(length);
            held.add(length >> 8);
            held.add(length >> 16);
            held.add(framer.sequenceId());
        }
    }

    private CommandEvent endPacket() {
        return switch (expected) {
            case COMMAND -> {
                nextSequenceId = 0;
                yield CommandEvent.COMMAND_END;
            }
            case FILE -> {
                if (!empty) {
                    yield CommandEvent.NEED_BYTES;
                }
                moveTo(Expected.COMMAND, 0);
                yield CommandEvent.FILE_END;
            }
            case AUTH_REPLY -> {
                moveTo(Expected.COMMAND, 0);
                yield CommandEvent.AUTH_REPLY_END;
            }
        };
    }

    private void expect(Expected next, int sequenceId) {
        if (!framer.atPacketStart()) {
            throw new ProtocolException(
                    ErrorCode.ER_NET_PACKETS_OUT_OF_ORDER,
                    "expected sequence id " + sequenceId + " (" + next
                            + "), but the client is in the middle of a packet " + "with sequence id "
                            + framer.sequenceId() + " (" + expected + ")");
        }
        moveTo(next, sequenceId & 0xff);
    }

    private void moveTo(Expected next, int sequenceId) {
        expected = next;
        nextSequenceId = sequenceId;
    }
}
