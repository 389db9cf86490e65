package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.CommandEvent;
import org.tiproxy.wire.CommandScanner;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.ResponseEvent;
import org.tiproxy.wire.ResponseOutcome;
import org.tiproxy.wire.ResponseScanner;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.protocol.ErrorCode;

/**
 * The command phase: forwards what both sides send, and knows where each command and each response ends. Only these are
 * touched: a KILL that names one of our sessions, and COM_CHANGE_USER, which is held until all responses before it are
 * over.
 */
final class CommandPhase {
    /** A KILL with a comment of usual length in front of it, or the name of a schema, fits. */
    private static final int HEAD_LIMIT = 256;

    private static final int CAPTURE_LIMIT = 512;
    private static final int SEQUENCE_MASK = 0xff;

    private final SessionOutput output;
    private final SessionListener listener;
    private final KillRewriter kills;
    private final SchemaTracker schemas;
    private final int maxInFlight;
    private final int maxChangeUser;
    private final boolean keepsBackend;
    private final CommandScanner commands = new CommandScanner(HEAD_LIMIT);
    private final ResponseScanner responses;
    private final InjectedStatement injected;
    private final CommandQueue inFlight = new CommandQueue();
    private final PreparedStatements statements = new PreparedStatements();
    private final TransactionTracker transactions = new TransactionTracker();

    // The client's side. Indices are those of the present chunk.
    private int forwardedToBackend;
    private boolean awaitingHead = true;
    private boolean headInEarlierChunk;
    private boolean answeredEarly;
    private boolean sendingFile;
    private boolean quitting;
    private boolean multiStatementsChanged;
    private @Nullable Command leavesTraces;
    private byte @Nullable [] changeUser;
    private boolean changeUserComplete;

    // The backend's side.
    private int forwardedToClient;
    private boolean responseStarted;
    private boolean clientSpokeLast;
    private boolean endedByBackend;

    CommandPhase(
            SessionConfig config,
            SessionOutput output,
            SessionListener listener,
            ConnectionIds connectionIds,
            long capabilities) {
        this(config, output, listener, connectionIds, capabilities, false);
    }

    /**
     * A phase in front of its first command.
     *
     * @param keepsBackend whether the backend connection outlives the session: then COM_QUIT is not for the backend
     */
    CommandPhase(
            SessionConfig config,
            SessionOutput output,
            SessionListener listener,
            ConnectionIds connectionIds,
            long capabilities,
            boolean keepsBackend) {
        this.keepsBackend = keepsBackend;
        this.output = output;
        this.listener = listener;
        this.kills = new KillRewriter(commands, connectionIds);
        this.schemas = new SchemaTracker(listener, capabilities);
        this.maxInFlight = config.maxCommandsInFlight();
        this.maxChangeUser = config.maxLoginPacket();
        this.responses = new ResponseScanner(capabilities, CAPTURE_LIMIT);
        this.injected = new InjectedStatement(output, responses);
    }

    PreparedStatements statements() {
        return statements;
    }

    TransactionState transaction() {
        return transactions.state();
    }

    /** Whether COM_QUIT has been seen. */
    boolean isQuitting() {
        return quitting;
    }

    /** Whether the backend has said with an ERR of its own accord that it closes. */
    boolean isEndedByBackend() {
        return endedByBackend;
    }

    /** Whether no command is in flight, or on its way, not even in part. */
    boolean isIdle() {
        return isClientIdle() && !injected.isRunning();
    }

    /** Whether the backend has something to do, and not only the client something to send. */
    boolean isExecuting() {
        return !inFlight.isEmpty() || injected.isRunning();
    }

    private boolean isClientIdle() {
        return inFlight.isEmpty() && changeUser == null && !sendingFile && commands.atPacketStart() && awaitingHead;
    }

    /** Whether the client has gone and all of its commands are answered. */
    boolean hasQuit() {
        return quitting && inFlight.isEmpty();
    }

    /** Whether COM_SET_OPTION has been used. */
    boolean isMultiStatementsChanged() {
        return multiStatementsChanged;
    }

    /** Why the backend's connection cannot serve others, for people; null if nothing speaks against it. */
    @Nullable
    String reasonToClose() {
        if (endedByBackend) {
            return "the backend closes it";
        }
        if (!inFlight.isEmpty()) {
            return inFlight.command() + " was in flight";
        }
        if (injected.isRunning()) {
            return "a statement of the proxy's own was in flight";
        }
        if (sendingFile || changeUser != null || !(quitting || (commands.atPacketStart() && awaitingHead))) {
            return "a command was on its way";
        }
        if (!responses.atPacketStart()) {
            return "the backend was in the middle of a packet";
        }
        if (statements.cursorCount() > 0) {
            return statements.cursorCount() + " cursors were open";
        }
        return leavesTraces == null ? null : leavesTraces + " was used";
    }

    /** The command that is executed, or the one that the client is sending; null if there is none. */
    @Nullable
    Command oldestCommand() {
        if (!inFlight.isEmpty()) {
            return inFlight.command();
        }
        return isClientIdle() ? null : commands.command();
    }

    /** Whether a statement of the proxy's own would disturb nobody now. */
    boolean isInjectable() {
        return isIdle()
                && !quitting
                && !endedByBackend
                && responses.atPacketStart()
                && transaction() == TransactionState.NONE;
    }

    /** Runs a statement of the proxy's own; the client is not read until its response is over. */
    void inject(String sql, Consumer<StatementOutcome> whenOver) {
        injected.start(sql, whenOver);
    }

    /** The session ends before the response to a statement of the proxy's own is over. */
    void abandonInjected(String why) {
        injected.abandon(why);
    }

    /** Whether a COM_CHANGE_USER is complete and everything before it is answered. */
    boolean isChangeUserDue() {
        return changeUserComplete && inFlight.isEmpty() && responses.atPacketStart();
    }

    /** The payload of the COM_CHANGE_USER; the caller overwrites it. */
    byte[] takeChangeUser() {
        byte[] payload = changeUser == null ? new byte[0] : changeUser;
        changeUser = null;
        changeUserComplete = false;
        return payload;
    }

    /** The exchange that COM_CHANGE_USER has begun is over. */
    void onUserChanged(boolean wiped) {
        listener.commandEnded(Command.COM_CHANGE_USER);
        if (wiped) {
            statements.clear();
            if (transactions.reset()) {
                listener.transactionChanged(transactions.state());
            }
        }
    }

    /** Status flags have come in a packet that was not scanned here. */
    void onStatusFlags(int statusFlags) {
        if (transactions.onFlags(statusFlags)) {
            listener.transactionChanged(transactions.state());
        }
    }

    /** Whether more of the client may be read now. */
    boolean isReading() {
        boolean betweenCommands = awaitingHead && !headInEarlierChunk;
        return !quitting
                && !injected.isRunning()
                && !changeUserComplete
                && (inFlight.size() < maxInFlight || !betweenCommands);
    }

    /** The sequence id that an ERR of ours to the client needs now; -1 if none may be inserted. */
    int nextSequenceIdToClient() {
        if (injected.isRunning()) {
            return 0;
        }
        if (!responses.atPacketStart()) {
            return -1;
        }
        int last;
        if (clientSpokeLast) {
            last = commands.lastSequenceId();
        } else if (inFlight.isEmpty()) {
            last = isClientIdle() ? -1 : commands.lastSequenceId();
        } else {
            last = responseStarted ? responses.lastSequenceId() : inFlight.sequenceId();
        }
        return (last + 1) & SEQUENCE_MASK;
    }

    void onClientBytes(ByteBuffer chunk) {
        forwardedToBackend = chunk.position();
        while (isReading()) {
            int start = chunk.position();
            CommandEvent event;
            try {
                event = commands.scan(chunk);
            } catch (ProtocolException e) {
                forwardToBackend(start);
                // The answer to a packet out of order follows it, whatever was expected.
                clientSpokeLast = inFlight.isEmpty();
                awaitingHead = false;
                throw e;
            }
            switch (event) {
                case NEED_BYTES -> {
                    if (awaitingHead) {
                        forwardToBackend(start);
                        headInEarlierChunk |= chunk.position() > start;
                    } else {
                        passOn(chunk);
                    }
                    return;
                }
                case COMMAND_HEAD -> onHead(chunk, start);
                case COMMAND_END -> onCommandEnd(chunk);
                case FILE_END, AUTH_REPLY_END -> {
                    sendingFile = false;
                    awaitingHead = true;
                }
            }
        }
        passOn(chunk);
    }

    void onBackendBytes(ByteBuffer chunk) {
        injected.readResponse(chunk);
        if (injected.isRunning()) {
            return;
        }
        forwardedToClient = chunk.position();
        while (!isChangeUserDue()) {
            int start = chunk.position();
            boolean atPacketStart = responses.atPacketStart();
            ResponseEvent event;
            try {
                event = responses.scan(chunk);
            } catch (ProtocolException e) {
                if (atPacketStart) {
                    forwardToClient(start);
                }
                throw e;
            }
            if (chunk.position() > start) {
                responseStarted = true;
                clientSpokeLast = false;
            }
            switch (event) {
                case NEED_BYTES -> {
                    forwardToClient(chunk.position());
                    return;
                }
                case RESULT_END -> onResult();
                case CLIENT_FILE_WANTED -> {
                    // Whole, whatever comes of it: its header may have been passed on before, and an ERR of ours
                    // follows.
                    forwardToClient(chunk.position());
                    onFileWanted();
                }
                case COMPLETE -> {
                    onResult();
                    onResponseEnd();
                }
                case UNSOLICITED_ERR -> {
                    endedByBackend = true;
                    forwardToClient(chunk.position());
                    return;
                }
                case AUTH_SWITCH, AUTH_MORE_DATA ->
                    throw new IllegalStateException(event + " in the response to " + responses.command());
            }
        }
        forwardToClient(chunk.position());
    }

    /** The last packet the backend has sent, an ERR. */
    String describeBackendsErr() {
        ByteBuffer packet = responses.packet();
        byte[] err = new byte[packet.remaining()];
        packet.get(err);
        return LoginExchange.describe(err);
    }

    private void onHead(ByteBuffer chunk, int start) {
        awaitingHead = false;
        boolean split = headInEarlierChunk;
        headInEarlierChunk = false;
        Command command = commands.command();
        listener.commandBegun(command);
        if (command == Command.COM_CHANGE_USER) {
            forwardToBackend(start);
            forwardedToBackend = chunk.position();
            changeUser = copyOf(commands.head());
            return;
        }
        if (command == Command.COM_QUIT && keepsBackend) {
            // Nothing of this packet, nor what the client may send behind it, is for the backend.
            forwardToBackend(start);
            forwardedToBackend = chunk.position();
            quitting = true;
            listener.commandEnded(command);
            return;
        }
        ByteBuffer rewritten = kills.rewritten();
        if (rewritten != null) {
            forwardToBackend(start);
            output.sendToBackend(rewritten);
            forwardedToBackend = chunk.position();
        } else if (split) {
            output.sendToBackend(commands.heldBytes());
            forwardedToBackend = chunk.position();
        }
        begin(command);
    }

    private void begin(Command command) {
        int statementId = commands.hasStatementId() ? commands.statementId() : 0;
        statements.onCommand(command, statementId);
        if (!isAnswered(command)) {
            return;
        }
        if (command == Command.COM_INIT_DB) {
            schemas.onInitDb(commands);
        }
        multiStatementsChanged |= command == Command.COM_SET_OPTION;
        if (leavesTraces(command)) {
            leavesTraces = command;
        }
        answeredEarly = false;
        inFlight.add(command, commands.lastSequenceId(), statementId);
        if (inFlight.size() == 1) {
            beginResponse();
        }
    }

    private void onCommandEnd(ByteBuffer chunk) {
        awaitingHead = true;
        Command command = commands.command();
        if (changeUser != null) {
            passOn(chunk);
            changeUserComplete = true;
            return;
        }
        if (!isAnswered(command)) {
            listener.commandEnded(command);
            quitting = command == Command.COM_QUIT;
        } else if (!answeredEarly) {
            inFlight.newestEndedWith(commands.lastSequenceId());
        }
    }

    private void onFileWanted() {
        if (inFlight.size() > 1 || !commands.atPacketStart() || headInEarlierChunk) {
            throw SessionFailure.told(
                    EndReason.CLIENT_PROTOCOL_ERROR,
                    ErrorCode.ER_NET_PACKETS_OUT_OF_ORDER,
                    "the backend asks for a file (LOAD DATA LOCAL), but the client has sent further commands already");
        }
        commands.expectFile(responses.lastSequenceId() + 1);
        sendingFile = true;
        clientSpokeLast = true;
        awaitingHead = false;
    }

    private void onResult() {
        ResponseOutcome outcome = responses.outcome();
        if (transactions.onResult(outcome.kind(), outcome.statusFlags())) {
            listener.transactionChanged(transactions.state());
        }
        schemas.onResult(responses);
    }

    private void onResponseEnd() {
        Command command = inFlight.command();
        statements.onResponse(command, inFlight.statementId(), responses.outcome());
        if (command == Command.COM_INIT_DB) {
            schemas.onInitDbAnswered(responses.outcome().kind());
        }
        boolean commandGoesOn = !awaitingHead && !sendingFile && inFlight.size() == 1;
        answeredEarly = commandGoesOn;
        inFlight.removeOldest();
        listener.commandEnded(command);
        if (!inFlight.isEmpty()) {
            beginResponse();
        }
    }

    private void beginResponse() {
        responses.begin(inFlight.command());
        responseStarted = false;
    }

    /** Passes everything before the chunk's position on: to the backend, or to the COM_CHANGE_USER that is held. */
    private void passOn(ByteBuffer chunk) {
        if (changeUser == null) {
            forwardToBackend(chunk.position());
            return;
        }
        int count = chunk.position() - forwardedToBackend;
        if (changeUser.length + count > maxChangeUser) {
            throw SessionFailure.told(
                    EndReason.CLIENT_PROTOCOL_ERROR,
                    ErrorCode.ER_NET_PACKET_TOO_LARGE,
                    "expected a COM_CHANGE_USER of at most " + maxChangeUser + " bytes, but found "
                            + (changeUser.length + count));
        }
        byte[] larger = Arrays.copyOf(changeUser, changeUser.length + count);
        chunk.get(forwardedToBackend, larger, changeUser.length, count);
        Arrays.fill(changeUser, (byte) 0);
        changeUser = larger;
        forwardedToBackend = chunk.position();
    }

    private void forwardToBackend(int end) {
        if (end > forwardedToBackend) {
            output.forwardToBackend(forwardedToBackend, end);
            forwardedToBackend = end;
        }
    }

    private void forwardToClient(int end) {
        if (end > forwardedToClient) {
            output.forwardToClient(forwardedToClient, end);
            forwardedToClient = end;
        }
    }

    /** Commands behind which nobody knows for sure what a connection is good for. */
    private static boolean leavesTraces(Command command) {
        return switch (command) {
            case COM_QUIT,
                    COM_INIT_DB,
                    COM_QUERY,
                    COM_FIELD_LIST,
                    COM_REFRESH,
                    COM_STATISTICS,
                    COM_PROCESS_INFO,
                    COM_PROCESS_KILL,
                    COM_PING,
                    COM_CHANGE_USER,
                    COM_STMT_PREPARE,
                    COM_STMT_EXECUTE,
                    COM_STMT_SEND_LONG_DATA,
                    COM_STMT_CLOSE,
                    COM_STMT_RESET,
                    COM_SET_OPTION,
                    COM_STMT_FETCH,
                    COM_RESET_CONNECTION,
                    COM_STMT_BULK_EXECUTE -> false;
            default -> true;
        };
    }

    private static boolean isAnswered(Command command) {
        return command != Command.COM_QUIT
                && command != Command.COM_STMT_CLOSE
                && command != Command.COM_STMT_SEND_LONG_DATA;
    }

    private static byte[] copyOf(ByteBuffer view) {
        byte[] copy = new byte[view.remaining()];
        view.get(copy);
        return copy;
    }
}
