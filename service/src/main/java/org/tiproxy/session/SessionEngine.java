package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.error.ProxyException;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.client.ComSimple;
import org.tiproxy.wire.client.SslRequest;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.OkPacket;

/**
 * One client's conversation with one backend connection. The adapter owns sockets and buffers: it reports what happens,
 * and does what {@link SessionOutput} is asked for. Events may come from any thread, but only one at a time; none blocks,
 * and none throws: whatever goes wrong ends the session in an orderly way. After the end events do nothing.
 *
 * <p>Bytes are offered with {@link #clientBytes} and {@link #backendBytes}. The engine advances the chunk's position over
 * what it has taken. Of the backend it takes all; of the client perhaps less, after it has called
 * {@link SessionOutput#pauseClient} or {@link SessionOutput#startClientTls}: then the adapter keeps the rest, and offers
 * it after {@link SessionOutput#resumeClient} together with what has come later, or hands it to TLS.
 *
 * <pre>
 * phase            cause                                             next
 * CONNECTING       {@link #backendConnected}                         GREETING
 * GREETING         HandshakeV10                                      HANDSHAKE
 * HANDSHAKE        SSLRequest                                        CLIENT_TLS
 * CLIENT_TLS       {@link #clientTlsStarted}                         HANDSHAKE
 * HANDSHAKE        HandshakeResponse41, backend with TLS             BACKEND_TLS
 * HANDSHAKE        HandshakeResponse41, backend without TLS          AUTHENTICATION
 * BACKEND_TLS      {@link #backendTlsStarted}                        AUTHENTICATION
 * AUTHENTICATION   OK                                                COMMANDS
 * COMMANDS         COM_CHANGE_USER, and nothing in flight before it  CHANGE_USER
 * CHANGE_USER      OK or ERR                                         COMMANDS
 * COMMANDS         COM_QUIT                                          QUITTING
 * any but ENDED    a close, a failure, {@link #kill}                 ENDED
 * </pre>
 *
 * <p>When the backend fails while the client is due to speak, and the client is not logged in yet, its next packet is
 * awaited first: only then does an ERR have the sequence id that it expects.
 */
public final class SessionEngine implements SessionEvents {
    private static final String QUIT = "COM_QUIT";

    private final SessionConfig config;
    private final SessionOutput output;
    private final SessionListener listener;
    private final ConnectionIds connectionIds;

    private SessionPhase phase = SessionPhase.CONNECTING;
    private boolean clientPaused;
    private boolean draining;
    private final SpokenFirst spokenFirst = new SpokenFirst();
    private @Nullable SessionFailure deferred;
    private byte @Nullable [] deferredErr;

    // Until the login is over; legs and authentication again in CHANGE_USER.
    private @Nullable LoginExchange exchange;
    private @Nullable PacketLeg clientLeg;
    private @Nullable PacketLeg backendLeg;
    private @Nullable AuthExchange authentication;

    // From the login on.
    private @Nullable Login login;
    private Bytes scramble = Bytes.EMPTY;
    private @Nullable CommandPhase commands;
    private @Nullable UserChange userChange;

    /**
     * A session whose client has connected, and whose backend is not connected yet.
     *
     * @param connectionIds for KILL
     * @param connectionId what the client is told as its connection id; high, so that no backend has it, but below 2^31,
     *     because some drivers take it for a signed number
     */
    public SessionEngine(
            SessionConfig config,
            SessionOutput output,
            SessionListener listener,
            ConnectionIds connectionIds,
            int connectionId) {
        this.config = config;
        this.output = output;
        this.listener = listener;
        this.connectionIds = connectionIds;
        LoginExchange start = new LoginExchange(config, output, listener, Integer.toUnsignedLong(connectionId));
        this.exchange = start;
        this.clientLeg = start.client();
        this.backendLeg = start.backend();
    }

    /** Where the session is. */
    @Override
    public SessionPhase phase() {
        return phase;
    }

    /** Who is logged in; null before that. */
    @Override
    public @Nullable Login login() {
        return login;
    }

    /** What is known about a transaction. */
    @Override
    public TransactionState transaction() {
        return commands == null ? TransactionState.NONE : commands.transaction();
    }

    /** The command that the backend executes, or that the client is sending; null if there is none. */
    @Override
    public @Nullable Command commandInFlight() {
        if (phase == SessionPhase.CHANGE_USER) {
            return Command.COM_CHANGE_USER;
        }
        return commands == null ? null : commands.oldestCommand();
    }

    /** How many prepared statements are open. */
    @Override
    public boolean isBusy() {
        return phase != SessionPhase.COMMANDS || present(commands).isExecuting();
    }

    @Override
    public int openStatements() {
        return commands == null ? 0 : commands.statements().openCount();
    }

    /** How many cursors of prepared statements are open. */
    @Override
    public int openCursors() {
        return commands == null ? 0 : commands.statements().cursorCount();
    }

    /** The backend's connection is up; nothing of it has been read. */
    @Override
    public void backendConnected() {
        if (phase == SessionPhase.CONNECTING) {
            moveTo(SessionPhase.GREETING);
        }
    }

    /** There is no connection to the backend, or no TLS with it, and there will be none. */
    @Override
    public void backendFailed(ProxyException cause) {
        onBackendFailure(SessionErrors.unavailable(cause));
    }

    /** The client has sent bytes; or those that were kept are offered again. See the class comment. */
    @Override
    public void clientBytes(ByteBuffer chunk) {
        try {
            readClient(chunk);
        } catch (SessionFailure e) {
            end(e);
        } catch (ProtocolException e) {
            end(ofClient(e));
        } catch (RuntimeException e) {
            end(SessionErrors.internal(e));
        }
        settle();
        if (phase == SessionPhase.ENDED) {
            chunk.position(chunk.limit());
        } else if (chunk.hasRemaining() && phase != SessionPhase.CLIENT_TLS && !clientPaused) {
            clientPaused = true;
            output.pauseClient();
        }
    }

    /** The backend has sent bytes: all are taken. */
    @Override
    public void backendBytes(ByteBuffer chunk) {
        try {
            readBackend(chunk);
        } catch (SessionFailure e) {
            end(e);
        } catch (ProtocolException e) {
            end(SessionErrors.ofBackend(e));
        } catch (RuntimeException e) {
            end(SessionErrors.internal(e));
        }
        settle();
        chunk.position(chunk.limit());
    }

    /** TLS with the client is up: what comes from now on is decrypted. */
    @Override
    public void clientTlsStarted() {
        LoginExchange current = exchange;
        if (phase == SessionPhase.CLIENT_TLS && current != null) {
            moveTo(current.onClientTls());
        }
    }

    /** TLS with the backend is up: what comes from now on is decrypted. */
    @Override
    public void backendTlsStarted() {
        LoginExchange current = exchange;
        if (phase != SessionPhase.BACKEND_TLS || current == null) {
            return;
        }
        try {
            moveTo(current.onBackendTls());
            authentication = current.authentication();
        } catch (RuntimeException e) {
            end(SessionErrors.internal(e));
        }
        settle();
    }

    /** The client's connection is closed, or broken, or TLS with it failed. */
    @Override
    public void clientClosed(String reason) {
        EndReason why = switch (phase) {
            case QUITTING -> EndReason.CLIENT_QUIT;
            case CLIENT_TLS -> EndReason.CLIENT_TLS_FAILED;
            case COMMANDS, CHANGE_USER, ENDED -> EndReason.CLIENT_CLOSED;
            case CONNECTING, GREETING, HANDSHAKE, BACKEND_TLS, AUTHENTICATION, ACQUIRING ->
                EndReason.CLOSED_BEFORE_LOGIN;
        };
        sayGoodbye();
        end(SessionFailure.silent(why, why == EndReason.CLIENT_QUIT ? QUIT : reason));
    }

    /** The backend's connection is closed, or broken, or TLS with it failed. */
    @Override
    public void backendClosed(String reason) {
        Command command = commandInFlight();
        SessionFailure failure;
        if (phase == SessionPhase.QUITTING) {
            failure = SessionFailure.silent(EndReason.CLIENT_QUIT, QUIT);
        } else if (phase == SessionPhase.COMMANDS && command == null) {
            failure = SessionFailure.silent(
                    EndReason.BACKEND_CLOSED, "the backend closed the idle connection: " + reason);
        } else {
            String when = command == null ? "in phase " + phase : "while " + command + " was in flight";
            failure = SessionFailure.told(
                    EndReason.BACKEND_CLOSED,
                    ErrorCode.ER_NET_READ_ERROR,
                    "the backend closed the connection " + when + ": " + reason);
        }
        onBackendFailure(failure);
    }

    /**
     * The time to log in is over, or that to become another user. Does nothing if the client is logged in. It should run
     * from {@link SessionPhase#HANDSHAKE} on, because before that the client waits for the backend, and again from
     * {@link SessionPhase#CHANGE_USER} on.
     */
    @Override
    public void loginTimedOut() {
        if (!phase.isBeforeLogin() && phase != SessionPhase.CHANGE_USER) {
            return;
        }
        SessionFailure earlier = deferred;
        if (earlier != null) {
            end(earlier);
            return;
        }
        boolean clientIsSlow = isClientsTurn();
        SessionFailure failure = SessionFailure.told(
                clientIsSlow ? ErrorSource.CLIENT : ErrorSource.BACKEND,
                EndReason.LOGIN_TIMED_OUT,
                ErrorCode.ER_NET_READ_INTERRUPTED,
                "the login took too long: waited for the " + (clientIsSlow ? "client" : "backend") + " in phase "
                        + phase);
        endUnasked(failure);
    }

    /** Ends the session now. The client is told the cause if it is where an ERR can be understood. */
    @Override
    public void kill(ProxyException cause) {
        sayGoodbye();
        endUnasked(SessionErrors.killed(cause));
    }

    /** Ends the session as soon as it is in no transaction and no command is in flight: perhaps at once. */
    @Override
    public void drain() {
        draining = true;
        settle();
    }

    @Override
    public void execute(String sql, Consumer<StatementOutcome> whenOver) {
        if (phase == SessionPhase.COMMANDS && present(commands).isInjectable()) {
            present(commands).inject(sql, whenOver);
        } else {
            whenOver.accept(StatementOutcome.busy());
        }
    }

    @Override
    public void cancelDrain() {
        draining = false;
    }

    private void readClient(ByteBuffer chunk) {
        while (true) {
            SessionPhase phaseBefore = phase;
            int positionBefore = chunk.position();
            switch (phase) {
                case CONNECTING, GREETING -> spokenFirst.take(chunk);
                case HANDSHAKE -> readHandshake(chunk);
                case AUTHENTICATION, CHANGE_USER -> readAuthReply(chunk);
                case COMMANDS -> {
                    present(commands).onClientBytes(chunk);
                    advance();
                }
                case CLIENT_TLS, BACKEND_TLS, ACQUIRING -> {}
                case QUITTING, ENDED -> chunk.position(chunk.limit());
            }
            if (!chunk.hasRemaining() || (phase == phaseBefore && chunk.position() == positionBefore)) {
                return;
            }
        }
    }

    private void readHandshake(ByteBuffer chunk) {
        PacketLeg leg = present(clientLeg);
        if (!leg.read(chunk)) {
            return;
        }
        byte[] packet = leg.takePayload();
        try {
            LoginExchange current = present(exchange);
            if (deferred != null && !SslRequest.matches(Bytes.of(packet, 0, Math.min(packet.length, 33)))) {
                answerDeferred();
                return;
            }
            SessionPhase next = current.onClientPacket(packet);
            if (next == SessionPhase.AUTHENTICATION) {
                authentication = current.authentication();
            }
            moveTo(next);
        } finally {
            Arrays.fill(packet, (byte) 0);
        }
    }

    private void readAuthReply(ByteBuffer chunk) {
        AuthExchange current = present(authentication);
        PacketLeg leg = present(clientLeg);
        if (!current.isClientsTurn() || !leg.read(chunk)) {
            return;
        }
        byte[] packet = leg.takePayload();
        try {
            if (deferred == null) {
                current.onClient(packet);
            } else {
                answerDeferred();
            }
        } finally {
            Arrays.fill(packet, (byte) 0);
        }
    }

    private void readBackend(ByteBuffer chunk) {
        while (chunk.hasRemaining()) {
            switch (phase) {
                case GREETING -> {
                    if (present(backendLeg).read(chunk)) {
                        moveTo(present(exchange).onGreeting(present(backendLeg).takePayload()));
                    }
                }
                case HANDSHAKE, CLIENT_TLS, AUTHENTICATION, CHANGE_USER -> {
                    if (deferred != null) {
                        return;
                    }
                    if (present(backendLeg).read(chunk)) {
                        onBackendPacket(present(backendLeg).takePayload());
                    }
                }
                case COMMANDS, QUITTING -> {
                    present(commands).onBackendBytes(chunk);
                    advance();
                }
                case CONNECTING, BACKEND_TLS, ACQUIRING ->
                    throw new ProtocolException(
                            "expected nothing in phase " + phase + ", but found " + chunk.remaining() + " bytes");
                case ENDED -> {
                    return;
                }
            }
        }
    }

    private void onBackendPacket(byte[] packet) {
        boolean err = packet.length > 0 && (packet[0] & 0xff) == ErrPacket.HEADER;
        if (isClientsTurn()) {
            if (!err) {
                throw new ProtocolException("expected nothing while the client is due to speak, but found a packet of "
                        + packet.length + " bytes");
            }
            deferred = SessionFailure.silent(EndReason.BACKEND_ENDED, LoginExchange.describe(packet));
            deferredErr = packet;
            return;
        }
        switch (present(authentication).onBackend(packet)) {
            case GOES_ON -> {}
            case LOGGED_IN -> onLoggedIn(packet);
            case REFUSED -> onLoginRefused(packet);
        }
    }

    private void onLoggedIn(byte[] packet) {
        scramble = present(authentication).scramble();
        UserChange change = userChange;
        boolean first = change == null;
        Login now = change == null ? present(exchange).login() : change.applyTo(present(login));
        login = now;
        if (first) {
            commands = new CommandPhase(config, output, listener, connectionIds, now.capabilities());
        }
        forgetExchange();
        moveTo(SessionPhase.COMMANDS);
        if (!first) {
            present(commands).onUserChanged(true);
        }
        listener.loggedIn(now);
        present(commands).onStatusFlags(OkPacket.decode(Bytes.of(packet), 0).statusFlags());
    }

    private void onLoginRefused(byte[] packet) {
        listener.loginRefused(ErrPacket.decode(Bytes.of(packet)).code());
        if (phase == SessionPhase.AUTHENTICATION) {
            throw SessionFailure.silent(
                    EndReason.LOGIN_REFUSED, "the backend refused the login: " + LoginExchange.describe(packet));
        }
        // MariaDB goes on as the user before, but all of the session's state is gone. MySQL closes.
        forgetExchange();
        moveTo(SessionPhase.COMMANDS);
        present(commands).onUserChanged(true);
    }

    private void forgetExchange() {
        exchange = null;
        clientLeg = null;
        backendLeg = null;
        authentication = null;
        userChange = null;
    }

    /** What has come of the command phase's last bytes. */
    private void advance() {
        CommandPhase current = present(commands);
        if (current.isEndedByBackend()) {
            throw SessionFailure.silent(
                    EndReason.BACKEND_ENDED, "the backend closes the connection: " + current.describeBackendsErr());
        }
        if (phase != SessionPhase.COMMANDS) {
            return;
        }
        if (current.isQuitting()) {
            moveTo(SessionPhase.QUITTING);
        } else if (current.isChangeUserDue()) {
            startChangeUser(current);
        }
    }

    private void startChangeUser(CommandPhase current) {
        int sequenceId = current.nextSequenceIdToClient();
        byte[] payload = current.takeChangeUser();
        UserChange change = new UserChange(config, output, present(login), sequenceId, payload);
        AuthExchange started = change.start(config, payload, scramble);
        Arrays.fill(payload, (byte) 0);
        if (started == null) {
            current.onUserChanged(false);
            return;
        }
        userChange = change;
        clientLeg = change.client();
        backendLeg = change.backend();
        authentication = started;
        moveTo(SessionPhase.CHANGE_USER);
    }

    private void onBackendFailure(SessionFailure failure) {
        if (phase == SessionPhase.ENDED || deferred != null) {
            return;
        }
        if (isClientsTurn()) {
            ErrorCode told = failure.told();
            deferred = failure;
            deferredErr = SessionErrors.payload(told == null ? ErrorCode.ER_NET_READ_ERROR : told, failure.text());
        } else {
            end(failure);
        }
    }

    private void answerDeferred() {
        SessionFailure failure = present(deferred);
        present(clientLeg).send(present(deferredErr));
        end(failure.silenced());
    }

    /** Whether the client, not logged in yet, is due to speak. */
    private boolean isClientsTurn() {
        return switch (phase) {
            case HANDSHAKE, CLIENT_TLS -> true;
            case AUTHENTICATION, CHANGE_USER -> present(authentication).isClientsTurn();
            case CONNECTING, GREETING, BACKEND_TLS, ACQUIRING, COMMANDS, QUITTING, ENDED -> false;
        };
    }

    private boolean wantsClient() {
        return switch (phase) {
            case AUTHENTICATION, CHANGE_USER -> present(authentication).isClientsTurn();
            case COMMANDS -> present(commands).isReading();
            case BACKEND_TLS, ACQUIRING -> false;
            case CONNECTING, GREETING, HANDSHAKE, CLIENT_TLS, QUITTING, ENDED -> true;
        };
    }

    private void settle() {
        if (phase == SessionPhase.ENDED) {
            return;
        }
        if (draining && isDrained()) {
            sayGoodbye();
            endUnasked(SessionFailure.told(
                    EndReason.DRAINED,
                    ErrorCode.ER_SERVER_SHUTDOWN,
                    "the proxy is closing this session to drain it: connect again"));
        } else if (clientPaused && wantsClient()) {
            clientPaused = false;
            output.resumeClient();
        }
    }

    private boolean isDrained() {
        CommandPhase current = commands;
        if (current == null) {
            return true;
        }
        return phase == SessionPhase.COMMANDS
                && current.isIdle()
                && current.transaction() == TransactionState.NONE
                && current.statements().cursorCount() == 0;
    }

    private SessionFailure ofClient(ProtocolException mistake) {
        if (phase == SessionPhase.HANDSHAKE) {
            EndReason foreign = ForeignProtocol.of(present(clientLeg).lastHeader());
            if (foreign != null) {
                return SessionFailure.silent(foreign, ForeignProtocol.describe(foreign));
            }
        }
        return SessionErrors.ofClient(mistake, phase.isBeforeLogin());
    }

    /** The client has not asked for this end: where it is due to speak, it expects the id behind its own. */
    private void endUnasked(SessionFailure failure) {
        PacketLeg leg = clientLeg;
        if (leg != null && isClientsTurn()) {
            leg.continueAt(leg.nextSequenceId() + 1);
        }
        end(failure);
    }

    /** Lets the backend know, if it is waiting for a command. */
    private void sayGoodbye() {
        if (phase == SessionPhase.COMMANDS && present(commands).isIdle()) {
            output.sendToBackend(ComSimple.encode(Command.COM_QUIT).toPacket(0));
        }
    }

    private void end(SessionFailure failure) {
        if (phase == SessionPhase.ENDED) {
            return;
        }
        ErrorCode told = failure.told();
        int sequenceId = nextSequenceIdToClient();
        if (told != null && sequenceId >= 0) {
            output.sendToClient(SessionErrors.packet(told, failure.text(), sequenceId));
        }
        if (exchange != null) {
            exchange.wipe();
        }
        if (authentication != null) {
            authentication.wipePassword();
        }
        forgetExchange();
        if (commands != null) {
            commands.abandonInjected("the session has ended: " + failure.text());
        }
        moveTo(SessionPhase.ENDED);
        output.end(new SessionEnd(failure.source(), failure.reason(), failure.text()));
    }

    /** The sequence id that an ERR of ours needs now; -1 if the client could not understand it. */
    private int nextSequenceIdToClient() {
        return switch (phase) {
            case CONNECTING, GREETING, HANDSHAKE, BACKEND_TLS, AUTHENTICATION, ACQUIRING, CHANGE_USER ->
                present(clientLeg).nextSequenceId();
            case COMMANDS -> present(commands).nextSequenceIdToClient();
            case CLIENT_TLS, QUITTING, ENDED -> -1;
        };
    }

    private void moveTo(SessionPhase next) {
        if (!phase.mayBecome(next)) {
            throw new IllegalStateException(phase + " cannot become " + next);
        }
        phase = next;
        listener.phaseChanged(next);
    }

    private static <T> T present(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("not present in this phase");
        }
        return value;
    }
}
