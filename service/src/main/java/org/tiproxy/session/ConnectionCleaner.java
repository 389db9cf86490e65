package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.client.ComChangeUser;
import org.tiproxy.wire.client.ComInitDb;
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
 * <p>With credentials, the first cleaning is a COM_CHANGE_USER, also to the same user: other than COM_RESET_CONNECTION it
 * brings back the default role and finds out whether the account still exists. It also reads which role a new connection
 * has. The next {@value #MAX_RESETS} cleanings are a COM_RESET_CONNECTION and the schema again, in one write and one
 * round trip, after a look at whether the session has left that role or user; if it has, or if anything about the reset is
 * refused, a change of user follows.
 *
 * <p>An account that may have limits is cleaned by a COM_CHANGE_USER each time, behind everything else: see {@link
 * CleaningStep#READ_LIMITS}.
 *
 * <p>Without credentials, in pass-through, it is COM_RESET_CONNECTION, which is enough to free what the session held; the
 * next login is a change of user. Around them go the steps of {@link CleaningStep}. What comes before the authentication
 * goes out in one write, and so does what comes behind it.
 *
 * <p>What no command brings back: {@code init_connect} is not run again, a change of the global defaults shows, as it
 * does on a new connection, and the session's status counters have counted the last commands of the cleaning.
 *
 * <pre>
 * state    event                                                      next
 * RUNNING  all steps have succeeded                                   CLEAN
 * RUNNING  ERR to COM_INIT_DB before use                              REFUSED: unchanged, but this schema cannot be had
 * RUNNING  the session has left its role, or an ERR, in a reset       RUNNING: a change of user
 * RUNNING  any other ERR, profiles, or what cannot be understood      FAILED
 * </pre>
 */
public final class ConnectionCleaner implements BackendTalk {
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
    /** How many cleanings in a row do without a login. */
    static final int MAX_RESETS = 31;

    private static final byte[] SELECT_STATE = CleaningStep.query(CleaningStep.SELECT_STATE);
    private static final byte[] SELECT_LIMITS = CleaningStep.query(CleaningStep.SELECT_LIMITS);
    private static final byte[] SHOW_GRANTS = CleaningStep.query("SHOW GRANTS");
    private static final byte[] SHOW_PROFILES = CleaningStep.query("SHOW PROFILES");
    private static final byte[] SET_ROLE_NONE = CleaningStep.query("SET ROLE NONE");

    private final BackendConnectionInfo before;
    private final BackendRequest wanted;
    private final ConnectionAttributes attributes;
    private final PacketLeg leg;
    private final Deque<CleaningStep> due = new ArrayDeque<>();
    private final boolean inUse;
    private State state = State.CLEAN;
    private int packetsOfStep;
    private @Nullable CredentialLogin login;
    private @Nullable StateAnswer answer;
    private @Nullable LimitsAnswer limits;
    /** What to find if a reset is to be enough; null if there is a login. */
    private BackendConnectionInfo.@Nullable Fresh expected;
    /** Whether something else was found. */
    private boolean unlike;
    /** Whether the account may have limits, so that its cleanings end with a login. */
    private boolean limited;

    private BackendConnectionInfo result;
    private @Nullable ErrPacket failure;

    private ConnectionCleaner(
            BackendConnectionInfo before,
            BackendRequest wanted,
            ConnectionAttributes attributes,
            Consumer<ByteBuffer> output,
            boolean inUse) {
        this.inUse = inUse;
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
        ConnectionCleaner cleaner = new ConnectionCleaner(info, served, attributes, output, false);
        cleaner.planAfterUse(release.multiStatementsChanged());
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
        ConnectionCleaner cleaner = new ConnectionCleaner(info, request, attributes, output, true);
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

    @Override
    public boolean isOver() {
        return state != State.RUNNING;
    }

    /** The backend has sent bytes: all are taken. */
    @Override
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

    private void planAfterUse(boolean optionUsed) {
        BackendConnectionInfo.Fresh fresh = before.fresh();
        boolean withCredentials = wanted.credentials() != null;
        limited = fresh != null && fresh.limited();
        boolean reset = withCredentials
                && fresh != null
                && !limited
                && fresh.resets() < MAX_RESETS
                && isAsWanted()
                && canReset();
        if (reset) {
            expected = fresh;
            plan(CleaningStep.READ_STATE);
        } else {
            plan(CleaningStep.SET_ROLE_NONE);
        }
        plan(CleaningStep.SHOW_PROFILES);
        if (optionUsed) {
            plan(CleaningStep.SET_OPTION);
        }
        if (reset) {
            planReset();
        } else if (withCredentials) {
            planChangeOfUser();
        } else {
            plan(CleaningStep.RESET_CONNECTION);
        }
    }

    private void planReset() {
        plan(CleaningStep.RESET_CONNECTION);
        plan(CleaningStep.SET_NAMES);
        if (!wanted.schema().isEmpty()) {
            plan(CleaningStep.INIT_DB);
        }
        planEffects();
    }

    /** After use, also reads the state of a new connection; the reset clears the traces of that. */
    private void planChangeOfUser() {
        plan(CleaningStep.CHANGE_USER);
        if (!inUse && !limited && canReset()) {
            plan(CleaningStep.READ_STATE);
            plan(CleaningStep.READ_LIMITS);
            if (before.tls()) {
                plan(CleaningStep.SHOW_GRANTS);
            }
            planReset();
        } else {
            planEffects();
        }
    }

    /** Whether a reset leads to what is wanted: it goes back to the collation of the last login. */
    private boolean isAsWanted() {
        return wanted.key().user().equals(before.user())
                && wanted.key().collationId() == before.collationId()
                && wanted.schema().equals(before.schema());
    }

    private boolean canReset() {
        return CleaningStep.canReset(before.greeting(), wanted.key().collationId());
    }

    private void planEffects() {
        if (CleaningStep.effectsOf(before.capabilities()) != null) {
            plan(CleaningStep.RESTORE_EFFECTS);
        }
    }

    private void start() {
        if (!due.isEmpty()) {
            moveTo(State.RUNNING);
            try {
                sendDue();
            } catch (RuntimeException e) {
                fail(State.FAILED, CredentialLogin.errOf(e));
            }
        }
    }

    /** Servers answer one command after the other, so all go out together up to an authentication. */
    private void sendDue() {
        for (CleaningStep step : due) {
            send(step);
            if (step == CleaningStep.CHANGE_USER) {
                break;
            }
        }
    }

    private void send(CleaningStep step) {
        leg.continueAt(0);
        switch (step) {
            case READ_STATE -> leg.send(SELECT_STATE);
            case READ_LIMITS -> leg.send(SELECT_LIMITS);
            case SHOW_GRANTS -> leg.send(SHOW_GRANTS);
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
            case SET_NAMES ->
                leg.send(CleaningStep.query(
                        String.valueOf(CleaningStep.namesOf(wanted.key().collationId()))));
            case INIT_DB ->
                leg.send(new ComInitDb(Bytes.ofUtf8(wanted.schema())).encode().toByteArray());
            case CHANGE_USER -> sendChangeUser();
            case RESTORE_EFFECTS ->
                leg.send(CleaningStep.query(String.valueOf(CleaningStep.effectsOf(before.capabilities()))));
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
        } else if (step == CleaningStep.READ_STATE) {
            onState(packet);
        } else if (step == CleaningStep.READ_LIMITS || step == CleaningStep.SHOW_GRANTS) {
            onLimits(packet, step == CleaningStep.SHOW_GRANTS);
        } else if (err && expected != null && step != CleaningStep.SET_OPTION) {
            unlike = true;
            stepDone();
        } else if (err) {
            boolean unchanged = step == CleaningStep.INIT_DB && inUse;
            fail(unchanged ? State.REFUSED : State.FAILED, ErrPacket.decode(Bytes.of(packet)));
        } else {
            expectOk(step, packet);
            if (step == CleaningStep.INIT_DB && inUse) {
                result = before.withSchema(wanted.schema(), OkPacket.decode(Bytes.of(packet), before.capabilities()));
            }
            stepDone();
        }
    }

    private void onState(byte[] packet) {
        StateAnswer reading = answer == null ? new StateAnswer(before.capabilities()) : answer;
        answer = reading;
        if (!reading.onPacket(packet)) {
            return;
        }
        answer = null;
        BackendConnectionInfo.Fresh fresh = expected;
        if (fresh != null) {
            unlike = !reading.isKnown()
                    || !Objects.equals(reading.role(), fresh.role())
                    || !Objects.equals(reading.user(), fresh.user())
                    || (wanted.schema().isEmpty() && reading.schema() != null);
            result = before.withFresh(fresh.afterReset());
        } else if (reading.isKnown()) {
            result = result.withFresh(new BackendConnectionInfo.Fresh(reading.role(), reading.user(), false, 0));
        }
        stepDone();
    }

    private void onLimits(byte[] packet, boolean grants) {
        LimitsAnswer reading = limits == null ? new LimitsAnswer(before.capabilities(), grants) : limits;
        limits = reading;
        if (!reading.onPacket(packet)) {
            return;
        }
        limits = null;
        if (reading.mayBeLimited()) {
            limited = true;
            // The reset behind it is on its way.
            unlike = true;
        }
        stepDone();
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
        if (due.isEmpty() && unlike) {
            unlike = false;
            expected = null;
            plan(CleaningStep.SET_ROLE_NONE);
            planChangeOfUser();
            heldBack = true;
        }
        if (due.isEmpty()) {
            moveTo(State.CLEAN);
        } else if (heldBack) {
            sendDue();
        }
    }

    private void onChanged(String user, int collationId, byte[] ok) {
        BackendConnectionInfo.Fresh known = limited ? result.fresh() : null;
        result = before.loggedIn(
                        user,
                        wanted.schema(),
                        collationId,
                        before.capabilities(),
                        OkPacket.decode(Bytes.of(ok), before.capabilities()))
                .withFresh(known == null ? null : known.withLimits());
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
}
