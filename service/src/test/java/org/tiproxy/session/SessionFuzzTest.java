package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.protocol.Command;

/**
 * Random and damaged bytes from either side: the session goes on, or ends in an orderly way. A defect of the engine would
 * end it with {@link EndReason#INTERNAL}, or get the test adapter to complain.
 */
class SessionFuzzTest {
    private static final List<TlsMode> MODES = List.of(TlsMode.values());
    private static final int RUNS = Integer.getInteger("fuzz.runs", 20_000);

    private static final List<byte[]> LOGIN_FROM_CLIENT = List.of(
            Packets.response(1),
            Packets.sslRequest(Packets.CLIENT_CAPABILITIES),
            Packets.response(2),
            Hex.packet(3, "'reply'"),
            Hex.packet(3, "02"),
            Hex.packet(2, "'p'", "00"),
            Hex.packet(2, "02"),
            Hex.packet(2, "01"),
            Hex.packet(2, "00"),
            Hex.packet(4, "'again'"));

    private static final List<byte[]> COMMANDS = List.of(
            Packets.query("SELECT 1"),
            Packets.query("KILL " + EngineHarness.OTHER_VIRTUAL_ID),
            Packets.command(Command.COM_PING),
            Packets.command(Command.COM_PROCESS_KILL, "05000060"),
            Packets.command(Command.COM_STMT_PREPARE, "'SELECT ?'"),
            Packets.command(Command.COM_STMT_EXECUTE, "01000000 01 01000000"),
            Packets.command(Command.COM_STMT_CLOSE, "01000000"),
            Packets.command(Command.COM_STMT_FETCH, "01000000 01000000"),
            Packets.command(Command.COM_INIT_DB, "'x'"),
            Packets.command(Command.COM_STATISTICS),
            Packets.command(Command.COM_FIELD_LIST, "'t'", "00"),
            Packets.command(Command.COM_RESET_CONNECTION),
            Packets.command(Command.COM_CHANGE_USER, "'bob'", "00 00 00 2d00 00 00"),
            Packets.command(Command.COM_CHANGE_USER, "'b'", "00 01", "'p'", "00 2d00", "'mysql_clear_password'", "00"),
            Hex.packet(2, "'file'"),
            Hex.packet(2),
            Hex.packet(0),
            Packets.command(Command.COM_BINLOG_DUMP, "00000000"));

    private static final List<byte[]> RESPONSES = List.of(
            Packets.ok(1),
            Packets.ok(2),
            Hex.packet(1, Packets.OK_IN_TRANSACTION),
            Packets.err(1, "no"),
            Packets.resultSet(),
            Hex.packet(1, "fb", "'file'"),
            Hex.packet(1, "00 01000000 0000 0000 00 0000"),
            Hex.packet(1, "00 00 00 0240 0000", "00", "06", "01 04 03", "'two'"),
            Hex.packet(1, "fe 00 00 4200 0000"));

    private static final List<byte[]> LOGIN_FROM_BACKEND = List.of(
            Packets.greeting(),
            Packets.greeting("caching_sha2_password"),
            Packets.ok(2),
            Packets.err(2, "no"),
            Hex.packet(2, "fe", "'mysql_native_password'", "00"),
            Hex.packet(2, "fe", "'sha256_password'", "00", "'abcdefghijklmnopqrst'", "00"),
            Hex.packet(2, "fe", "'mysql_clear_password'", "00"),
            Hex.packet(2, "fe", "'caching_sha2_password'", "00", "'abcdefghijklmnopqrst'", "00"),
            Hex.packet(2, "01 04"),
            Hex.packet(2, "01 03"));

    private static final List<String> PLUGINS =
            List.of("mysql_native_password", "caching_sha2_password", "sha256_password", "mysql_clear_password");

    @Test
    void damagedConversationsEndInAnOrderlyWay() {
        int ends = 0;
        int logins = 0;
        for (int seed = 0; seed < RUNS; seed++) {
            MemoryAdapter adapter = run(new Random(seed));
            if (adapter.end != null) {
                ends++;
                assertThat(adapter.end.reason())
                        .as("seed " + seed + ": " + adapter.end)
                        .isNotEqualTo(EndReason.INTERNAL);
            }
            if (adapter.engine.login() != null) {
                logins++;
            }
        }
        // The fuzzing reaches all phases, else it would prove nothing.
        assertThat(ends).isBetween(RUNS / 3, RUNS);
        assertThat(logins).isGreaterThan(RUNS / 10);
    }

    private static MemoryAdapter run(Random random) {
        SessionConfig config = Packets.config(mode(random), mode(random));
        int largest = random.nextBoolean() ? 10_000 : 1 + random.nextInt(50);
        MemoryAdapter adapter = new MemoryAdapter(config, available -> 1 + random.nextInt(largest));
        adapter.event(adapter.engine::backendConnected);
        if (random.nextInt(10) > 0) {
            logIn(adapter, random);
        }
        int steps = 1 + random.nextInt(30);
        for (int i = 0; i < steps && adapter.end == null; i++) {
            step(adapter, random);
        }
        return adapter;
    }

    /** As far as it gets, or as the random numbers want. */
    private static void logIn(MemoryAdapter adapter, Random random) {
        int steps = random.nextInt(8);
        String plugin = PLUGINS.get(random.nextInt(PLUGINS.size()));
        adapter.fromBackend(Packets.greeting(plugin));
        int sequenceId = 1;
        if (steps > 0 && random.nextBoolean()) {
            adapter.fromClient(Packets.sslRequest(Packets.CLIENT_CAPABILITIES));
            adapter.event(adapter.engine::clientTlsStarted);
            sequenceId++;
        }
        if (steps > 1) {
            byte[] response = Packets.bytes(
                    Packets.response(Packets.CLIENT_CAPABILITIES, plugin, Bytes.ofUtf8("reply"))
                            .encode(),
                    sequenceId);
            adapter.fromClient(random.nextInt(5) == 0 ? damaged(List.of(response), random) : response);
            adapter.event(adapter.engine::backendTlsStarted);
        }
        if (steps > 3 && adapter.engine.phase() == SessionPhase.AUTHENTICATION) {
            adapter.fromBackend(Packets.ok(2));
        }
    }

    private static void step(MemoryAdapter adapter, Random random) {
        switch (random.nextInt(25)) {
            case 0 -> adapter.event(adapter.engine::clientTlsStarted);
            case 1 -> adapter.event(adapter.engine::backendTlsStarted);
            case 2 -> {
                if (random.nextInt(10) == 0) {
                    adapter.event(() -> adapter.engine.backendClosed("lost"));
                }
            }
            case 3 -> {
                if (random.nextInt(10) == 0) {
                    adapter.event(adapter.engine::drain);
                }
            }
            case 4 -> adapter.fromClient(junk(random));
            case 5 -> adapter.fromBackend(junk(random));
            case 6, 7, 8, 9, 10, 11, 12, 13, 14 -> fromClient(adapter, random);
            case 15 -> inject(adapter);
            default -> fromBackend(adapter, random);
        }
    }

    private static void inject(MemoryAdapter adapter) {
        int[] heard = {0};
        adapter.event(() -> adapter.engine.execute("KILL QUERY 1", outcome -> {
            if (++heard[0] > 1) {
                throw new AssertionError("told twice: " + outcome);
            }
        }));
    }

    private static void fromClient(MemoryAdapter adapter, Random random) {
        if (adapter.engine.phase() != SessionPhase.COMMANDS || random.nextInt(20) == 0) {
            adapter.fromClient(damaged(LOGIN_FROM_CLIENT, random));
        } else {
            adapter.fromClient(damaged(COMMANDS, random));
        }
    }

    private static void fromBackend(MemoryAdapter adapter, Random random) {
        Command command = adapter.engine.commandInFlight();
        if (command == null && adapter.engine.phase() == SessionPhase.COMMANDS && random.nextInt(20) > 0) {
            return;
        }
        boolean login = adapter.engine.phase() != SessionPhase.COMMANDS;
        List<byte[]> fitting = command == Command.COM_QUERY ? List.of(Packets.resultSet(), Packets.ok(1)) : RESPONSES;
        adapter.fromBackend(damaged(login ? LOGIN_FROM_BACKEND : random.nextBoolean() ? fitting : RESPONSES, random));
    }

    private static byte[] damaged(List<byte[]> packets, Random random) {
        byte[] packet = packets.get(random.nextInt(packets.size())).clone();
        switch (random.nextInt(12)) {
            case 0 -> packet[random.nextInt(packet.length)] = (byte) random.nextInt();
            case 1 -> packet[random.nextInt(4)] = (byte) random.nextInt();
            case 2 -> {
                return Arrays.copyOf(packet, random.nextInt(packet.length));
            }
            case 3 -> {
                return Arrays.copyOf(packet, packet.length + random.nextInt(20));
            }
            default -> {}
        }
        return packet;
    }

    private static byte[] junk(Random random) {
        byte[] junk = new byte[random.nextInt(40)];
        random.nextBytes(junk);
        return junk;
    }

    private static TlsMode mode(Random random) {
        return MODES.get(random.nextInt(MODES.size()));
    }
}
