package org.tiproxy.examples.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where things are, whichever folder of the project the tests run in. */
public final class ProjectFiles {
    private static final Path SERVER_SCRIPT = Path.of("examples", "quickstart", "mariadb.sh");

    private ProjectFiles() {}

    /** The top folder of the project. */
    public static Path root() {
        Path start = Path.of("").toAbsolutePath();
        for (Path folder = start; folder != null; folder = folder.getParent()) {
            if (Files.isRegularFile(folder.resolve(SERVER_SCRIPT))) {
                return folder;
            }
        }
        throw new IllegalStateException("neither " + start + " nor a folder above it has " + SERVER_SCRIPT);
    }

    /** The script that becomes the database's server. */
    public static Path serverScript() {
        return root().resolve(SERVER_SCRIPT);
    }

    /** {@code tiproxy.jar} as the build has made it. */
    public static Path agentJar() {
        return existing(root().resolve(Path.of("agent", "target", "tiproxy.jar")));
    }

    /**
     * What the build has made of the example whose tests run.
     *
     * @param name below the folder {@code target}
     */
    public static Path built(String name) {
        return existing(Path.of("target", name).toAbsolutePath());
    }

    private static Path existing(Path file) {
        if (!Files.exists(file)) {
            throw new IllegalStateException(file + " is not there; the phase \"package\" of the build makes it");
        }
        return file;
    }

    /** A port of the loopback interface that nobody listens on. */
    public static int freePort() {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
