package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.client.ComChangeUser;
import org.tiproxy.wire.client.ComInitDb;
import org.tiproxy.wire.client.ComQuery;
import org.tiproxy.wire.client.ComSetOption;
import org.tiproxy.wire.client.ComSimple;
import org.tiproxy.wire.client.ConnectionAttributes;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.EofPacket;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.OkPacket;

/**
 * Makes a used backend connection equal to a new one. No I/O, no threads: the adapter offers what it reads, sends what it
 * is given, and looks at the state after each event. No event throws.
 *
 * <p>With credentials it is COM_CHANGE_USER, also to the same user: other than COM_RESET_CONNECTION it brings back the
 * default role, schema and character set, and it finds out whether the account still exists. Without credentials, in
 * pass-through, it is COM_RESET_CONNECTION, which is enough to free what the session held; the next login is a change of
 * user. Around them go the steps of {@link CleaningStep}; what comes before the authentication goes out in one write.
 *
 * <p>What no command brings back: {@code init_connect} is not run again, and a change of the global defaults shows, as it
 * does on a new connection.
 *
 * <pre>
 * state    event                                                      next
 * RUNNING  all steps have succeeded                                   CLEAN
 * RUNNING  ERR to COM_INIT_DB                                         REFUSED: unchanged, but this schema cannot be had
 * RUNNING  any other ERR, profiles, or what cannot be understood      FAILED
 * </pre>
 */
public final class ConnectionCleaner {
    /** Where the cleaning is. */
    public enum State {
        /** Answers are due. */
        RUNNING,
        /** The connection is as the request wants it: see {@link ConnectionCleaner#result}. */
        CLEAN,
        /** The connection is as it was, but not what the request wants: see {@link ConnectionCleaner#failure}. */
        REFUSED,
        /** The connection must be closed: see {@link ConnectionCleaner#failure}. */
        FAILED
    }

    private static final int MAX_LENGTH = 64 * 1024;
    private static final byte[] SHOW_PROFILES = query("SHOW PROFILES");
    private static final byte[] IGNORE_SPACE = query(CleaningStep.SET_IGNORE_SPACE);
    private static final byte[] SET_ROLE_NONE = query("SET ROLE NONE");

    private final BackendConnectionInfo before;
    private final BackendRequest wanted;
    private final ConnectionAttributes attributes;
    private final PacketLeg leg;
    private final Deque<CleaningStep> due = new ArrayDeque<>();
    private State state = State.CLEAN;
    private int packetsOfStep;
    private @Nullable CredentialLogin login;
    private BackendConnectionInfo result;
    private @Nullable ErrPacket failure;

    private ConnectionCleaner(
            BackendConnectionInfo before,
            BackendRequest wanted,
            ConnectionAttributes attributes,
            Consumer<ByteBuffer> output) {
        this.before = before;
        this.wanted = wanted;
        this.attributes = attributes;
        this.leg = new PacketLeg(MAX_LENGTH, false, output);
        this.result = before;
    }

    /**
     * Cleans a connection that a session has given back as reusable. Sends at once.
     *
     * @param served the request that the connection has served
     * @param attributes what the proxy says about itself, as in {@link BackendLogin}
     * @param output as in {@link BackendLogin}
     * @throws IllegalArgumentException if the connection is not reusable
     */
    public static ConnectionCleaner afterUse(
            BackendRelease release,
            BackendRequest served,
            ConnectionAttributes attributes,
            Consumer<ByteBuffer> output) {
        BackendConnectionInfo info = release.info();
        if (!release.reusable() || !info.isLoggedIn()) {
            throw new IllegalArgumentException("not reusable: " + release.reason());
        }
        ConnectionCleaner cleaner = new ConnectionCleaner(info, served, attributes, output);
        cleaner.plan(CleaningStep.SHOW_PROFILES);
        cleaner.plan(CleaningStep.SET_ROLE_NONE);
        if (release.multiStatementsChanged()) {
            cleaner.plan(CleaningStep.SET_OPTION);
        }
        if (served.credentials() == null) {
            cleaner.plan(CleaningStep.RESET_CONNECTION);
        } else {
            cleaner.planChangeOfUser();
        }
        cleaner.start();
        return cleaner;
    }

    /**
     * Makes a clean connection what a request wants: nothing to do as a rule, then it is CLEAN at once. Another schema
     * costs a COM_INIT_DB, another user or collation a COM_CHANGE_USER. In pass-through there is never anything to do.
     */
    public static ConnectionCleaner beforeUse(
            BackendConnectionInfo info,
            BackendRequest request,
            ConnectionAttributes attributes,
            Consumer<ByteBuffer> output) {
        ConnectionCleaner cleaner = new ConnectionCleaner(info, request, attributes, output);
        if (request.credentials() != null) {
            boolean same =
                    request.key().user().equals(info.user()) && request.key().collationId() == info.collationId();
            if (!same || (request.schema().isEmpty() && !info.schema().isEmpty())) {
                cleaner.plan(CleaningStep.SET_ROLE_NONE);
                cleaner.planChangeOfUser();
            } else if (!request.schema().equals(info.schema())) {
                cleaner.plan(CleaningStep.INIT_DB);
            }
        }
        cleaner.start();
        return cleaner;
    }

    /** Where the cleaning is. */
    public State state() {
        return state;
    }

    /** The connection as it is now; only when {@link State#CLEAN} or {@link State#REFUSED}. */
    public BackendConnectionInfo result() {
        if (state == State.RUNNING || state == State.FAILED) {
            throw new IllegalStateException("no result in state " + state);
        }
        return result;
    }

    /** The backend's ERR, or one of ours with the cause; only when {@link State#REFUSED} or {@link State#FAILED}. */
    public ErrPacket failure() {
        ErrPacket err = failure;
        if (err == null) {
            throw new IllegalStateException("no failure in state " + state);
        }
        return err;
    }

    /** The backend has sent bytes: all are taken. */
    public void bytes(ByteBuffer chunk) {
        try {
            while (chunk.hasRemaining() && state == State.RUNNING) {
                if (leg.read(chunk)) {
                    onPacket(leg.takePayload());
                }
            }
            if (chunk.hasRemaining() && state == State.CLEAN) {
                throw new ProtocolException(
                        "cleaning: expected nothing behind it, but found " + chunk.remaining() + " bytes");
            }
        } catch (RuntimeException e) {
            fail(State.FAILED, CredentialLogin.errOf(e));
        }
        chunk.position(chunk.limit());
    }

    private void plan(CleaningStep step) {
        if (step.appliesTo(before.greeting())) {
            due.add(step);
        }
    }

    private void planChangeOfUser() {
        plan(CleaningStep.CHANGE_USER);
        if (Capability.CLIENT_IGNORE_SPACE.isIn(before.capabilities())) {
            plan(CleaningStep.IGNORE_SPACE);
        }
    }

    /** Servers answer one command after the other, so all go out together up to an authentication. */
    private void start() {
        if (due.isEmpty()) {
            return;
        }
        moveTo(State.RUNNING);
        try {
            for (CleaningStep step : due) {
                send(step);
                if (step == CleaningStep.CHANGE_USER) {
                    break;
                }
            }
        } catch (RuntimeException e) {
            fail(State.FAILED, CredentialLogin.errOf(e));
        }
    }

    private void send(CleaningStep step) {
        leg.continueAt(0);
        switch (step) {
            case SHOW_PROFILES -> leg.send(SHOW_PROFILES);
            case SET_ROLE_NONE -> leg.send(SET_ROLE_NONE);
            case SET_OPTION -> {
                boolean on = Capability.CLIENT_MULTI_STATEMENTS.isIn(before.capabilities());
                leg.send(new ComSetOption(
                                on
                                        ? ComSetOption.MYSQL_OPTION_MULTI_STATEMENTS_ON
                                        : ComSetOption.MYSQL_OPTION_MULTI_STATEMENTS_OFF)
                        .encode()
                        .toByteArray());
            }
            case RESET_CONNECTION ->
                leg.send(ComSimple.encode(Command.COM_RESET_CONNECTION).toByteArray());
            case INIT_DB ->
                leg.send(new ComInitDb(Bytes.ofUtf8(wanted.schema())).encode().toByteArray());
            case CHANGE_USER -> sendChangeUser();
            case IGNORE_SPACE -> leg.send(IGNORE_SPACE);
        }
    }

    private void sendChangeUser() {
        BackendCredentials credentials = wanted.credentials();
        if (credentials == null) {
            throw new IllegalStateException("no credentials");
        }
        CredentialLogin started = new CredentialLogin(leg, credentials, before.tls(), before.greeting());
        byte[] payload = new ComChangeUser(
                        Bytes.ofUtf8(credentials.user()),
                        started.firstReply(),
                        Bytes.ofUtf8(wanted.schema()),
                        wanted.key().collationId(),
                        started.plugin().text(),
                        attributes)
                .encode(before.capabilities())
                .toByteArray();
        leg.send(payload);
        Arrays.fill(payload, (byte) 0);
        login = started;
    }

    private void onPacket(byte[] packet) {
        CleaningStep step = due.element();
        packetsOfStep++;
        boolean err = packet.length > 0 && (packet[0] & 0xff) == ErrPacket.HEADER;
        if (step == CleaningStep.CHANGE_USER && login != null) {
            switch (login.onPacket(packet)) {
                case GOES_ON -> {}
                case LOGGED_IN -> {
                    onChanged(wanted.key().user(), wanted.key().collationId(), packet);
                    stepDone();
                }
                case REFUSED -> fail(State.FAILED, ErrPacket.decode(Bytes.of(packet)));
            }
        } else if (step == CleaningStep.SHOW_PROFILES) {
            onProfiles(packet, err);
        } else if (err) {
            fail(step == CleaningStep.INIT_DB ? State.REFUSED : State.FAILED, ErrPacket.decode(Bytes.of(packet)));
        } else {
            expectOk(step, packet);
            if (step == CleaningStep.INIT_DB) {
                onChanged(String.valueOf(before.user()), before.collationId(), packet);
            }
            stepDone();
        }
    }

    /** A server that was built without profiling answers with an ERR. */
    private void onProfiles(byte[] packet, boolean err) {
        int expected = CleaningStep.packetsWithoutProfiles(before.capabilities());
        boolean terminator = packet.length > 0 && (packet[0] & 0xff) == EofPacket.HEADER;
        if (err && packetsOfStep == 1) {
            stepDone();
        } else if (packetsOfStep == expected) {
            if (!terminator) {
                throw new ProtocolException(
                        "cleaning: the session has used SET profiling, whose results no command " + "clears");
            }
            stepDone();
        }
    }

    private void stepDone() {
        packetsOfStep = 0;
        boolean heldBack = due.remove() == CleaningStep.CHANGE_USER;
        if (heldBack && !due.isEmpty()) {
            send(due.element());
        } else if (due.isEmpty()) {
            moveTo(State.CLEAN);
        }
    }

    private void onChanged(String user, int collationId, byte[] ok) {
        result = before.loggedIn(
                user,
                wanted.schema(),
                collationId,
                before.capabilities(),
                OkPacket.decode(Bytes.of(ok), before.capabilities()));
    }

    private static void expectOk(CleaningStep step, byte[] packet) {
        int header = packet.length == 0 ? -1 : packet[0] & 0xff;
        // COM_SET_OPTION is answered with an EOF, or with an OK that has its header.
        if (header != OkPacket.HEADER && !(step == CleaningStep.SET_OPTION && header == EofPacket.HEADER)) {
            throw new ProtocolException("cleaning: expected OK in step " + step + ", but found a packet of "
                    + packet.length + " bytes with first byte " + header);
        }
    }

    private void fail(State how, ErrPacket err) {
        failure = err;
        moveTo(how);
    }

    private void moveTo(State next) {
        state = next;
    }

    private static byte[] query(String sql) {
        return ComQuery.of(sql).encode().toByteArray();
    }
}
