package org.tiproxy.supervisor;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * A server whose behaviour its arguments choose, in this order: {@code print=TEXT}, {@code spam=LINES}, {@code
 * ignoreTerm}, {@code fork} (a descendant that sleeps), {@code exit=STATUS}, {@code hang} (never listens), {@code
 * delay=MILLIS}, {@code port=PORT}. Anything else is ignored. A client sends lines: {@code pid}, {@code print TEXT}, {@code exit STATUS}.
 */
final class TestChild {
    static final String JAVA =
            Path.of(System.getProperty("java.home"), "bin", "java").toString();

    private TestChild() {}

    /** What the JVM is told before the behaviour. */
    static List<String> jvmArguments() {
        return List.of(
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx32m",
                "-cp",
                Path.of(TestChild.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .getPath())
                        .toString(),
                TestChild.class.getName());
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        int port = 0;
        for (String arg : args) {
            String value = arg.substring(arg.indexOf('=') + 1);
            switch (arg.replaceAll("=.*", "")) {
                case "print" -> out.println(value);
                case "spam" -> spam(out, Integer.parseInt(value));
                case "ignoreTerm" -> Runtime.getRuntime().addShutdownHook(new Thread(TestChild::hang));
                case "fork" -> fork(out);
                case "exit" -> System.exit(Integer.parseInt(value));
                case "hang" -> hang();
                case "delay" -> Thread.sleep(Long.parseLong(value));
                case "port" -> port = Integer.parseInt(value);
                default -> {
                    // Only there to be seen on the command line.
                }
            }
        }
        serve(port, out);
    }

    private static void spam(PrintStream out, int lines) {
        for (int i = 1; i <= lines; i++) {
            out.println("spam " + i);
        }
    }

    private static void fork(PrintStream out) throws IOException {
        out.println("descendant "
                + new ProcessBuilder("sleep", "1000").inheritIO().start().pid());
    }

    private static void hang() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void serve(int port, PrintStream out) throws IOException {
        try (ServerSocket server = new ServerSocket(port, 1000, InetAddress.getLoopbackAddress())) {
            while (true) {
                Socket client = server.accept();
                new Thread(() -> talk(client, out)).start();
            }
        }
    }

    private static void talk(Socket client, PrintStream out) {
        try (client;
                BufferedReader in =
                        new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8))) {
            PrintStream answer = new PrintStream(client.getOutputStream(), true, StandardCharsets.UTF_8);
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String value = line.substring(line.indexOf(' ') + 1);
                if (line.startsWith("print ")) {
                    out.println(value);
                } else if (line.startsWith("exit ")) {
                    System.exit(Integer.parseInt(value));
                }
                answer.println(ProcessHandle.current().pid());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
