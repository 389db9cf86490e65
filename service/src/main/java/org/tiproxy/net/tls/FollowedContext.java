package org.tiproxy.net.tls;

import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A context made from files, and made anew when they have changed: sessions that began with the old one keep it.
 *
 * <p>Thread-safe; {@link #check} blocks on the file system.
 */
final class FollowedContext {
    private static final Logger log = LoggerFactory.getLogger(FollowedContext.class);

    /** Makes a context from what the files hold. */
    @FunctionalInterface
    interface Maker {
        SslContext make(TlsMaterial material) throws SSLException;
    }

    /** As much of a file's attributes as tells whether it is still the same one. Links are followed. */
    private record Version(FileTime modified, long size, String identity) {
        private static final Version MISSING = new Version(FileTime.fromMillis(0), -1, "");

        static Version of(Path file) {
            try {
                BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                return new Version(
                        attributes.lastModifiedTime(), attributes.size(), String.valueOf(attributes.fileKey()));
            } catch (IOException e) {
                return MISSING;
            }
        }
    }

    private final String section;
    private final TlsFiles files;
    private final Maker maker;
    private final Clock clock;
    private Map<Path, Version> tried;
    private Map<Path, Version> seen;
    private volatile SslContext current;

    /**
     * Reads the files for the first time.
     *
     * @param section what the log calls it
     * @throws PemException if a file cannot be used; it says which and why
     */
    FollowedContext(String section, TlsFiles files, Maker maker, Clock clock) throws PemException {
        this.section = section;
        this.files = files;
        this.maker = maker;
        this.clock = clock;
        // Before they are read: a change in the meantime is then found by the next check.
        this.tried = versions(files);
        this.seen = tried;
        this.current = make().context();
    }

    SslContext current() {
        return current;
    }

    /**
     * Reads the files if they have changed, and not since the last check: several are seldom replaced at the same moment.
     * Blocks on the file system. If they cannot be used the old context stays, and the log says why, once.
     */
    synchronized void check() {
        Map<Path, Version> now = versions(files);
        boolean settled = now.equals(seen);
        seen = now;
        if (!settled || now.equals(tried)) {
            return;
        }
        tried = now;
        try {
            Made made = make();
            current = made.context();
            log.info("{}: reloaded: {}", section, made.material().describe());
        } catch (PemException e) {
            log.warn(
                    "{}: the files have changed but cannot be used, so the old ones stay in use: {}",
                    section,
                    e.phrase());
        }
    }

    private record Made(TlsMaterial material, SslContext context) {}

    private Made make() throws PemException {
        Instant now = clock.instant();
        List<String> errors = new ArrayList<>();
        @Nullable
        TlsMaterial material = TlsMaterial.read(files, now, finding -> {
            String text = files.file(finding.role()) + ": " + finding.phrase();
            if (finding.isError()) {
                errors.add(text);
            } else {
                log.warn("{}: {}", section, text);
            }
        });
        if (material == null) {
            throw new PemException(String.join("; ", errors));
        }
        try {
            return new Made(material, maker.make(material));
        } catch (SSLException | IllegalArgumentException e) {
            throw new PemException(String.valueOf(e.getMessage()));
        }
    }

    private static Map<Path, Version> versions(TlsFiles files) {
        return files.all().collect(Collectors.toMap(file -> file, Version::of, (one, other) -> one, TreeMap::new));
    }

    @Override
    public String toString() {
        return section;
    }
}
