package org.tiproxy.supervisor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.HostPort;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

/**
 * The files of one supervised address: {@code <address>.lock}, held while we live; {@code <address>.properties}, which
 * names the running child; {@code <address>.out}, the FIFO of its output. The directory is readable by our user only.
 */
final class StateDirectory implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(StateDirectory.class);

    /**
     * The locks of this JVM. A second attempt must not even open the file: closing it again would give up the first
     * one's lock, as POSIX locks go.
     */
    private static final Set<Path> LOCKED = ConcurrentHashMap.newKeySet();

    private final Path lockFile;
    private final Path recordFile;
    private final Path fifo;
    private final FileChannel lockChannel;

    private StateDirectory(Path lockFile, Path recordFile, Path fifo, FileChannel lockChannel) {
        this.lockFile = lockFile;
        this.recordFile = recordFile;
        this.fifo = fifo;
        this.lockChannel = lockChannel;
    }

    /**
     * Makes the directory if need be and takes the lock of {@code address}.
     *
     * @throws ProxyException if another proxy holds the lock, or the directory cannot be used
     */
    static StateDirectory open(Path directory, HostPort address) throws ProxyException {
        String name = address.toString().replaceAll("[^A-Za-z0-9.-]", "_");
        try {
            prepare(directory);
            Path real = directory.toRealPath();
            Path lockFile = real.resolve(name + ".lock");
            if (!LOCKED.add(lockFile)) {
                throw taken(address, lockFile, "this process");
            }
            try {
                FileChannel channel = lock(address, lockFile);
                return new StateDirectory(
                        lockFile, real.resolve(name + ".properties"), real.resolve(name + ".out"), channel);
            } catch (IOException | ProxyException | RuntimeException e) {
                LOCKED.remove(lockFile);
                throw e;
            }
        } catch (IOException e) {
            throw new ProxyException(
                    ProxyError.BACKEND_START_FAILED,
                    "the state directory " + directory + " cannot be used (" + e + "); name another one");
        }
    }

    private static void prepare(Path directory) throws IOException, ProxyException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(directory.toAbsolutePath());
            if (isPosix(directory)) {
                Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
            }
        } else if (isPosix(directory)
                && Files.getPosixFilePermissions(directory).contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new ProxyException(
                    ProxyError.BACKEND_START_FAILED,
                    "the state directory " + directory + " may be written by everybody, who could thus make the proxy "
                            + "end any process of its user; name a directory of its own");
        }
    }

    private static FileChannel lock(HostPort address, Path lockFile) throws IOException, ProxyException {
        FileChannel channel = FileChannel.open(
                lockFile, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock == null) {
                throw taken(
                        address, lockFile, "pid " + Files.readString(lockFile).trim());
            }
            channel.truncate(0);
            channel.write(ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)));
            return channel;
        } catch (IOException | ProxyException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static ProxyException taken(HostPort address, Path lockFile, String holder) {
        return new ProxyException(
                ProxyError.BACKEND_ADDRESS_TAKEN,
                "another proxy (" + holder + ") already starts and stops the backend at " + address + " (it holds "
                        + lockFile + "); stop that one, or use another backend address or state directory");
    }

    /** Where the FIFO of the child's output is, or will be. */
    Path fifo() {
        return fifo;
    }

    /** The child that was recorded last and not erased. */
    Optional<ChildRecord> read() {
        try {
            return ChildRecord.read(recordFile);
        } catch (IOException e) {
            log.warn("{} cannot be read and is ignored: {}", recordFile, e.toString());
            return Optional.empty();
        }
    }

    /** Records a child, in one step: a reader sees the old record or the new one. */
    void write(ChildRecord record) throws IOException {
        Path fresh = recordFile.resolveSibling(recordFile.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        if (isPosix(lockFile)) {
            Files.createFile(fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        }
        Files.writeString(fresh, record.text());
        Files.move(fresh, recordFile, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** The recorded child has ended. */
    void erase() {
        delete(recordFile);
    }

    /** Removes the FIFO and gives up the lock. The lock file stays: removing it would let two others each have one. */
    @Override
    public void close() {
        delete(fifo);
        try {
            lockChannel.close();
        } catch (IOException e) {
            log.debug("{} could not be closed: {}", lockFile, e.toString());
        }
        LOCKED.remove(lockFile);
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            log.warn("{} cannot be removed: {}", file, e.toString());
        }
    }

    private static boolean isPosix(Path path) {
        return Files.getFileAttributeView(path, PosixFileAttributeView.class) != null;
    }
}
