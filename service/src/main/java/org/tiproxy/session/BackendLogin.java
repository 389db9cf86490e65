package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.client.ConnectionAttributes;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.client.SslRequest;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Collation;
import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.HandshakeV10;
import org.tiproxy.wire.server.OkPacket;

/**
 * Logs in to a backend as a client, with the credentials of a {@link BackendRequest}; without credentials it goes as far
 * as one can without them: greeting and TLS. No I/O, no threads: the adapter offers what it reads, sends what it is
 * given, and looks at the state after each event. No event throws.
 *
 * <pre>
 * state           event                                next
 * GREETING        HandshakeV10, TLS                    TLS_WANTED; an SSLRequest is sent
 * GREETING        HandshakeV10, no TLS                 AUTHENTICATION, or DONE without credentials
 * TLS_WANTED      {@link #tlsStarted}                  AUTHENTICATION, or DONE without credentials
 * AUTHENTICATION  AuthSwitchRequest, AuthMoreData      AUTHENTICATION
 * AUTHENTICATION  OK                                   DONE
 * any             ERR, or what cannot be understood    FAILED
 * </pre>
 */
public final class BackendLogin implements BackendTalk {
    @Override
    public boolean isOver() {
        return state == State.DONE || state == State.FAILED;
    }

    /** Where the login is. */
    public enum State {
        /** The backend is due to greet. */
        GREETING,
        /** The adapter is due to start TLS as the client, after what was sent. */
        TLS_WANTED,
        /** Packets of the authentication go back and forth. */
        AUTHENTICATION,
        /** Over: see {@link BackendLogin#result}. */
        DONE,
        /** Over: see {@link BackendLogin#failure}; the connection must be closed. */
        FAILED
    }

    static final int MAX_PACKET = 0x100_0000;
    private static final int MAX_LENGTH = 64 * 1024;
    private static final int MAX_SHORT_COLLATION = 0xff;

    private final BackendRequest request;
    private final TlsMode tlsMode;
    private final ConnectionAttributes attributes;
    private final PacketLeg leg;
    private State state = State.GREETING;
    private @Nullable HandshakeV10 greeting;
    private boolean tls;
    private boolean proven = true;
    private long capabilities;
    private @Nullable CredentialLogin login;
    private @Nullable BackendConnectionInfo result;
    private @Nullable ErrPacket failure;

    /**
     * A login on a connection of which nothing has been read.
     *
     * @param attributes what the proxy says about itself; not used without credentials
     * @param output takes what is to be sent; the bytes hold a secret and are overwritten after the call
     */
    public BackendLogin(
            BackendRequest request, TlsMode tls, ConnectionAttributes attributes, Consumer<ByteBuffer> output) {
        this.request = request;
        this.tlsMode = tls;
        this.attributes = attributes;
        this.leg = new PacketLeg(MAX_LENGTH, false, output);
    }

    /** Where the login is. */
    public State state() {
        return state;
    }

    /**
     * The authentication plugin that the backend wants and the proxy cannot do: why it is {@link State#FAILED}; null if it
     * is that for another reason.
     */
    public @Nullable String unsupportedPlugin() {
        return login == null ? null : login.unsupported();
    }

    /** The connection; only when {@link State#DONE}. */
    public BackendConnectionInfo result() {
        return present(result);
    }

    /** The backend's ERR, or one of ours with the cause; only when {@link State#FAILED}. */
    public ErrPacket failure() {
        return present(failure);
    }

    /** The backend has sent bytes: all are taken, except those behind an end of the login. */
    @Override
    public void bytes(ByteBuffer chunk) {
        guarded(() -> {
            while (chunk.hasRemaining() && (state == State.GREETING || state == State.AUTHENTICATION)) {
                if (leg.read(chunk)) {
                    onPacket(leg.takePayload());
                }
            }
            if (chunk.hasRemaining() && (state == State.TLS_WANTED || state == State.DONE)) {
                throw new ProtocolException(
                        "login: expected nothing in state " + state + ", but found " + chunk.remaining() + " bytes");
            }
        });
    }

    /**
     * Instead of {@link #bytes}, for a connection whose greeting has been read before.
     *
     * @param read the greeting of this very connection
     */
    public void greeted(HandshakeV10 read) {
        if (state == State.GREETING) {
            leg.continueAt(1);
            guarded(() -> onGreeting(read));
        }
    }

    /** TLS is up, with a server whose certificate is trusted. */
    public void tlsStarted() {
        tlsStarted(true);
    }

    /**
     * TLS is up.
     *
     * @param trusted whether the server's certificate is trusted; if it is still to be proven, only mysql_native_password is
     *     answered, whose OK can prove it
     */
    public void tlsStarted(boolean trusted) {
        if (state == State.TLS_WANTED) {
            proven = trusted;
            guarded(this::authenticate);
        }
    }

    private void onPacket(byte[] packet) {
        if (state == State.AUTHENTICATION) {
            switch (present(login).onPacket(packet)) {
                case GOES_ON -> {}
                case LOGGED_IN -> {
                    OkPacket ok = OkPacket.decode(Bytes.of(packet), capabilities);
                    result = greetedInfo()
                            .loggedIn(request.key().user(), request.schema(), collationId(), capabilities, ok);
                    moveTo(State.DONE);
                }
                case REFUSED -> fail(ErrPacket.decode(Bytes.of(packet)));
            }
        } else if (packet.length > 0 && (packet[0] & 0xff) == ErrPacket.HEADER) {
            fail(ErrPacket.decode(Bytes.of(packet)));
        } else {
            onGreeting(HandshakeV10.decode(Bytes.of(packet)));
        }
    }

    private void onGreeting(HandshakeV10 hello) {
        greeting = hello;
        boolean offered = Capability.CLIENT_SSL.isIn(hello.capabilities());
        if (tlsMode == TlsMode.REQUIRED && !offered) {
            throw SessionFailure.told(
                    EndReason.BACKEND_WITHOUT_TLS,
                    ErrorCode.ER_NET_READ_ERROR,
                    "the backend does not offer TLS, which is required towards backends");
        }
        tls = offered && tlsMode != TlsMode.DISABLED;
        capabilities = negotiated(hello);
        if (tls) {
            leg.send(new SslRequest(capabilities, MAX_PACKET, collationId())
                    .encode()
                    .toByteArray());
            moveTo(State.TLS_WANTED);
        } else {
            authenticate();
        }
    }

    private void authenticate() {
        BackendCredentials credentials = request.credentials();
        if (credentials == null) {
            result = greetedInfo();
            moveTo(State.DONE);
            return;
        }
        CredentialLogin started = new CredentialLogin(leg, credentials, tls, proven, present(greeting));
        byte[] response = new HandshakeResponse41(
                        capabilities,
                        MAX_PACKET,
                        collationId(),
                        Bytes.ofUtf8(credentials.user()),
                        started.firstReply(),
                        Bytes.ofUtf8(request.schema()),
                        started.plugin().text(),
                        attributes,
                        0)
                .encode()
                .toByteArray();
        leg.send(response);
        Arrays.fill(response, (byte) 0);
        login = started;
        moveTo(State.AUTHENTICATION);
    }

    /** What the client wants and the backend has, and how the proxy itself lays out its packets. */
    private long negotiated(HandshakeV10 hello) {
        boolean withAttributes =
                request.credentials() != null && !attributes.encoded().isEmpty();
        long own = withAttributes ? Capability.CLIENT_CONNECT_ATTRS.mask() : 0;
        return request.key().negotiatedWith(hello, tls, !request.schema().isEmpty(), own);
    }

    /** A wider one, which only COM_CHANGE_USER has room for, follows when the connection is adopted. */
    private int collationId() {
        int wanted = request.collationId();
        return wanted > MAX_SHORT_COLLATION ? Collation.UTF8MB4_GENERAL_CI.id() : wanted;
    }

    private BackendConnectionInfo greetedInfo() {
        return new BackendConnectionInfo(present(greeting), tls, null, "", 0, 0, null);
    }

    private void guarded(Runnable event) {
        try {
            event.run();
        } catch (RuntimeException e) {
            fail(CredentialLogin.errOf(e));
        }
    }

    private void fail(ErrPacket err) {
        failure = err;
        moveTo(State.FAILED);
    }

    private void moveTo(State next) {
        state = next;
    }

    private static <T> T present(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("not present in this state");
        }
        return value;
    }
}
