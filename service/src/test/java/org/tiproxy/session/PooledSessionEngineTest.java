package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.common.Secret;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.auth.MysqlNativePassword;
import org.tiproxy.wire.client.ComChangeUser;
import org.tiproxy.wire.client.ConnectionAttributes;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.AuthSwitchRequest;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.HandshakeV10;
import org.tiproxy.wire.server.OkPacket;

/** Sessions over borrowed connections, with client, backend and pool played by the test. */
class PooledSessionEngineTest {
    private static final Bytes PASSWORD = Bytes.ofUtf8("s3cret");
    private static final UserStore USERS = new KnownUsers(List.of(
            KnownUser.withPassword("root", new Secret("s3cret")),
            KnownUser.withPassword("other", new Secret("s3cret"))));
    private static final HandshakeV10 GREETING =
            Packets.greetingOf(Packets.MYSQL_CAPABILITIES, "mysql_native_password");

    /** Everything around one session. */
    private static final class Pooled implements SessionOutput {
        final SentPackets toClient = new SentPackets();
        final SentPackets toBackend = new SentPackets();
        final List<BackendRequest> requests = new ArrayList<>();
        final List<BackendRelease> releases = new ArrayList<>();
        final PooledSessionEngine engine;

        @Nullable
        SessionEnd end;

        private ByteBuffer chunk = ByteBuffer.allocate(0);

        Pooled(@Nullable UserStore users, boolean isPrivate) {
            PooledConfig config = new PooledConfig(Packets.plain(), users, new Random(7));
            engine = new PooledSessionEngine(
                    config,
                    this,
                    SessionListener.NONE,
                    id -> 0,
                    EngineHarness.CONNECTION_ID,
                    () -> new ClientOrigin("10.0.0.1", isPrivate));
        }

        void fromClient(byte[]... packets) {
            chunk = ByteBuffer.wrap(Hex.join(packets));
            engine.clientBytes(chunk);
        }

        void fromBackend(byte[]... packets) {
            chunk = ByteBuffer.wrap(Hex.join(packets));
            engine.backendBytes(chunk);
            assertThat(chunk.hasRemaining()).isFalse();
        }

        HandshakeV10 greet() {
            engine.greet(GREETING);
            return HandshakeV10.decode(toClient.takeOnly(0));
        }

        /** A client that has logged in as a known user. */
        Pooled loggedIn() {
            fromClient(login(greet(), "root", PASSWORD));
            engine.backendAcquired(used("root"));
            assertThat(toClient.takeOnly(2)).isEqualTo(Hex.bytes(Packets.OK));
            assertThat(engine.phase()).isEqualTo(SessionPhase.COMMANDS);
            return this;
        }

        BackendRelease released() {
            assertThat(releases).hasSize(1);
            return releases.get(0);
        }

        @Override
        public void forwardToBackend(int from, int to) {
            toBackend.accept(chunk.duplicate().limit(to).position(from));
        }

        @Override
        public void forwardToClient(int from, int to) {
            toClient.accept(chunk.duplicate().limit(to).position(from));
        }

        @Override
        public void sendToBackend(ByteBuffer bytes) {
            toBackend.accept(bytes);
        }

        @Override
        public void sendToClient(ByteBuffer bytes) {
            toClient.accept(bytes);
        }

        @Override
        public void startClientTls() {}

        @Override
        public void startBackendTls() {}

        @Override
        public void pauseClient() {
            throw new AssertionError("nothing comes before it is due");
        }

        @Override
        public void resumeClient() {
            throw new AssertionError("never paused");
        }

        @Override
        public void acquireBackend(BackendRequest request) {
            requests.add(request);
        }

        @Override
        public void releaseBackend(BackendRelease release) {
            releases.add(release);
        }

        @Override
        public void end(SessionEnd sessionEnd) {
            assertThat(end).isNull();
            end = sessionEnd;
        }
    }

    private static byte[] login(HandshakeV10 greeting, String user, Bytes password) {
        return login(
                user, "mysql_native_password", new MysqlNativePassword().reply(password, greeting.authPluginData()));
    }

    private static byte[] login(String user, String plugin, Bytes auth) {
        HandshakeResponse41 response = new HandshakeResponse41(
                Packets.CLIENT_CAPABILITIES,
                0x1000000,
                45,
                Bytes.ofUtf8(user),
                auth,
                Bytes.ofUtf8("test"),
                plugin,
                ConnectionAttributes.NONE,
                0);
        return Packets.bytes(response.encode(), 1);
    }

    private static BackendConnectionInfo fresh() {
        return new BackendConnectionInfo(GREETING, false, null, "", 0, 0, null);
    }

    private static BackendConnectionInfo used(String user) {
        return new BackendConnectionInfo(
                GREETING, false, user, "test", 45, Packets.CLIENT_CAPABILITIES, OkPacket.of(2));
    }

    @Test
    void theClientIsGreetedInTheBackendsName() {
        HandshakeV10 greeting = new Pooled(USERS, true).greet();
        assertThat(greeting.serverVersion()).isEqualTo("8.4.3");
        assertThat(greeting.connectionId()).isEqualTo(EngineHarness.CONNECTION_ID);
        assertThat(greeting.authPluginData()).isNotEqualTo(Packets.SCRAMBLE);
        assertThat(greeting.capabilities()).isEqualTo(CapabilityMask.advertised(Packets.MYSQL_CAPABILITIES, false));
    }

    @Test
    void aKnownUserGetsAConnectionOfItsOwnKind() {
        Pooled session = new Pooled(USERS, false);
        session.fromClient(login(session.greet(), "root", PASSWORD));
        assertThat(session.engine.phase()).isEqualTo(SessionPhase.ACQUIRING);
        assertThat(session.toClient.take()).isEmpty();
        assertThat(session.requests).hasSize(1);
        BackendRequest request = session.requests.get(0);
        assertThat(request.key().user()).isEqualTo("root");
        assertThat(request.key().collationId()).isEqualTo(45);
        assertThat(request.schema()).isEqualTo("test");
        assertThat(request.fresh()).isFalse();
        assertThat(request.credentials()).isEqualTo(BackendCredentials.ofPassword("root", new Secret("s3cret")));
        long key = request.key().capabilities();
        assertThat(Capability.CLIENT_CONNECT_WITH_DB.isIn(key)).isFalse();
        assertThat(Capability.CLIENT_CONNECT_ATTRS.isIn(key)).isFalse();
        assertThat(Capability.CLIENT_MULTI_STATEMENTS.isIn(key)).isTrue();

        assertThat(session.engine.backendAcquired(used("root"))).isTrue();
        assertThat(session.toClient.takeOnly(2)).isEqualTo(Hex.bytes(Packets.OK));
        assertThat(session.engine.login().user()).isEqualTo("root");
        assertThat(session.engine.login().backendConnectionId()).isEqualTo(Packets.THREAD_ID);
        assertThat(session.toBackend.take()).isEmpty();
    }

    @Test
    void flagsWithoutEffectDoNotMakeAnotherKey() {
        long plain = Packets.CLIENT_CAPABILITIES;
        long noise = Capability.setOf(
                Capability.CLIENT_ODBC, Capability.CLIENT_IGNORE_SIGPIPE, Capability.CLIENT_REMEMBER_OPTIONS);
        assertThat(PoolKey.ofUser("u", plain | noise, 45)).isEqualTo(PoolKey.ofUser("u", plain, 45));
        for (Capability effective : List.of(
                Capability.CLIENT_FOUND_ROWS,
                Capability.CLIENT_IGNORE_SPACE,
                Capability.CLIENT_INTERACTIVE,
                Capability.MARIADB_CLIENT_EXTENDED_METADATA)) {
            assertThat(PoolKey.ofUser("u", plain | effective.mask(), 45)).isNotEqualTo(PoolKey.ofUser("u", plain, 45));
        }
    }

    @Test
    void aSwitchToTheUsersPluginComesBeforeTheConnection() {
        Pooled session = new Pooled(USERS, false);
        session.greet();
        session.fromClient(login("root", "client_ed25519", Bytes.EMPTY));
        assertThat(session.engine.phase()).isEqualTo(SessionPhase.AUTHENTICATION);
        AuthSwitchRequest request = AuthSwitchRequest.decode(session.toClient.takeOnly(2));
        session.fromClient(Hex.packet(3, hex(new MysqlNativePassword().reply(PASSWORD, request.scramble()))));
        assertThat(session.engine.phase()).isEqualTo(SessionPhase.ACQUIRING);
        session.engine.backendAcquired(used("root"));
        assertThat(session.toClient.takeOnly(4)).isEqualTo(Hex.bytes(Packets.OK));
    }

    @ParameterizedTest
    @ValueSource(strings = {"root", "nobody"})
    void aWrongPasswordIsRefusedAsByAServer(String user) {
        Pooled session = new Pooled(USERS, false);
        session.fromClient(login(session.greet(), user, Bytes.ofUtf8("wrong")));
        assertThat(ErrPacket.decode(session.toClient.takeOnly(2)))
                .isEqualTo(new ErrPacket(
                        1045, "28000", "Access denied for user '" + user + "'@'10.0.0.1' (using password: YES)"));
        assertThat(session.end.reason()).isEqualTo(EndReason.LOGIN_REFUSED);
        assertThat(session.requests).isEmpty();
        assertThat(session.releases).isEmpty();
    }

    @Test
    void whatTheBackendSaysAboutItsLoginIsPassedOn() {
        Pooled session = new Pooled(USERS, false);
        session.fromClient(login(session.greet(), "root", PASSWORD));
        session.engine.backendRefused(new ErrPacket(1049, "42000", "Unknown database 'test'"));
        assertThat(ErrPacket.decode(session.toClient.takeOnly(2)).code()).isEqualTo(1049);
        assertThat(session.end.reason()).isEqualTo(EndReason.LOGIN_REFUSED);
        assertThat(session.engine.backendAcquired(used("root"))).isFalse();
    }

    @Test
    void withoutAConnectionTheClientIsToldWhy() {
        Pooled session = new Pooled(USERS, false);
        session.fromClient(login(session.greet(), "root", PASSWORD));
        session.engine.backendFailed(new ProxyException(ProxyError.BACKEND_UNREACHABLE, "20 of 20 in use"));
        assertThat(ErrPacket.decode(session.toClient.takeOnly(2)).message()).isEqualTo("20 of 20 in use");
        assertThat(session.end.reason()).isEqualTo(EndReason.BACKEND_UNAVAILABLE);
    }

    @Test
    void aSlowPoolIsNotTheClientsFault() {
        Pooled session = new Pooled(USERS, false);
        session.fromClient(login(session.greet(), "root", PASSWORD));
        session.engine.loginTimedOut();
        assertThat(ErrPacket.decode(session.toClient.takeOnly(2)).message()).contains("a backend connection");
        assertThat(session.end.reason()).isEqualTo(EndReason.LOGIN_TIMED_OUT);
        assertThat(session.engine.backendAcquired(used("root"))).isFalse();
        assertThat(session.releases).isEmpty();
    }

    @Test
    void aConnectionWithOtherCapabilitiesIsNotUsed() {
        Pooled session = new Pooled(USERS, false);
        session.fromClient(login(session.greet(), "root", PASSWORD));
        long other = Packets.CLIENT_CAPABILITIES & ~Capability.CLIENT_DEPRECATE_EOF.mask();
        session.engine.backendAcquired(
                new BackendConnectionInfo(GREETING, false, "root", "test", 45, other, OkPacket.of(2)));
        assertThat(ErrPacket.decode(session.toClient.takeOnly(2)).message()).contains("capabilities");
        assertThat(session.released().reusable())
                .as("the next one who asks for the same would not get on with it either")
                .isFalse();
        assertThat(session.released().reason()).contains("capabilities");
    }

    /** Another version of the server's, of which the client knows nothing. */
    @Test
    void aNewConnectionWithOtherCapabilitiesIsNotKeptInPassThroughEither() {
        Pooled session = new Pooled(null, true);
        session.greet();
        session.fromClient(login("root", "mysql_native_password", Bytes.EMPTY));
        HandshakeV10 other = new HandshakeV10(
                "5.6.51",
                12,
                Packets.SCRAMBLE,
                Packets.MYSQL_CAPABILITIES & ~Capability.CLIENT_DEPRECATE_EOF.mask(),
                45,
                2,
                "mysql_native_password");
        session.engine.backendAcquired(new BackendConnectionInfo(other, false, null, "", 0, 0, null));
        assertThat(ErrPacket.decode(session.toClient.takeOnly(2)).message()).contains("capabilities");
        assertThat(session.released().info().isLoggedIn()).isFalse();
        assertThat(session.released().reusable()).isFalse();
        assertThat(session.end).isNotNull();
    }

    @Test
    void quitIsNotForTheBackendNorIsWhatFollows() {
        Pooled session = new Pooled(USERS, false).loggedIn();
        session.fromClient(
                Packets.command(Command.COM_PING),
                Hex.packet(0, "01 aabbcc"),
                Packets.query("DROP TABLE of_somebody_else"));
        assertThat(session.toBackend.takeOnly(0)).isEqualTo(Hex.bytes("0e"));
        assertThat(session.engine.phase()).isEqualTo(SessionPhase.QUITTING);
        assertThat(session.releases).isEmpty();
        session.fromBackend(Packets.ok(1));
        assertThat(session.toClient.takeOnly(1)).isEqualTo(Hex.bytes(Packets.OK));
        assertThat(session.end.reason()).isEqualTo(EndReason.CLIENT_QUIT);
        assertThat(session.released().reusable()).isTrue();
        assertThat(session.toBackend.take()).isEmpty();
    }

    @Test
    void anIdleConnectionIsReusableHoweverTheClientGoes() {
        Pooled vanished = new Pooled(USERS, false).loggedIn();
        vanished.engine.clientClosed("reset");
        assertThat(vanished.released().reusable()).isTrue();
        assertThat(vanished.end.reason()).isEqualTo(EndReason.CLIENT_CLOSED);

        Pooled killed = new Pooled(USERS, false).loggedIn();
        killed.fromClient(Packets.command(Command.COM_SET_OPTION, "0000"));
        killed.fromBackend(Hex.packet(1, "fe 0000 0200"));
        killed.engine.kill(new ProxyException(ProxyError.CLOSED_BY_OPERATOR, "closed"));
        assertThat(killed.released().reusable()).isTrue();
        assertThat(killed.released().multiStatementsChanged()).isTrue();

        Pooled drained = new Pooled(USERS, false).loggedIn();
        drained.engine.drain();
        assertThat(drained.released().reusable()).isTrue();
        assertThat(drained.end.reason()).isEqualTo(EndReason.DRAINED);
    }

    @ParameterizedTest
    @CsvSource({
        "command, COM_QUERY was in flight",
        "half, a command was on its way",
        "rows, COM_QUERY was in flight",
        "file, COM_QUERY was in flight",
        "cursor, 1 cursors were open",
        "binlog, COM_BINLOG_DUMP was in flight",
        "unknown, UNKNOWN was used",
        "unsolicited, the backend closes it",
        "garbage, the backend has broken the protocol",
        "gone, the backend has closed it: reset",
        "change, a command was on its way"
    })
    void aConnectionInAnUnknownStateIsClosed(String state, String reason) {
        Pooled session = new Pooled(USERS, false).loggedIn();
        switch (state) {
            case "command" -> session.fromClient(Packets.query("SELECT 1"));
            case "half" -> session.fromClient(new byte[] {9, 0, 0, 0, 3, 'S'});
            case "rows" -> {
                session.fromClient(Packets.query("SELECT 1"));
                session.fromBackend(Hex.packet(1, "01"));
            }
            case "file" -> {
                session.fromClient(Packets.query("LOAD DATA LOCAL INFILE 'f' INTO TABLE t"));
                session.fromBackend(Hex.packet(1, "fb 'f'".split(" ")));
            }
            case "cursor" -> {
                session.fromClient(Packets.command(Command.COM_STMT_PREPARE, "'SELECT 1'"));
                session.fromBackend(Hex.packet(1, "00 05000000 0000 0000 00 0000"));
                session.fromClient(Packets.command(Command.COM_STMT_EXECUTE, "05000000 01 01000000"));
                session.fromBackend(
                        Hex.packet(1, "01"), Hex.packet(2, "'column'"), Hex.packet(3, "fe 00 00 4200 0000"));
            }
            case "binlog" -> session.fromClient(Packets.command(Command.COM_BINLOG_DUMP, "00"));
            case "unknown" -> {
                session.fromClient(Hex.packet(0, "99"));
                session.fromBackend(Packets.err(1, "unknown"));
            }
            case "unsolicited" -> session.fromBackend(Packets.err(0, "closing"));
            case "garbage" -> session.fromBackend(Packets.ok(0));
            case "change" -> session.fromClient(new byte[] {9, 0, 0, 0, 0x11, 'r'});
            default -> session.engine.backendClosed("reset");
        }
        if (session.end == null) {
            session.engine.clientClosed("reset");
        }
        assertThat(session.released().reusable()).isFalse();
        assertThat(session.released().reason()).isEqualTo(reason);
    }

    @Test
    void aChangeOfUserTakesAnotherConnection() {
        Pooled session = new Pooled(USERS, false).loggedIn();
        session.fromClient(changeUser("other"));
        assertThat(session.engine.phase()).isEqualTo(SessionPhase.CHANGE_USER);
        AuthSwitchRequest request = AuthSwitchRequest.decode(session.toClient.takeOnly(1));
        session.fromClient(Hex.packet(2, hex(new MysqlNativePassword().reply(PASSWORD, request.scramble()))));
        assertThat(session.released().reusable()).isTrue();
        assertThat(session.requests).hasSize(2);
        assertThat(session.requests.get(1).key().user()).isEqualTo("other");
        session.engine.backendAcquired(used("other"));
        assertThat(session.toClient.takeOnly(3)).isEqualTo(Hex.bytes(Packets.OK));
        assertThat(session.engine.login().user()).isEqualTo("other");
        assertThat(session.toBackend.take()).isEmpty();
        session.fromClient(Packets.command(Command.COM_QUIT));
        assertThat(session.releases).hasSize(2);
        assertThat(session.end.reason()).isEqualTo(EndReason.CLIENT_QUIT);
    }

    @Test
    void aRefusedChangeOfUserEndsTheSession() {
        Pooled session = new Pooled(USERS, false).loggedIn();
        session.fromClient(changeUser("other"));
        session.toClient.take();
        session.fromClient(Hex.packet(2, "'wrong'"));
        assertThat(ErrPacket.decode(session.toClient.takeOnly(3)).code()).isEqualTo(1045);
        assertThat(session.released().reusable()).isTrue();
    }

    private static byte[] changeUser(String user) {
        ComChangeUser change = new ComChangeUser(
                Bytes.ofUtf8(user),
                Bytes.EMPTY,
                Bytes.ofUtf8("test"),
                45,
                "mysql_native_password",
                ConnectionAttributes.NONE);
        return Packets.bytes(change.encode(Packets.CLIENT_CAPABILITIES), 0);
    }

    // ---- pass-through

    @ParameterizedTest
    @CsvSource({"true, false", "true, true", "false, false"})
    void aLoginIsRelayedWithTheSequenceIdsOfEachLeg(boolean isPrivate, boolean pooled) {
        Pooled session = new Pooled(null, isPrivate);
        session.greet();
        session.fromClient(login("root", "mysql_native_password", Bytes.ofUtf8("to-the-proxys-scramb")));
        BackendRequest request = session.requests.get(0);
        assertThat(request.credentials()).isNull();
        assertThat(request.key().user()).isEmpty();
        assertThat(request.fresh()).isEqualTo(!isPrivate);
        session.engine.backendAcquired(pooled ? used("somebody") : fresh());
        int sequenceId = pooled ? 0 : 1;
        Bytes first = session.toBackend.takeOnly(sequenceId);
        if (pooled) {
            ComChangeUser change = ComChangeUser.decode(first, Packets.CLIENT_CAPABILITIES);
            assertThat(change.user().utf8()).isEqualTo("root");
            assertThat(change.authResponse()).isEqualTo(Bytes.EMPTY);
            assertThat(change.authPluginName()).isEqualTo("tiproxy_ask_again");
            assertThat(change.schema().utf8()).isEqualTo("test");
        } else {
            HandshakeResponse41 response = HandshakeResponse41.decode(first);
            assertThat(response.user().utf8()).isEqualTo("root");
            assertThat(response.authResponse()).isEqualTo(Bytes.EMPTY);
            assertThat(response.authPluginName()).isEqualTo("tiproxy_ask_again");
        }
        // Two switches, as for unknown users.
        int clients = 2;
        int backends = sequenceId + 1;
        for (String plugin : List.of("client_ed25519", "mysql_native_password")) {
            session.fromBackend(Hex.packet(backends++, "fe", "'" + plugin + "'", "00", "'tsrqponmlkjihgfedcba'", "00"));
            assertThat(AuthSwitchRequest.decode(session.toClient.takeOnly(clients++))
                            .pluginName())
                    .isEqualTo(plugin);
            session.fromClient(Hex.packet(clients++, "'reply'"));
            assertThat(session.toBackend.takeOnly(backends++)).isEqualTo(Hex.bytes("'reply'"));
        }
        session.fromBackend(Packets.ok(backends));
        assertThat(session.toClient.takeOnly(clients)).isEqualTo(Hex.bytes(Packets.OK));
        assertThat(session.engine.login().user()).isEqualTo("root");
        session.fromClient(Packets.command(Command.COM_QUIT));
        assertThat(session.released().reusable()).isEqualTo(isPrivate);
        assertThat(session.released().info().user()).isEqualTo("root");
        assertThat(session.released().info().isLoggedIn()).isTrue();
    }

    @Test
    void ignoredSpacesAreSetAgainBeforeTheClientIsToldOk() {
        Pooled session = new Pooled(null, true);
        session.greet();
        long spaces = Packets.CLIENT_CAPABILITIES | Capability.CLIENT_IGNORE_SPACE.mask();
        session.fromClient(Packets.bytes(
                Packets.response(spaces, "mysql_native_password", Bytes.EMPTY).encode(), 1));
        session.engine.backendAcquired(
                new BackendConnectionInfo(GREETING, false, "somebody", "test", 45, spaces, OkPacket.of(2)));
        session.toBackend.take();
        session.fromBackend(Packets.ok(1));
        assertThat(session.toClient.take()).isEmpty();
        assertThat(session.toBackend.takeOnly(0).utf8()).contains("IGNORE_SPACE");
        session.fromBackend(Packets.ok(1));
        assertThat(session.toClient.takeOnly(2)).isEqualTo(Hex.bytes(Packets.OK));
        assertThat(session.engine.phase()).isEqualTo(SessionPhase.COMMANDS);
    }

    @Test
    void aRefusedLoginCostsTheConnection() {
        Pooled session = new Pooled(null, true);
        session.greet();
        session.fromClient(login("root", "mysql_native_password", Bytes.EMPTY));
        session.engine.backendAcquired(used("somebody"));
        session.toBackend.take();
        session.fromBackend(Hex.packet(1, "fe", "'mysql_native_password'", "00", "'tsrqponmlkjihgfedcba'", "00"));
        session.toClient.take();
        session.fromClient(Hex.packet(3, "'reply'"));
        session.fromBackend(Hex.packet(3, "ff 1504", "'#28000Access denied'"));
        assertThat(ErrPacket.decode(session.toClient.takeOnly(4)).code()).isEqualTo(1045);
        assertThat(session.end.reason()).isEqualTo(EndReason.LOGIN_REFUSED);
        assertThat(session.released().reusable()).isFalse();
    }

    @Test
    void aPooledConnectionThatHasDiedIsReplacedByANewOne() {
        Pooled session = new Pooled(null, true);
        session.greet();
        session.fromClient(login("root", "mysql_native_password", Bytes.EMPTY));
        session.engine.backendAcquired(used("somebody"));
        session.engine.backendClosed("end of stream");
        assertThat(session.released().reusable()).isFalse();
        assertThat(session.end).isNull();
        assertThat(session.requests).hasSize(2);
        assertThat(session.requests.get(1).fresh()).isTrue();
        session.engine.backendAcquired(fresh());
        session.engine.backendClosed("end of stream");
        assertThat(session.requests).hasSize(2);
        assertThat(ErrPacket.decode(session.toClient.takeOnly(2)).message()).contains("closed");
    }

    @Test
    void aChangeOfUserIsRelayedToo() {
        Pooled session = new Pooled(null, true);
        session.greet();
        session.fromClient(login("root", "mysql_native_password", Bytes.EMPTY));
        session.engine.backendAcquired(used("somebody"));
        session.fromBackend(Packets.ok(1));
        session.toClient.take();
        session.toBackend.take();
        session.fromClient(changeUser("other"));
        assertThat(session.toBackend.takeOnly(0).at(0)).isEqualTo((byte) 0x11);
        session.fromBackend(Hex.packet(1, "fe", "'mysql_native_password'", "00", "'tsrqponmlkjihgfedcba'", "00"));
        session.toClient.takeOnly(1);
        session.fromClient(Hex.packet(2, "'reply'"));
        assertThat(session.toBackend.takeOnly(2)).isEqualTo(Hex.bytes("'reply'"));
        session.fromBackend(Packets.ok(3));
        assertThat(session.toClient.takeOnly(3)).isEqualTo(Hex.bytes(Packets.OK));
        assertThat(session.engine.login().user()).isEqualTo("other");
        session.engine.clientClosed("reset");
        assertThat(session.released().reusable()).isTrue();
    }

    private static String hex(Bytes bytes) {
        return java.util.HexFormat.of().formatHex(bytes.toByteArray());
    }
}
