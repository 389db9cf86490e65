package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.tiproxy.wire.protocol.Command;

class CommandQueueTest {
    @Test
    void commandsComeOutAsTheyWentIn() {
        CommandQueue queue = new CommandQueue();
        int in = 0;
        int out = 0;
        // Grows, wraps around, and shrinks again.
        for (int round = 1; round < 40; round++) {
            for (int i = 0; i < round; i++) {
                queue.add(command(in), in & 0xff, -in);
                queue.newestEndedWith((in + 1) & 0xff);
                in++;
            }
            for (int i = 0; i < round - 1 || (round % 10 == 0 && !queue.isEmpty()); i++) {
                assertThat(queue.command()).isEqualTo(command(out));
                assertThat(queue.sequenceId()).isEqualTo((out + 1) & 0xff);
                assertThat(queue.statementId()).isEqualTo(-out);
                queue.removeOldest();
                out++;
            }
            assertThat(queue.size()).isEqualTo(in - out);
        }
    }

    /** All command bytes, and those that stand for no command. */
    private static Command command(int number) {
        return Command.of((byte) number);
    }
}
