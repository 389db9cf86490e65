package org.tiproxy.pool.multiplex;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MultiplexedConnectionTest {
    /** A transport in memory: what is written is kept, what the peer says is said by the test. */
    private static final class Pipe implements Transport {
        final List<ByteBuffer> written = new ArrayList<>();
        Receiver receiver;
        boolean closed;

        @Override
        public void start(Receiver newReceiver) {
            receiver = newReceiver;
        }

        @Override
        public void write(ByteBuffer bytes) {
            written.add(bytes);
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                receiver.closed(null);
            }
        }

        void say(long id, String text) {
            receiver.received(TestCodec.frame(id, text));
        }
    }

    private record Task(long when, Runnable work) {}

    private final PriorityQueue<Task> tasks = new PriorityQueue<>(Comparator.comparingLong(Task::when));
    private long now;
    private final Pipe pipe = new Pipe();
    private final MultiplexedConnection connection = new MultiplexedConnection(
            "test", pipe, new TestCodec(), () -> now, (task, delay) -> tasks.add(new Task(now + delay, task)));

    private void pass(Duration duration) {
        long end = now + duration.toNanos();
        while (!tasks.isEmpty() && tasks.element().when <= end) {
            Task task = tasks.remove();
            now = Math.max(now, task.when);
            task.work.run();
        }
        now = end;
    }

    private static String text(CompletableFuture<ByteBuffer> answer) {
        assertThat(answer).isCompleted();
        return TestCodec.text(answer.join());
    }

    @Test
    void answersMayComeInAnyOrder() {
        CompletableFuture<ByteBuffer> first = connection.putRequest(1);
        CompletableFuture<ByteBuffer> second = connection.putRequest(2);
        pipe.say(2, "two");
        assertThat(first).isNotDone();
        pipe.say(1, "one");
        assertThat(text(first)).isEqualTo("one");
        assertThat(text(second)).isEqualTo("two");
        assertThat(connection.inFlight()).isZero();
    }

    @Test
    void requestsGetIdsOfTheirOwn() {
        CompletableFuture<ByteBuffer> answer =
                connection.request(id -> TestCodec.frame(id, "ask"), Duration.ofSeconds(1));
        assertThat(new TestCodec().requestId(pipe.written.get(0))).isEqualTo(1);
        pipe.say(1, "answer");
        assertThat(text(answer)).isEqualTo("answer");
    }

    @Test
    void aDuplicateIdFailsAloneAndTheFirstIsNotDisturbed() {
        CompletableFuture<ByteBuffer> first = connection.putRequest(7);
        assertThatThrownBy(connection.putRequest(7)::join)
                .hasRootCauseInstanceOf(IllegalStateException.class)
                .hasRootCauseMessage("request id 7 is already in flight on the connection to test");
        pipe.say(7, "x");
        assertThat(text(first)).isEqualTo("x");
        assertThat(connection.putRequest(7)).isNotDone();
    }

    @Test
    void anAnswerThatNobodyAskedForClosesTheConnection() {
        CompletableFuture<ByteBuffer> other = connection.putRequest(1);
        pipe.say(99, "?");
        assertThat(connection.isOpen()).isFalse();
        assertThat(pipe.closed).isTrue();
        assertThatThrownBy(other::join)
                .hasMessageContaining("was lost: an answer to request id 99, which nobody asked");
    }

    @Test
    void unsolicitedFramesAreDropped() {
        CompletableFuture<ByteBuffer> answer = connection.putRequest(1);
        pipe.say(0, "heartbeat");
        assertThat(connection.isOpen()).isTrue();
        pipe.say(1, "x");
        assertThat(answer).isCompleted();
    }

    @Test
    void everyRequestInFlightFailsWithTheConnectionAndEveryLaterOneToo() {
        List<CompletableFuture<ByteBuffer>> all = new ArrayList<>();
        for (int i = 1; i <= 100; i++) {
            all.add(connection.putRequest(i));
        }
        pipe.receiver.closed(new IOException("reset"));
        all.add(connection.putRequest(101));
        for (CompletableFuture<ByteBuffer> one : all) {
            assertThat(one).isCompletedExceptionally();
            assertThatThrownBy(one::join)
                    .hasCauseInstanceOf(IOException.class)
                    .hasMessageContaining("the connection to test was lost: reset");
        }
        assertThat(connection.inFlight()).isZero();
        assertThat(connection.closed()).isCompleted();
    }

    @Test
    void aCancelledRequestKeepsItsIdUntilItsAnswerHasCome() {
        CompletableFuture<ByteBuffer> cancelled = connection.putRequest(1);
        cancelled.cancel(false);
        assertThat(connection.putRequest(1)).isCompletedExceptionally();
        pipe.say(1, "late");
        CompletableFuture<ByteBuffer> again = connection.putRequest(1);
        assertThat(again).as("not given the late answer").isNotDone();
        pipe.say(1, "fresh");
        assertThat(text(again)).isEqualTo("fresh");
        assertThat(connection.isOpen()).isTrue();
    }

    @Test
    void requestsTimeOutOneByOne() {
        CompletableFuture<ByteBuffer> shortOne = connection.putRequest(1, Duration.ofMillis(100));
        CompletableFuture<ByteBuffer> longOne = connection.putRequest(2, Duration.ofMillis(500));
        CompletableFuture<ByteBuffer> shorter = connection.putRequest(3, Duration.ofMillis(50));
        CompletableFuture<ByteBuffer> unlimited = connection.putRequest(4);
        pass(Duration.ofMillis(60));
        assertThat(shorter).isCompletedExceptionally();
        assertThat(shortOne).isNotDone();
        pass(Duration.ofMillis(60));
        assertThatThrownBy(shortOne::join)
                .hasCauseInstanceOf(TimeoutException.class)
                .hasMessageContaining("no answer from test within 100 ms");
        pass(Duration.ofMillis(600));
        assertThat(longOne).isCompletedExceptionally();
        assertThat(unlimited).isNotDone();
        assertThat(tasks).isEmpty();
    }

    @Test
    void aPeerThatAnswersNobodyLosesTheConnection() {
        for (int i = 1; i <= MultiplexedConnection.MAX_ABANDONED; i++) {
            connection.putRequest(i).cancel(false);
        }
        pass(Duration.ZERO);
        assertThat(connection.isOpen()).isTrue();
        connection.putRequest(99_999).cancel(false);
        pass(Duration.ZERO);
        assertThat(connection.isOpen()).isFalse();
    }

    @Test
    void aFrameThatIsTooLongClosesTheConnection() {
        pipe.receiver.received(ByteBuffer.allocate(4).putInt(1 << 30).flip());
        assertThat(connection.isOpen()).isFalse();
        assertThatThrownBy(connection.putRequest(1)::join).hasMessageContaining("longer than 16777216");
    }

    @Test
    void anEncoderThatThrowsLeavesNothingBehind() {
        assertThatThrownBy(() -> connection.request(
                        id -> {
                            throw new IllegalArgumentException("no");
                        },
                        Duration.ZERO))
                .hasMessage("no");
        assertThat(connection.inFlight()).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void framesMayArriveInAnyPieces(long seed) {
        Random random = new Random(seed);
        Map<Long, CompletableFuture<ByteBuffer>> asked = new HashMap<>();
        ByteBuffer stream = ByteBuffer.allocate(4 << 20);
        for (long id = 1; id <= 500; id++) {
            asked.put(id, connection.putRequest(id));
            stream.put(TestCodec.frame(id, "x".repeat(random.nextInt(random.nextInt(20) == 0 ? 50_000 : 50)) + id));
        }
        stream.flip();
        while (stream.hasRemaining()) {
            int size = Math.min(stream.remaining(), 1 + random.nextInt(random.nextInt(4) == 0 ? 60_000 : 20));
            ByteBuffer piece = ByteBuffer.allocate(size);
            piece.put(stream.slice(stream.position(), size)).flip();
            stream.position(stream.position() + size);
            pipe.receiver.received(piece);
            // The buffer was only lent.
            java.util.Arrays.fill(piece.array(), (byte) -1);
        }
        asked.forEach((id, answer) -> assertThat(text(answer)).endsWith(Long.toString(id)));
        assertThat(connection.isOpen()).isTrue();
    }
}
