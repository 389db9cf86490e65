package org.tiproxy.app;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.logging.ErrorManager;
import java.util.logging.Handler;
import java.util.logging.LogRecord;

/**
 * Writes to one file; when it is full it becomes {@code file.1}, the former {@code file.1} becomes {@code file.2} and so
 * on. ({@code java.util.logging.FileHandler} numbers the file that is being written, too.)
 */
final class RotatingFileHandler extends Handler {
    private final Path file;
    private final long maxBytes;
    private final int maxBackups;
    private OutputStream out;
    private long written;

    RotatingFileHandler(Path file, long maxBytes, int maxBackups) throws IOException {
        this.file = file;
        this.maxBytes = maxBytes;
        this.maxBackups = maxBackups;
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        this.out = open();
        this.written = Files.size(file);
    }

    private OutputStream open() throws IOException {
        return Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    @Override
    public synchronized void publish(LogRecord record) {
        if (!isLoggable(record)) {
            return;
        }
        byte[] line = getFormatter().format(record).getBytes(StandardCharsets.UTF_8);
        try {
            if (written > 0 && written + line.length > maxBytes) {
                rotate();
            }
            out.write(line);
            written += line.length;
        } catch (IOException e) {
            reportError("cannot write " + file, e, ErrorManager.WRITE_FAILURE);
        }
    }

    private void rotate() throws IOException {
        out.close();
        for (int i = maxBackups; i >= 1; i--) {
            Path from = i == 1 ? file : backup(i - 1);
            if (Files.exists(from)) {
                Files.move(from, backup(i), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        if (maxBackups == 0) {
            Files.delete(file);
        }
        out = open();
        written = 0;
    }

    private Path backup(int number) {
        return file.resolveSibling(file.getFileName() + "." + number);
    }

    @Override
    public synchronized void flush() {
        // Every line is written at once.
    }

    @Override
    public synchronized void close() {
        try {
            out.close();
        } catch (IOException e) {
            reportError("cannot close " + file, e, ErrorManager.CLOSE_FAILURE);
        }
    }
}
