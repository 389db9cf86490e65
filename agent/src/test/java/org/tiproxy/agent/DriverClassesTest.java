package org.tiproxy.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DriverClassesTest {
    @Test
    void aNameIsKnownInBothForms() {
        assertThat(DriverClasses.names()).isNotEmpty().allSatisfy(name -> {
            assertThat(DriverClasses.contains(name)).isTrue();
            assertThat(DriverClasses.containsInternal(name.replace('.', '/'))).isTrue();
        });
    }

    @Test
    void otherClassesAndClassesWithoutANameAreNot() {
        assertThat(DriverClasses.containsInternal(null)).isFalse();
        assertThat(DriverClasses.containsInternal("java/lang/String")).isFalse();
        assertThat(DriverClasses.contains("com.mysql.cj.jdbc.Driver2")).isFalse();
    }
}
