package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Command;

/** However the streams of both peers are cut into chunks, the same bytes come out and the same is reported. */
class ConversationSplitTest {
    private static final int RANDOM_RUNS = 300;

    @Test
    void anySplitGivesTheSameConversation() {
        List<Object> whole = converse(available -> available);
        assertThat(converse(available -> 1)).isEqualTo(whole);
        assertThat(converse(available -> 2)).isEqualTo(whole);
        assertThat(converse(available -> 5)).isEqualTo(whole);
        for (int seed = 0; seed < RANDOM_RUNS; seed++) {
            Random random = new Random(seed);
            int largest = 1 + random.nextInt(400);
            assertThat(converse(available -> 1 + random.nextInt(largest)))
                    .as("seed " + seed)
                    .isEqualTo(whole);
        }
    }

    private static List<Object> converse(IntUnaryOperator chunkSizes) {
        MemoryHarness session = new MemoryHarness(Packets.plain(), chunkSizes);
        EngineHarness.Peer client = session.client();
        EngineHarness.Peer backend = session.backend();
        List<Object> out = new ArrayList<>();
        backend.send(Packets.greeting());
        client.send(Packets.response(1));
        backend.send(Hex.packet(2, "fe", "'mysql_native_password'", "00"));
        client.send(Hex.packet(3, "'reply'"), Packets.query("SELECT 0"));
        backend.send(Packets.ok(4));
        backend.send(Packets.resultSet());
        client.send(
                Packets.query("SELECT 1"),
                Packets.query("KILL " + EngineHarness.OTHER_VIRTUAL_ID),
                Packets.command(Command.COM_STMT_PREPARE, "'SELECT ?'"),
                Packets.bytes(new PayloadWriter().int1(3).bytes(new byte[3000]), 0),
                Packets.command(Command.COM_STMT_SEND_LONG_DATA, "01000000 0000", "'long'"),
                Packets.command(Command.COM_STMT_EXECUTE, "ffffffff 01 01000000"),
                Packets.command(Command.COM_INIT_DB, "'other'"),
                Packets.command(Command.COM_CHANGE_USER, "'bob'", "00 00 00 2d00 00 00"),
                Packets.command(Command.COM_PING),
                Packets.query("LOAD DATA .."));
        backend.send(
                Packets.resultSet(),
                Packets.err(1, "unknown thread"),
                Hex.packet(1, "00 01000000 0000 0000 00 0000"),
                Hex.packet(1, Packets.OK_IN_TRANSACTION),
                Hex.packet(1, "01"),
                Hex.packet(2, "03", "'def'"),
                Hex.packet(3, "fe 00 00 4200 0000"),
                Packets.ok(1));
        out.add(session.engine().openCursors());
        backend.send(Hex.packet(1, "fe", "'mysql_native_password'", "00"));
        client.send(Hex.packet(2, "'again'"));
        backend.send(Packets.ok(3));
        backend.send(Packets.ok(1), Hex.packet(1, "fb", "'file'"));
        client.send(Hex.packet(2, "'data'"), Hex.packet(3), Packets.command(Command.COM_QUIT));
        backend.send(Packets.ok(4));
        backend.close();
        out.add(List.copyOf(session.adapter.events));
        out.add(session.end());
        out.add(List.of(toList(client.receiveRest()), toList(backend.receiveRest())));
        return out;
    }

    private static List<Byte> toList(byte[] bytes) {
        List<Byte> list = new ArrayList<>();
        for (byte value : bytes) {
            list.add(value);
        }
        return list;
    }
}
