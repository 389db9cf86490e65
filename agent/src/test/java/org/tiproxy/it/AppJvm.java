package org.tiproxy.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** An application's JVM, with {@code -javaagent:tiproxy.jar} or without. */
final class AppJvm {
    /** Where the application's classes are. */
    static final Path CLASSES = Path.of("target", "test-classes").toAbsolutePath();

    private final List<String> options = new ArrayList<>();
    private final List<String> classPath = new ArrayList<>(List.of(CLASSES.toString()));
    private final Map<String, String> environment = new HashMap<>();
    private String java = TiProxyJar.JAVA;

    /** What was said and how it ended. */
    record Result(int status, String out, String err) {
        List<String> lines() {
            return out.lines().toList();
        }
    }

    /** The JDKs that tests run on: their own and the newest. */
    static Stream<String> jdks() {
        String newest = "/usr/lib/jvm/temurin-25-jdk-amd64/bin/java";
        return Stream.of(TiProxyJar.JAVA, newest)
                .filter(java -> Files.isExecutable(Path.of(java)))
                .distinct();
    }

    AppJvm on(String executable) {
        java = executable;
        return this;
    }

    AppJvm agent() {
        return option("-javaagent:" + TiProxyJar.JAR);
    }

    AppJvm agent(String arguments) {
        return option("-javaagent:" + TiProxyJar.JAR + "=" + arguments);
    }

    AppJvm option(String option) {
        options.add(option);
        return this;
    }

    AppJvm environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    /** The jar or folder that a class of the tests' class path is in. */
    static String jarOf(Class<?> type) {
        return type.getProtectionDomain().getCodeSource().getLocation().getPath();
    }

    AppJvm with(Class<?>... types) {
        Stream.of(types).map(AppJvm::jarOf).forEach(classPath::add);
        return this;
    }

    /** With a driver that the build has put into a folder, and that the tests' class path does not have. */
    AppJvm withDriver(String jar) {
        classPath.add(Path.of("target", "drivers", jar).toAbsolutePath().toString());
        return this;
    }

    Process start(Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(java));
        command.addAll(options);
        command.addAll(List.of("-cp", String.join(":", classPath), main.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment()
                .keySet()
                .removeIf(name -> name.startsWith("TIPROXY_") || name.equals("JAVA_TOOL_OPTIONS"));
        builder.environment().putAll(environment);
        return builder.start();
    }

    Result run(Class<?> main, String... arguments) throws Exception {
        return finish(start(main, arguments));
    }

    static Result finish(Process process) throws Exception {
        CompletableFuture<String> err = CompletableFuture.supplyAsync(() -> read(process.getErrorStream()));
        String out = read(process.getInputStream());
        if (!process.waitFor(TiProxyJar.PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new TimeoutException("the application does not end; it said:\n" + out);
        }
        return new Result(process.exitValue(), out, err.get(TiProxyJar.PATIENCE.toSeconds(), TimeUnit.SECONDS));
    }

    private static String read(java.io.InputStream stream) {
        try {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
