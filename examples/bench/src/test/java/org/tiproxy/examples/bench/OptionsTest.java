package org.tiproxy.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class OptionsTest {
    @Test
    void nothingGivenMeansEverySection() {
        Options options = parse();

        assertThat(Section.NAMES).allMatch(options::wants);
        assertThat(options.slice()).isEqualTo(Duration.ofMillis(1500));
    }

    @Test
    void shortRunOfSomeSections() {
        Options options = parse("--seconds", "0.2", "--rounds", "1", "--only", "bulk,hold");

        assertThat(options.slice()).isEqualTo(Duration.ofMillis(200));
        assertThat(options.rounds()).isOne();
        assertThat(options.wants("bulk")).isTrue();
        assertThat(options.wants("memory")).isFalse();
    }

    @Test
    void javaOptionsAreSplitAtBlanks() {
        assertThat(Options.parse(new String[0], " -Xmx64m  -XX:+UseSerialGC").javaOptions())
                .containsExactly("-Xmx64m", "-XX:+UseSerialGC");
    }

    @Test
    void wrongValueNamesFlagAndRange() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> parse("--rounds", "many"))
                .withMessage("--rounds: \"many\" is no number from 1 to 100");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> parse("--only", "bulk,speed"))
                .withMessageContaining("no section \"speed\"");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> parse("--fast", "1"))
                .withMessage("--fast: unknown");
    }

    private static Options parse(String... arguments) {
        return Options.parse(arguments, "");
    }
}
