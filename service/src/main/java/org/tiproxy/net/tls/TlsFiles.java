package org.tiproxy.net.tls;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The files that one side's TLS is made from.
 *
 * @param certificate our certificate, followed by those between it and its CA; null for none
 * @param key the private key that belongs to it; null if there is no certificate
 * @param authorities the CAs that we trust; null for none of our own
 */
public record TlsFiles(
        @Nullable Path certificate,
        @Nullable Path key,
        @Nullable Path authorities) {

    /** No files. */
    public static final TlsFiles NONE = new TlsFiles(null, null, null);

    /** Those that there are. */
    Stream<Path> all() {
        return Stream.of(Role.values())
                .map(this::file)
                .flatMap(Stream::ofNullable)
                .distinct();
    }

    @Nullable
    Path file(Role role) {
        return switch (role) {
            case CERTIFICATE -> certificate;
            case KEY -> key;
            case AUTHORITIES -> authorities;
        };
    }

    /** What a file is for. */
    enum Role {
        CERTIFICATE,
        KEY,
        AUTHORITIES
    }
}
