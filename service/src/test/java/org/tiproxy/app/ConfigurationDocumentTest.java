package org.tiproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;
import org.tiproxy.config.SettingsReader;

class ConfigurationDocumentTest {
    private static final Path DOCUMENT = Path.of("CONFIGURATION.md");

    static List<Key<?>> keys() {
        return TiProxyConfig.KEYS;
    }

    private static String row(Key<?> key) {
        String secretFile = key.isSecret() ? ", `" + key.path() + "-file`" : "";
        String flag = key.flagName() == null ? "" : "`--" + key.flagName() + "`";
        return "| `" + key.path() + "`" + secretFile + " | " + flag + " | "
                + key.typeName().replace("|", ", ") + " | " + defaultCell(key) + " | "
                + (key.isReloadable() ? "yes" : "no") + " | " + key.meaning() + " |";
    }

    private static String defaultCell(Key<?> key) {
        return Optional.ofNullable(key.defaultText())
                .map(text -> text.isEmpty() ? "`[]`" : "`" + text + "`")
                .orElse("none");
    }

    @ParameterizedTest
    @MethodSource("keys")
    void everyKeyIsDocumentedAsItIsDeclared(Key<?> key) throws IOException {
        assertThat(Files.readAllLines(DOCUMENT)).contains(row(key));
    }

    @Test
    void everyDocumentedKeyExists() throws IOException {
        List<String> documented = Files.readAllLines(DOCUMENT).stream()
                .filter(line -> line.startsWith("| `"))
                .toList();

        assertThat(documented)
                .containsExactlyElementsOf(
                        keys().stream().map(ConfigurationDocumentTest::row).toList());
    }

    @Test
    void everyPathVariableAndFlagIsUnique() {
        assertThat(keys()).extracting(Key::path).doesNotHaveDuplicates();
        assertThat(keys()).extracting(Key::variable).doesNotHaveDuplicates();
        assertThat(keys())
                .extracting(Key::flagName)
                .filteredOn(flag -> flag != null)
                .doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @MethodSource("keys")
    void everyKeyHasAMeaningAndADefaultThatCanBeRead(Key<?> key) {
        Settings settings = new SettingsReader(keys(), List.of(), Map.of(), new Problems()).settings();

        assertThat(key.meaning()).isNotBlank();
        assertThat(settings.find(key) != null).isEqualTo(key.defaultText() != null);
    }

    @Test
    void noIgnoredKeyHidesOneOfOurs() {
        assertThat(keys())
                .allSatisfy(key -> assertThat(TiProxyConfig.IGNORED)
                        .noneMatch(ignored ->
                                key.path().equals(ignored) || key.path().startsWith(ignored + ".")));
    }
}
