package org.tiproxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The program in POOL.md compiles, runs and does what is said of it. */
class PoolDocumentTest {
    private final AtomicInteger accepted = new AtomicInteger();

    @Test
    @Timeout(60)
    void theExampleWorks(@TempDir Path folder) throws Exception {
        String document = Files.readString(Path.of("POOL.md"));
        int start = document.indexOf("```java\n") + "```java\n".length();
        Path source = folder.resolve("PoolExample.java");
        Files.writeString(source, document.substring(start, document.indexOf("```", start)));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        boolean compiled = compiler.getTask(
                        null,
                        null,
                        null,
                        List.of("-d", folder.toString(), "-proc:none", "-cp", System.getProperty("java.class.path")),
                        null,
                        compiler.getStandardFileManager(null, null, null).getJavaFileObjects(source))
                .call();
        assertThat(compiled).isTrue();
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
                URLClassLoader loader = new URLClassLoader(
                        new URL[] {folder.toUri().toURL()}, getClass().getClassLoader())) {
            Thread thread = new Thread(() -> serve(server));
            thread.setDaemon(true);
            thread.start();
            loader.loadClass("PoolExample").getMethod("main", String[].class).invoke(null, (Object)
                    new String[] {"127.0.0.1:" + server.getLocalPort()});
        }
        assertThat(accepted).hasValue(1);
    }

    private void serve(ServerSocket server) {
        try {
            while (true) {
                Socket peer = server.accept();
                accepted.incrementAndGet();
                Thread thread = new Thread(() -> pong(peer));
                thread.setDaemon(true);
                thread.start();
            }
        } catch (IOException e) {
            // The test is over.
        }
    }

    private static void pong(Socket peer) {
        try (peer) {
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(peer.getInputStream(), StandardCharsets.US_ASCII));
            while (in.readLine() != null) {
                peer.getOutputStream().write("+PONG\r\n".getBytes(StandardCharsets.US_ASCII));
            }
        } catch (IOException e) {
            // Closed by the example.
        }
    }
}
