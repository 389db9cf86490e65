package org.tiproxy.supervisor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads what the children write: from one FIFO that all of them use one after the other, or, without one, from each
 * child's pipe. Lines go to the logger {@code org.tiproxy.child}.
 *
 * <p>We hold the FIFO open for writing as well, as does the child, so its reader never meets an end of file. Instead we
 * write a line of our own into it: when the reader comes across that mark, everything written before has been read.
 * Thread-safe.
 */
final class ChildOutput implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ChildOutput.class);
    private static final Logger childLog = LoggerFactory.getLogger("org.tiproxy.child");

    private final OutputLog output = new OutputLog(childLog::info);
    private final String mark = "tiproxy-mark-" + UUID.randomUUID();
    /** One for each mark that has not been reached, oldest first. */
    private final Deque<CompletableFuture<Void>> drains = new ArrayDeque<>();

    private @Nullable FileChannel markChannel;
    private boolean closing;

    /** Reads nothing yet. */
    ChildOutput() {}

    /** Starts to read {@code fifo}. */
    void readFifo(Path fifo) throws IOException {
        // Read-write, so that the open does not wait for a writer. Two channels: a blocked read locks its own.
        FileChannel in = FileChannel.open(fifo, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            FileChannel marks = FileChannel.open(fifo, StandardOpenOption.WRITE);
            synchronized (this) {
                markChannel = marks;
            }
        } catch (IOException e) {
            in.close();
            throw e;
        }
        LineAssembler lines = new LineAssembler(mark, output::add, this::markReached);
        start(() -> pumpFifo(in, lines));
    }

    /** Starts to read the pipe of one child; ends with it. */
    void readPipe(InputStream pipe) {
        LineAssembler lines = new LineAssembler(mark, output::add, () -> {});
        start(() -> pumpPipe(pipe, lines));
    }

    /** The last lines, oldest first. */
    List<String> tail(int count) {
        return output.tail(count);
    }

    /** A new child begins: its tail starts empty. */
    void clearTail() {
        output.clearTail();
    }

    /**
     * Completes when all that was written until now has been read, or after {@code millis} at the latest; on any thread.
     */
    CompletableFuture<Void> drained(long millis) {
        CompletableFuture<Void> drained = new CompletableFuture<>();
        FileChannel channel;
        synchronized (this) {
            drains.add(drained);
            channel = closing ? null : markChannel;
        }
        // Without a FIFO the end of the pipe completes it.
        if (channel != null) {
            writeMark(channel);
        }
        return drained.completeOnTimeout(null, millis, TimeUnit.MILLISECONDS);
    }

    /** Reads what is there and ends. */
    @Override
    public void close() {
        FileChannel channel;
        synchronized (this) {
            if (closing) {
                return;
            }
            closing = true;
            drains.add(new CompletableFuture<>());
            channel = markChannel;
        }
        if (channel != null) {
            writeMark(channel);
        } else {
            output.close();
        }
    }

    private void writeMark(FileChannel channel) {
        try {
            // Shorter than PIPE_BUF: written in one piece even while the child writes.
            channel.write(ByteBuffer.wrap((mark + "\n").getBytes(StandardCharsets.US_ASCII)));
        } catch (IOException e) {
            log.debug("The mark could not be written: {}", e.toString());
        }
    }

    private void pumpFifo(FileChannel fifo, LineAssembler lines) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(65_536);
        byte[] bytes = new byte[buffer.capacity()];
        try (fifo) {
            while (!isFinished()) {
                buffer.clear();
                int count = fifo.read(buffer);
                buffer.flip().get(bytes, 0, count);
                lines.add(bytes, count);
            }
        } catch (IOException e) {
            log.warn("The child's output can no longer be read", e);
        } finally {
            finish();
        }
    }

    private void pumpPipe(InputStream pipe, LineAssembler lines) {
        byte[] bytes = new byte[65_536];
        try (pipe) {
            for (int count = pipe.read(bytes); count >= 0; count = pipe.read(bytes)) {
                lines.add(bytes, count);
            }
        } catch (IOException e) {
            log.debug("The child's pipe ended: {}", e.toString());
        }
        lines.end();
        while (markReached()) {
            // The next one.
        }
    }

    private synchronized boolean isFinished() {
        return closing && drains.isEmpty();
    }

    private boolean markReached() {
        CompletableFuture<Void> drained;
        synchronized (this) {
            drained = drains.poll();
        }
        if (drained == null) {
            return false;
        }
        drained.complete(null);
        return true;
    }

    private synchronized void finish() {
        closing = true;
        output.close();
        if (markChannel != null) {
            try {
                markChannel.close();
            } catch (IOException e) {
                log.debug("The FIFO could not be closed: {}", e.toString());
            }
        }
    }

    private static void start(Runnable reader) {
        Thread thread = new Thread(reader, "tiproxy-supervisor-output");
        thread.setDaemon(true);
        thread.start();
    }
}
