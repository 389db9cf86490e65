package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineAssemblerTest {
    private static final String MARK = "the-mark";

    private final List<String> lines = new ArrayList<>();
    private final LineAssembler assembler = new LineAssembler(MARK, lines::add, () -> lines.add("<mark>"));

    private void add(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        assembler.add(bytes, bytes.length);
    }

    @Test
    void piecesBecomeLines() {
        add("one\ntw");
        add("o\r\n\nthr");
        add("ee");
        assembler.end();
        assertThat(lines).containsExactly("one", "two", "", "three");
    }

    @Test
    void aMarkEndsAnUnfinishedLine() {
        add("half a l" + MARK + "\n" + MARK + "\nine\n");
        assertThat(lines).containsExactly("half a l", "<mark>", "<mark>", "ine");
    }

    @Test
    void aMarkIsFoundBehindTheLongestLines() {
        for (int length = LineAssembler.MAX_LINE - 10; length < LineAssembler.MAX_LINE + 20; length++) {
            lines.clear();
            add("x".repeat(length) + MARK + "\n");
            assertThat(lines.get(lines.size() - 1)).isEqualTo("<mark>");
            assertThat(String.join("", lines)).isEqualTo("x".repeat(length) + "<mark>");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "\u00e4", "\u65e5", "\ud83d\ude00"})
    void aLongLineIsCutBetweenCharacters(String character) {
        String line = character.repeat(20_000);
        add("!" + line + "\n");
        assertThat(lines)
                .hasSizeGreaterThan(2)
                .allSatisfy(piece -> assertThat(piece.getBytes(StandardCharsets.UTF_8))
                        .hasSizeLessThanOrEqualTo(LineAssembler.MAX_LINE));
        assertThat(String.join("", lines)).isEqualTo("!" + line);
    }

    @Test
    void controlCharactersBecomeSpaces() {
        add("a\u001b[31mb\tc\u0000\n");
        assertThat(lines).containsExactly("a [31mb\tc ");
    }
}
