package org.tiproxy.session;

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
        long backendId = kill == null ? 0 : connectionIds.backendIdOf(kill.id());
        if (kill == null || backendId == 0) {
            return null;
        }
        return new PayloadWriter()
                .int1(Command.COM_QUERY.code())
                .bytes(Arrays.copyOf(sql, kill.start()))
                .string(Long.toUnsignedString(backendId))
                .bytes(Arrays.copyOfRange(sql, kill.end(), sql.length))
                .toPacket(commands.lastSequenceId());
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
        if (backendId == 0 || backendId >>> 32 != 0) {
            return null;
        }
        return new PayloadWriter()
                .int1(Command.COM_PROCESS_KILL.code())
                .int4((int) backendId)
                .toPacket(commands.lastSequenceId());
    }
}
