package org.tiproxy.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.time.LocalDateTime;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the jar that people download contains. An application that is given it as an agent has it on its class path. */
class JarContentIT {
    private static final String HIDDEN = "tiproxy/";

    private static List<String> names() throws Exception {
        try (JarFile jar = new JarFile(TiProxyJar.JAR.toFile())) {
            return jar.stream().map(ZipEntry::getName).toList();
        }
    }

    @Test
    void atTheRootThereIsOnlyWhatTheJvmCalls() throws Exception {
        assertThat(names())
                .filteredOn(name -> !name.startsWith(HIDDEN))
                .allMatch(name -> name.matches("META-INF/(MANIFEST\\.MF|LICENSE|NOTICE)"
                        + "|org/tiproxy/agent/[^/]+\\.class|org/tiproxy/agent/bootstrap/[^/]+\\.class"))
                .contains("org/tiproxy/agent/TiProxyAgent.class", "org/tiproxy/agent/bootstrap/Bridge.class");
    }

    @Test
    void everyClassIsBelowOurOwnPackage() throws Exception {
        assertThat(names())
                .filteredOn(name -> name.endsWith(".class"))
                .allMatch(name -> name.replaceFirst("^" + HIDDEN, "").startsWith("org/tiproxy/"))
                .contains(
                        HIDDEN + "org/tiproxy/cli/Main.class",
                        HIDDEN + "org/tiproxy/shaded/net/bytebuddy/jar/asm/ClassReader.class");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "org.tiproxy.pool.ConnectionPool",
                "org.tiproxy.cli.Main",
                "org.tiproxy.agent.install.AgentInstaller",
                "org.tiproxy.shaded.org.slf4j.Logger",
                "org.slf4j.Logger",
                "net.bytebuddy.ByteBuddy"
            })
    void anApplicationWithTheJarOnItsClassPathCannotLoadWhatIsHidden(String name) throws Exception {
        URL[] classPath = {TiProxyJar.JAR.toUri().toURL()};
        try (URLClassLoader application = new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader())) {
            assertThat(application.loadClass("org.tiproxy.agent.TiProxyAgent")).isNotNull();
            assertThat(application.getResource(name.replace('.', '/') + ".class"))
                    .isNull();
        }
    }

    @Test
    void noServiceOfOursLeaksUnderAForeignName() throws Exception {
        assertThat(names())
                .filteredOn(name -> name.contains("META-INF/services/"))
                .isNotEmpty()
                .allMatch(name -> name.startsWith(HIDDEN + "META-INF/services/org.tiproxy."));
    }

    @Test
    void signaturesModuleDescriptorsAndVersionsForOtherJdksAreLeftOut() throws Exception {
        // AgentClassLoader does not look for the latter.
        assertThat(names())
                .noneMatch(name -> name.endsWith("module-info.class")
                        || name.matches(".*META-INF/[^/]+\\.(SF|RSA|DSA)")
                        || name.contains("META-INF/versions/"));
    }

    @Test
    void theManifestNamesBothWaysIn() throws Exception {
        try (JarFile jar = new JarFile(TiProxyJar.JAR.toFile())) {
            Attributes manifest = jar.getManifest().getMainAttributes();
            assertThat(manifest.getValue("Main-Class")).isEqualTo("org.tiproxy.agent.Main");
            assertThat(manifest.getValue("Premain-Class")).isEqualTo("org.tiproxy.agent.TiProxyAgent");
            assertThat(manifest.getValue("Agent-Class")).isEqualTo("org.tiproxy.agent.TiProxyAgent");
            assertThat(manifest.getValue("Can-Retransform-Classes")).isEqualTo("true");
            assertThat(manifest.getValue("Can-Redefine-Classes")).isEqualTo("true");
            assertThat(manifest.getValue("Implementation-Version")).isNotEmpty();
        }
    }

    @Test
    void twoBuildsOfTheSameSourceGiveTheSameBytes() throws Exception {
        try (JarFile jar = new JarFile(TiProxyJar.JAR.toFile())) {
            List<ZipEntry> entries = jar.stream().map(entry -> (ZipEntry) entry).toList();
            assertThat(entries)
                    .extracting(ZipEntry::getTimeLocal)
                    .as("written as it stands, in any time zone")
                    .containsOnly(LocalDateTime.of(2026, 11, 21, 0, 0));
            assertThat(entries)
                    .filteredOn(entry -> entry.getExtra() != null)
                    .as("with further times")
                    .extracting(ZipEntry::getName)
                    .containsExactly("META-INF/MANIFEST.MF");
            assertThat(names()).first().isEqualTo("META-INF/MANIFEST.MF");
            assertThat(names())
                    .filteredOn(name -> name.startsWith(HIDDEN + "org/"))
                    .as("in the order of their names, which no file system decides")
                    .isSorted();
            assertThat(jar.getManifest().getMainAttributes().getValue("Created-By"))
                    .as("names no JDK")
                    .startsWith("Maven");
        }
    }

    @Test
    void theJarIsSmallEnoughForAnAgent() throws Exception {
        assertThat(Files.size(TiProxyJar.JAR)).isLessThan(12L << 20);
    }
}
