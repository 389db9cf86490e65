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
    void amazonsCopyOfConnectorJIsWovenWhereConnectorJIs() {
        String shading = "software.aws.rds.jdbc.mysql.shading.";

        assertThat(DriverClasses.names())
                .filteredOn(name -> name.startsWith(shading))
                .extracting(name -> name.substring(shading.length()))
                .containsExactlyInAnyOrderElementsOf(DriverClasses.names().stream()
                        .filter(name -> name.startsWith("com.mysql.cj."))
                        .toList());
    }

    @Test
    void otherClassesAndClassesWithoutANameAreNot() {
        assertThat(DriverClasses.containsInternal(null)).isFalse();
        assertThat(DriverClasses.containsInternal("java/lang/String")).isFalse();
        assertThat(DriverClasses.contains("com.mysql.cj.jdbc.Driver2")).isFalse();
    }
}
