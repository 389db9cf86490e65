package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.error.ProxyException;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.client.ComChangeUser;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.HandshakeV10;
import org.tiproxy.wire.server.OkPacket;

/**
 * One client's conversation over a backend connection that is borrowed from a pool: it is acquired when the client has
 * said who it is, and given back when the client is gone. Events and bytes are as in {@link SessionEngine}; the backend's
 * connecting, TLS and login are not the session's business, see {@link BackendLogin} and {@link ConnectionCleaner}.
 *
 * <p>With known users the proxy authenticates the client, and acquires a connection on which that user is logged in. In
 * pass-through it acquires one on which anybody may be logged in, or nobody yet, and lets the backend authenticate the
 * client on it ({@link LoginRelay}).
 *
 * <pre>
 * phase            cause                                                    next
 * CONNECTING       {@link #greet}                                           HANDSHAKE
 * HANDSHAKE        SSLRequest                                               CLIENT_TLS
 * CLIENT_TLS       {@link #clientTlsStarted}                                HANDSHAKE
 * HANDSHAKE        HandshakeResponse41, another plugin is to be used        AUTHENTICATION
 * HANDSHAKE        HandshakeResponse41 of a known user, or pass-through     ACQUIRING
 * AUTHENTICATION   a known user's last packet                               ACQUIRING
 * ACQUIRING        {@link #backendAcquired}, known user                     COMMANDS
 * ACQUIRING        {@link #backendAcquired}, pass-through                   AUTHENTICATION
 * AUTHENTICATION   the backend closes before its first packet               ACQUIRING
 * AUTHENTICATION   OK of the backend                                        COMMANDS
 * COMMANDS         COM_CHANGE_USER, and nothing in flight before it         CHANGE_USER
 * CHANGE_USER      a known user's last packet                               ACQUIRING; the connection is given back
 * CHANGE_USER      OK or ERR of the backend                                 COMMANDS
 * COMMANDS         COM_QUIT, and commands before it are in flight           QUITTING
 * any but ENDED    COM_QUIT, a close, a failure, {@link #kill}              ENDED; the connection is given back
 * </pre>
 */
public final class PooledSessionEngine implements SessionEvents {
    private final PooledConfig pooled;
    private final SessionConfig config;
    private final SessionOutput output;
    private final SessionListener listener;
    private final ConnectionIds connectionIds;
    private final int connectionId;
    private final Supplier<ClientOrigin> origin;
    private final Scrambles scrambles;
    private final SpokenFirst spokenFirst = new SpokenFirst();
    private final PacketLeg clientLeg;

    private SessionPhase phase = SessionPhase.CONNECTING;
    private boolean clientPaused;
    private boolean draining;
    private @Nullable ClientHandshake handshake;

    // The login, the first one or that of a COM_CHANGE_USER. With known users the authentication is ours, otherwise the
    // relayed one is the backend's, or the change of user is.
    private String user = "";
    private @Nullable ClientAuthentication authentication;
    private @Nullable BackendRequest request;
    private @Nullable LoginRelay relay;
    private @Nullable UserChange userChange;
    private @Nullable AuthExchange changeExchange;

    // While a backend connection is ours.
    private @Nullable BackendConnectionInfo backend;
    private @Nullable String spoilt;

    // From the first login on.
    private @Nullable Login login;
    private long capabilities;
    private @Nullable CommandPhase commands;

    /**
     * A session whose client has connected.
     *
     * @param connectionId what the client is told as its connection id, as in {@link SessionEngine}
     * @param origin where the client comes from; asked when it has begun to log in, and must not change then
     */
    public PooledSessionEngine(
            PooledConfig pooled,
            SessionOutput output,
            SessionListener listener,
            ConnectionIds connectionIds,
            int connectionId,
            Supplier<ClientOrigin> origin) {
        this.pooled = pooled;
        this.config = pooled.session();
        this.output = output;
        this.listener = listener;
        this.connectionIds = connectionIds;
        this.connectionId = connectionId;
        this.origin = origin;
        this.scrambles = new Scrambles(pooled.random());
        this.clientLeg = new PacketLeg(config.maxLoginPacket(), true, output::sendToClient);
    }

    @Override
    public SessionPhase phase() {
        return phase;
    }

    @Override
    public @Nullable Login login() {
        return login;
    }

    @Override
    public TransactionState transaction() {
        return commands == null ? TransactionState.NONE : commands.transaction();
    }

    @Override
    public @Nullable Command commandInFlight() {
        if (phase == SessionPhase.CHANGE_USER) {
            return Command.COM_CHANGE_USER;
        }
        return commands == null ? null : commands.oldestCommand();
    }

    @Override
    public boolean isBusy() {
        return phase != SessionPhase.COMMANDS || present(commands).isExecuting();
    }

    @Override
    public int openStatements() {
        return commands == null ? 0 : commands.statements().openCount();
    }

    @Override
    public int openCursors() {
        return commands == null ? 0 : commands.statements().cursorCount();
    }

    /** What the backend greets with is known, from this connection or an earlier one: the client can be greeted. */
    public void greet(HandshakeV10 remembered) {
        if (phase != SessionPhase.CONNECTING) {
            return;
        }
        ClientHandshake started = new ClientHandshake(config, output, clientLeg, remembered, connectionId, scrambles);
        handshake = started;
        started.greet();
        moveTo(SessionPhase.HANDSHAKE);
        settle();
    }

    /**
     * The requested connection is there, and as the request wants it.
     *
     * @return whether the session still wants it; if not, the adapter keeps it
     */
    public boolean backendAcquired(BackendConnectionInfo info) {
        if (phase != SessionPhase.ACQUIRING || backend != null) {
            return false;
        }
        backend = info;
        // Until the check has passed: others who ask for the same would not get on with it either.
        spoilt = "the backend has other capabilities than it was asked for";
        try {
            listener.backendGreeted(info.threadId(), info.greeting().serverVersion());
            if (pooled.users() == null) {
                startRelay(info);
            } else {
                startCommands(info);
            }
        } catch (SessionFailure e) {
            end(e);
        } catch (ProtocolException e) {
            end(SessionErrors.ofBackend(e));
        } catch (RuntimeException e) {
            end(SessionErrors.internal(e));
        }
        settle();
        return true;
    }

    /** The backend has refused the login, or the schema: the client is told in the backend's words. */
    public void backendRefused(ErrPacket err) {
        if (phase != SessionPhase.ACQUIRING) {
            return;
        }
        listener.loginRefused(err.code());
        clientLeg.send(err.encode().toByteArray());
        end(SessionFailure.silent(
                EndReason.LOGIN_REFUSED,
                "the backend refused the proxy's login for the user: ERR " + err.code() + " " + err.message()));
    }

    @Override
    public void backendFailed(ProxyException cause) {
        if (phase == SessionPhase.CONNECTING || phase == SessionPhase.ACQUIRING) {
            end(SessionErrors.unavailable(cause));
        }
    }

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

    @Override
    public void backendBytes(ByteBuffer chunk) {
        try {
            readBackend(chunk);
        } catch (SessionFailure e) {
            end(e);
        } catch (ProtocolException e) {
            spoilt = "the backend has broken the protocol";
            end(SessionErrors.ofBackend(e));
        } catch (RuntimeException e) {
            spoilt = "internal error of the proxy";
            end(SessionErrors.internal(e));
        }
        settle();
        chunk.position(chunk.limit());
    }

    @Override
    public void clientTlsStarted() {
        if (phase == SessionPhase.CLIENT_TLS) {
            present(handshake).onTls();
            moveTo(SessionPhase.HANDSHAKE);
        }
    }

    @Override
    public void clientClosed(String reason) {
        EndReason why = switch (phase) {
            case QUITTING -> EndReason.CLIENT_QUIT;
            case CLIENT_TLS -> EndReason.CLIENT_TLS_FAILED;
            case COMMANDS, CHANGE_USER, ENDED -> EndReason.CLIENT_CLOSED;
            case CONNECTING, GREETING, HANDSHAKE, BACKEND_TLS, AUTHENTICATION, ACQUIRING ->
                login == null ? EndReason.CLOSED_BEFORE_LOGIN : EndReason.CLIENT_CLOSED;
        };
        end(SessionFailure.silent(why, reason));
    }

    @Override
    public void backendClosed(String reason) {
        if (backend == null || phase == SessionPhase.ENDED) {
            return;
        }
        spoilt = "the backend has closed it: " + reason;
        LoginRelay current = relay;
        if (phase == SessionPhase.AUTHENTICATION && current != null && current.isReplaceable()) {
            giveBack();
            acquire(present(request).withFresh());
            return;
        }
        Command command = commandInFlight();
        if (phase == SessionPhase.COMMANDS && command == null) {
            end(SessionFailure.silent(EndReason.BACKEND_CLOSED, "the backend closed the idle connection: " + reason));
            return;
        }
        String when = command == null ? "in phase " + phase : "while " + command + " was in flight";
        endUnasked(SessionFailure.told(
                EndReason.BACKEND_CLOSED,
                ErrorCode.ER_NET_READ_ERROR,
                "the backend closed the connection " + when + ": " + reason));
    }

    @Override
    public void loginTimedOut() {
        boolean logsIn = phase.isBeforeLogin() && login == null;
        if (!logsIn && phase != SessionPhase.CHANGE_USER) {
            return;
        }
        boolean clientIsSlow = isClientsTurn();
        String waitedFor =
                phase == SessionPhase.ACQUIRING ? "a backend connection" : clientIsSlow ? "the client" : "the backend";
        endUnasked(SessionFailure.told(
                clientIsSlow ? ErrorSource.CLIENT : ErrorSource.BACKEND,
                EndReason.LOGIN_TIMED_OUT,
                ErrorCode.ER_NET_READ_INTERRUPTED,
                "the login took too long: waited for " + waitedFor + " in phase " + phase));
    }

    @Override
    public void kill(ProxyException cause) {
        endUnasked(SessionErrors.killed(cause));
    }

    @Override
    public void drain() {
        draining = true;
        settle();
    }

    @Override
    public void cancelDrain() {
        draining = false;
    }

    @Override
    public void execute(String sql, Consumer<StatementOutcome> whenOver) {
        if (phase == SessionPhase.COMMANDS && present(commands).isInjectable()) {
            present(commands).inject(sql, whenOver);
        } else {
            whenOver.accept(StatementOutcome.busy());
        }
    }

    // ---- the client's side

    private void readClient(ByteBuffer chunk) {
        while (true) {
            SessionPhase phaseBefore = phase;
            int positionBefore = chunk.position();
            switch (phase) {
                case CONNECTING, GREETING -> spokenFirst.take(chunk);
                case HANDSHAKE -> readPacket(chunk, this::onHandshakePacket);
                case AUTHENTICATION, CHANGE_USER -> {
                    if (isClientsTurn()) {
                        readPacket(chunk, this::onAuthReply);
                    }
                }
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

    private interface PacketEvent {
        void on(byte[] packet);
    }

    private void readPacket(ByteBuffer chunk, PacketEvent event) {
        PacketLeg leg = clientLeg();
        if (!leg.read(chunk)) {
            return;
        }
        byte[] packet = leg.takePayload();
        try {
            event.on(packet);
        } finally {
            Arrays.fill(packet, (byte) 0);
        }
    }

    private void onHandshakePacket(byte[] packet) {
        ClientHandshake current = present(handshake);
        if (!current.onPacket(packet)) {
            moveTo(SessionPhase.CLIENT_TLS);
            return;
        }
        HandshakeResponse41 response = current.response();
        user = response.user().utf8();
        capabilities = current.capabilities();
        UserStore users = pooled.users();
        if (users == null) {
            if (!Capability.CLIENT_PLUGIN_AUTH.isIn(capabilities)) {
                throw SessionFailure.told(
                        EndReason.MALFORMED_LOGIN,
                        ErrorCode.ER_NOT_SUPPORTED_AUTH_MODE,
                        "the client does not support authentication plugins (CLIENT_PLUGIN_AUTH), without which its "
                                + "login cannot pass to a pooled connection");
            }
            acquire(new BackendRequest(
                    PoolKey.ofPassThrough(capabilities),
                    response.schema().utf8(),
                    null,
                    !mayShare(),
                    response.collationId()));
            return;
        }
        ClientAuthentication started = authenticate(users);
        onAuthentication(
                started,
                started.start(response.authPluginName(), response.authResponse(), current.scramble()),
                requestFor(response.schema(), response.collationId()),
                SessionPhase.AUTHENTICATION);
    }

    private void onAuthReply(byte[] packet) {
        ClientAuthentication own = authentication;
        if (own != null) {
            onAuthentication(own, own.onPacket(packet), present(request), phase);
        } else {
            exchange().onClient(packet);
        }
    }

    private ClientAuthentication authenticate(UserStore users) {
        ClientHandshake current = present(handshake);
        return new ClientAuthentication(
                clientLeg, users.find(user), current.tls(), current.understandsMoreData(), config.rsaKeys(), scrambles);
    }

    private BackendRequest requestFor(Bytes schema, int collationId) {
        return new BackendRequest(PoolKey.ofUser(user, capabilities, collationId), schema.utf8(), null, false);
    }

    /** What a known user's packet has led to, at the beginning or in a COM_CHANGE_USER. */
    private void onAuthentication(
            ClientAuthentication current,
            ClientAuthentication.Progress progress,
            BackendRequest wanted,
            SessionPhase goesOnIn) {
        authentication = current;
        request = wanted;
        switch (progress) {
            case GOES_ON -> {
                if (phase != goesOnIn) {
                    moveTo(goesOnIn);
                }
            }
            case REFUSED -> {
                listener.loginRefused(ErrorCode.ER_ACCESS_DENIED_ERROR.code());
                throw SessionFailure.told(
                        EndReason.LOGIN_REFUSED,
                        ErrorCode.ER_ACCESS_DENIED_ERROR,
                        "Access denied for user '" + user + "'@'" + origin.get().host() + "' (using password: "
                                + current.usingPassword() + ")");
            }
            case VERIFIED -> {
                authentication = null;
                BackendCredentials credentials = current.credentials();
                if (credentials == null) {
                    throw SessionFailure.told(
                            ErrorSource.PROXY,
                            EndReason.AUTHENTICATION_IMPOSSIBLE,
                            ErrorCode.ER_NOT_SUPPORTED_AUTH_MODE,
                            "the proxy knows of user '" + user + "' only what checks a login, and cannot log in to "
                                    + "the backend with it: give it the password");
                }
                giveBack();
                acquire(new BackendRequest(wanted.key(), wanted.schema(), credentials, false));
            }
        }
    }

    // ---- the backend's side

    private void acquire(BackendRequest wanted) {
        request = wanted;
        relay = null;
        moveTo(SessionPhase.ACQUIRING);
        output.acquireBackend(wanted);
    }

    private void startCommands(BackendConnectionInfo info) {
        checkCapabilities(info, info.capabilities());
        spoilt = null;
        OkPacket ok = present(info.ok());
        // The text may be a hash over the certificate of the backend, which is not the one that the client has seen.
        byte[] answer = new OkPacket(
                        OkPacket.HEADER, 0, 0, ok.statusFlags(), ok.warnings(), Bytes.EMPTY, ok.sessionChanges())
                .encode(capabilities)
                .toByteArray();
        clientLeg.send(answer);
        onLoggedIn(info, ok.statusFlags());
    }

    private void startRelay(BackendConnectionInfo info) {
        ClientHandshake current = present(handshake);
        LoginRelay started = new LoginRelay(
                config,
                output,
                clientLeg,
                current.tls(),
                current.response(),
                present(request).key(),
                info);
        checkCapabilities(info, started.capabilities());
        relay = started;
        spoilt = "a login was under way";
        moveTo(SessionPhase.AUTHENTICATION);
        started.start();
    }

    private void checkCapabilities(BackendConnectionInfo info, long negotiated) {
        if (!PoolKey.sameEffect(negotiated, capabilities & present(handshake).advertised())) {
            throw SessionFailure.told(
                    EndReason.BACKEND_PROTOCOL_ERROR,
                    ErrorCode.ER_NET_READ_ERROR,
                    "the backend " + info.greeting().displayVersion() + " has other capabilities (0x"
                            + Long.toHexString(negotiated) + ") than the one in whose name the client was greeted (0x"
                            + Long.toHexString(capabilities) + "): connect again");
        }
    }

    private void readBackend(ByteBuffer chunk) {
        while (chunk.hasRemaining() && backend != null) {
            switch (phase) {
                case AUTHENTICATION -> {
                    PacketLeg leg = present(relay).backend();
                    if (leg.read(chunk)) {
                        onRelayedPacket(leg.takePayload());
                    }
                }
                case CHANGE_USER -> {
                    UserChange change = userChange;
                    if (change == null) {
                        throw new ProtocolException("expected nothing before the change of user, but found "
                                + chunk.remaining() + " bytes");
                    }
                    if (change.backend().read(chunk)) {
                        onChangePacket(change, change.backend().takePayload());
                    }
                }
                case COMMANDS, QUITTING -> {
                    present(commands).onBackendBytes(chunk);
                    advance();
                }
                case CONNECTING, GREETING, HANDSHAKE, CLIENT_TLS, BACKEND_TLS, ACQUIRING, ENDED -> {
                    return;
                }
            }
        }
    }

    private void onRelayedPacket(byte[] packet) {
        checkTurn(packet);
        LoginRelay current = present(relay);
        switch (current.onBackend(packet)) {
            case GOES_ON -> {}
            case LOGGED_IN -> {
                BackendConnectionInfo info = current.loggedIn();
                relay = null;
                spoilt = mayShare() ? null : "the client's login was sent without TLS";
                onLoggedIn(info, current.statusFlags());
            }
            case REFUSED -> {
                spoilt = "a failed login";
                listener.loginRefused(ErrPacket.decode(Bytes.of(packet)).code());
                throw SessionFailure.silent(
                        EndReason.LOGIN_REFUSED, "the backend refused the login: " + LoginExchange.describe(packet));
            }
        }
    }

    private void onChangePacket(UserChange change, byte[] packet) {
        checkTurn(packet);
        switch (exchange().onBackend(packet)) {
            case GOES_ON -> {}
            case LOGGED_IN -> {
                Login now = change.applyTo(present(login));
                login = now;
                listener.loggedIn(now);
                endChange();
                present(commands)
                        .onStatusFlags(OkPacket.decode(Bytes.of(packet), 0).statusFlags());
            }
            case REFUSED -> {
                // Three of them, and MariaDB refuses all that follow.
                spoilt = "a failed COM_CHANGE_USER";
                listener.loginRefused(ErrPacket.decode(Bytes.of(packet)).code());
                endChange();
            }
        }
    }

    private void endChange() {
        userChange = null;
        changeExchange = null;
        moveTo(SessionPhase.COMMANDS);
        present(commands).onUserChanged(true);
    }

    private void checkTurn(byte[] packet) {
        if (isClientsTurn()) {
            throw new ProtocolException("expected nothing while the client is due to speak, but found a packet of "
                    + packet.length + " bytes");
        }
    }

    private void onLoggedIn(BackendConnectionInfo info, int statusFlags) {
        backend = info;
        Login now = new Login(
                String.valueOf(info.user()),
                info.schema(),
                info.capabilities(),
                info.greeting().serverVersion(),
                info.family(),
                info.threadId(),
                present(handshake).tls(),
                info.tls());
        login = now;
        CommandPhase before = commands;
        CommandPhase started = new CommandPhase(config, output, listener, connectionIds, info.capabilities(), true);
        commands = started;
        moveTo(SessionPhase.COMMANDS);
        if (before != null) {
            before.onUserChanged(true);
        }
        listener.loggedIn(now);
        started.onStatusFlags(statusFlags);
    }

    // ---- commands

    private void advance() {
        CommandPhase current = present(commands);
        if (current.isEndedByBackend()) {
            throw SessionFailure.silent(
                    EndReason.BACKEND_ENDED, "the backend closes the connection: " + current.describeBackendsErr());
        }
        if (current.hasQuit()) {
            throw SessionFailure.silent(EndReason.CLIENT_QUIT, "COM_QUIT");
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
        try {
            UserStore users = pooled.users();
            if (users == null) {
                relayChangeUser(current, sequenceId, payload);
                return;
            }
            ComChangeUser change = ComChangeUser.decode(Bytes.of(payload), capabilities);
            clientLeg.continueAt(sequenceId);
            moveTo(SessionPhase.CHANGE_USER);
            user = change.user().utf8();
            ClientAuthentication started = authenticate(users);
            int collationId =
                    change.collationId() == 0 ? present(handshake).response().collationId() : change.collationId();
            onAuthentication(
                    started,
                    started.startAfresh(change.authPluginName()),
                    requestFor(change.schema(), collationId),
                    SessionPhase.CHANGE_USER);
        } finally {
            Arrays.fill(payload, (byte) 0);
        }
    }

    private void relayChangeUser(CommandPhase current, int sequenceId, byte[] payload) {
        UserChange change = new UserChange(config, output, present(login), sequenceId, payload);
        AuthExchange started =
                change.start(config, payload, present(backend).greeting().authPluginData());
        if (started == null) {
            current.onUserChanged(false);
            return;
        }
        userChange = change;
        changeExchange = started;
        moveTo(SessionPhase.CHANGE_USER);
    }

    // ---- turns, and the end

    /** The backend's authentication of the client, in the login or in a change of user. */
    private AuthExchange exchange() {
        LoginRelay current = relay;
        return current == null ? present(changeExchange) : current.authentication();
    }

    /** Where whole packets are exchanged with the client; a relayed change of user has its own. */
    private PacketLeg clientLeg() {
        UserChange change = userChange;
        return change == null ? clientLeg : change.client();
    }

    /** Whether sharing the connection afterwards gives nothing away: see {@link LoginRelay}. */
    private boolean mayShare() {
        return origin.get().isPrivate() || present(handshake).tls();
    }

    private boolean isClientsTurn() {
        return switch (phase) {
            case HANDSHAKE, CLIENT_TLS -> true;
            case AUTHENTICATION, CHANGE_USER ->
                authentication != null || (pooled.users() == null && exchange().isClientsTurn());
            case CONNECTING, GREETING, BACKEND_TLS, ACQUIRING, COMMANDS, QUITTING, ENDED -> false;
        };
    }

    private boolean wantsClient() {
        return switch (phase) {
            case AUTHENTICATION, CHANGE_USER -> isClientsTurn();
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
            EndReason foreign = ForeignProtocol.of(clientLeg.lastHeader());
            if (foreign != null) {
                return SessionFailure.silent(foreign, "the client does not speak MySQL");
            }
        }
        return SessionErrors.ofClient(mistake, login == null);
    }

    /** The client has not asked for this end: where it is due to speak, it expects the id behind its own. */
    private void endUnasked(SessionFailure failure) {
        PacketLeg leg = clientLeg();
        if (isClientsTurn()) {
            leg.continueAt(leg.nextSequenceId() + 1);
        }
        end(failure);
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
        giveBack();
        if (commands != null) {
            commands.abandonInjected("the session has ended: " + failure.text());
        }
        if (relay != null) {
            relay.authentication().wipePassword();
        }
        handshake = null;
        authentication = null;
        relay = null;
        userChange = null;
        changeExchange = null;
        moveTo(SessionPhase.ENDED);
        output.end(new SessionEnd(failure.source(), failure.reason(), failure.text()));
    }

    /** Gives the backend connection back, if there is one. */
    private void giveBack() {
        BackendConnectionInfo info = backend;
        if (info == null) {
            return;
        }
        backend = null;
        CommandPhase current = commands;
        String reason = spoilt;
        if (reason == null && changeExchange != null) {
            reason = "a COM_CHANGE_USER was under way";
        }
        if (reason == null && current != null && phase != SessionPhase.ACQUIRING) {
            reason = current.reasonToClose();
        }
        boolean multiStatements = current != null && current.isMultiStatementsChanged();
        output.releaseBackend(new BackendRelease(info, reason == null, reason == null ? "" : reason, multiStatements));
    }

    /** The sequence id that an ERR of ours needs now; -1 if the client could not understand it. */
    private int nextSequenceIdToClient() {
        return switch (phase) {
            case CONNECTING, GREETING, HANDSHAKE, BACKEND_TLS, AUTHENTICATION, ACQUIRING, CHANGE_USER ->
                clientLeg().nextSequenceId();
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
