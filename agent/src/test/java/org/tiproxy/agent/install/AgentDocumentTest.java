package org.tiproxy.agent.install;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.tiproxy.config.Key;

class AgentDocumentTest {
    private static String row(Key<?> key) {
        String secretFile = key.isSecret() ? ", `" + key.path() + "-file`" : "";
        String value = Optional.ofNullable(key.defaultText())
                .map(text -> text.isEmpty() ? "`[]`" : "`" + text + "`")
                .orElse("none");
        return "| `" + key.path() + "`" + secretFile + " | " + key.typeName().replace("|", ", ") + " | " + value + " | "
                + key.meaning() + " |";
    }

    @Test
    void everyKeyIsDocumentedAsItIsDeclaredAndNoOther() throws Exception {
        List<String> documented = Files.readAllLines(Path.of("README.md")).stream()
                .filter(line -> line.matches("\\| `[a-z-]+\\.[a-z.-]+`.*"))
                .toList();

        assertThat(documented)
                .containsExactlyElementsOf(
                        AgentConfig.KEYS.stream().map(AgentDocumentTest::row).toList());
    }
}
