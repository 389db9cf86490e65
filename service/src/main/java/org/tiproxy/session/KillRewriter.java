package org.tiproxy.session;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.CommandScanner;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Command;

/**
 * Clients know the proxy's connection ids, backends their own: a command that kills one of our sessions is rewritten, and
 * sent over the session's own connection, so that the backend checks the privileges and answers.
 */
final class KillRewriter {
    private final CommandScanner commands;
    private final ConnectionIds connectionIds;

    KillRewriter(CommandScanner commands, ConnectionIds connectionIds) {
        this.commands = commands;
        this.connectionIds = connectionIds;
    }

    /** The packet that takes the place of the command whose head has been scanned last; null if that passes as it is. */
    @Nullable
    ByteBuffer rewritten() {
        if (!commands.isHeadComplete() || commands.headLength() < 2) {
            return null;
        }
        return switch (commands.command()) {
            case COM_QUERY -> KillStatement.mayStartWith(commands.headByte(1)) ? query() : null;
            case COM_PROCESS_KILL -> processKill();
            default -> null;
        };
    }

    private @Nullable ByteBuffer query() {
        ByteBuffer head = commands.head();
        head.get();
        byte[] sql = new byte[head.remaining()];
        head.get(sql);
        KillStatement kill = KillStatement.find(sql);
        if (kill == null) {
            return null;
        }
        long backendId = connectionIds.backendIdOf(kill.id());
        if (backendId == 0) {
            boolean begun = connectionIds.killElsewhere(kill.id(), id -> new String(replaced(sql, kill, id), UTF_8));
            return begun ? nothing() : null;
        }
        return new PayloadWriter()
                .int1(Command.COM_QUERY.code())
                .bytes(replaced(sql, kill, backendId))
                .toPacket(commands.lastSequenceId());
    }

    private static byte[] replaced(byte[] sql, KillStatement kill, long id) {
        byte[] digits = Long.toUnsignedString(id).getBytes(UTF_8);
        byte[] rest = Arrays.copyOfRange(sql, kill.end(), sql.length);
        byte[] all = Arrays.copyOf(sql, kill.start() + digits.length + rest.length);
        System.arraycopy(digits, 0, all, kill.start(), digits.length);
        System.arraycopy(rest, 0, all, kill.start() + digits.length, rest.length);
        return all;
    }

    /** What this session's backend answers like a KILL that has worked. */
    private ByteBuffer nothing() {
        return new PayloadWriter().int1(Command.COM_QUERY.code()).string("DO 0").toPacket(commands.lastSequenceId());
    }

    private @Nullable ByteBuffer processKill() {
        if (commands.headLength() != CommandScanner.MIN_HEAD_LIMIT) {
            return null;
        }
        long id = 0;
        for (int i = CommandScanner.MIN_HEAD_LIMIT - 1; i > 0; i--) {
            id = id << 8 | commands.headByte(i);
        }
        long backendId = connectionIds.backendIdOf(id);
        if (backendId == 0 && connectionIds.killElsewhere(id, other -> "KILL " + other)) {
            return nothing();
        }
        if (backendId == 0 || backendId >>> 32 != 0) {
            return null;
        }
        return new PayloadWriter()
                .int1(Command.COM_PROCESS_KILL.code())
                .int4((int) backendId)
                .toPacket(commands.lastSequenceId());
    }
}
