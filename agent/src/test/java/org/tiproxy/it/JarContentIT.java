package org.tiproxy.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.List;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;

/** What the jar that people download contains. */
class JarContentIT {
    @Test
    void everyClassIsBelowOurOwnPackage() throws Exception {
        try (JarFile jar = new JarFile(TiProxyJar.JAR.toFile())) {
            List<String> foreign = jar.stream()
                    .map(entry -> entry.getName())
                    .filter(name -> name.endsWith(".class"))
                    .map(name -> name.replaceFirst("^META-INF/versions/\\d+/", ""))
                    .filter(name -> !name.startsWith("org/tiproxy/"))
                    .toList();
            assertThat(foreign).isEmpty();
        }
    }

    @Test
    void noServiceOfOursLeaksUnderAForeignName() throws Exception {
        try (JarFile jar = new JarFile(TiProxyJar.JAR.toFile())) {
            List<String> services = jar.stream()
                    .map(entry -> entry.getName())
                    .filter(name -> name.startsWith("META-INF/services/") && !name.endsWith("/"))
                    .map(name -> name.substring("META-INF/services/".length()))
                    .filter(name -> !name.startsWith("org.tiproxy."))
                    .toList();
            assertThat(services).isEmpty();
        }
    }

    @Test
    void signaturesAndModuleDescriptorsOfOthersAreLeftOut() throws Exception {
        try (JarFile jar = new JarFile(TiProxyJar.JAR.toFile())) {
            assertThat(jar.stream().map(entry -> entry.getName()))
                    .noneMatch(name ->
                            name.endsWith("module-info.class") || name.matches("META-INF/[^/]+\\.(SF|RSA|DSA)"));
            assertThat(jar.getManifest().getMainAttributes().getValue("Main-Class"))
                    .isEqualTo("org.tiproxy.cli.Main");
            assertThat(jar.getManifest().getMainAttributes().getValue("Premain-Class"))
                    .as("it is no javaagent yet")
                    .isNull();
        }
    }

    @Test
    void theJarIsSmallEnoughForAnAgent() throws Exception {
        assertThat(Files.size(TiProxyJar.JAR)).isLessThan(12L << 20);
    }
}
