package org.tiproxy.agent.install;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.tiproxy.config.Key;
import org.tiproxy.management.AgentMXBean;

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
    void everyAttributeIsDocumented() throws Exception {
        String document = Files.readString(Path.of("README.md"));

        assertThat(AgentMXBean.class.getMethods())
                .allSatisfy(method -> assertThat(document)
                        .contains("| `" + method.getName().replaceFirst("^(get|set|is)", "") + "` |"));
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
