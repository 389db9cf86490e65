package org.tiproxy.agent;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** What the agent's packages may see. */
class AgentLayersTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("org.tiproxy");

    @Test
    void whatTheApplicationSeesNeedsTheJdkOnly() {
        classes()
                .that(resideInAnyPackage("org.tiproxy.agent", "org.tiproxy.agent.bootstrap"))
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(
                        "java..", "org.jspecify..", "org.tiproxy.agent", "org.tiproxy.agent.bootstrap"))
                .check(CLASSES);
    }

    @Test
    void whatTheApplicationSeesTouchesNeitherLoggingNorJmxNorDrivers() {
        noClasses()
                .that(resideInAnyPackage("org.tiproxy.agent", "org.tiproxy.agent.bootstrap"))
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "java.util.logging..", "javax.management..", "java.lang.management..", "java.sql.."))
                .check(CLASSES);
    }

    @Test
    void theAgentNeverSeesTheServicesOwnSide() {
        noClasses()
                .that(resideInAPackage("org.tiproxy.agent.."))
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "org.tiproxy.net..", "org.tiproxy.app..", "org.tiproxy.cli..", "io.netty..", "picocli.."))
                .check(CLASSES);
    }

    @Test
    void onlyInstallationAndDriversWeave() {
        noClasses()
                .that(resideInAPackage("org.tiproxy..")
                        .and(not(resideInAnyPackage("org.tiproxy.agent.install..", "org.tiproxy.agent.driver.."))))
                .should()
                .dependOnClassesThat(resideInAPackage("net.bytebuddy.."))
                .check(CLASSES);
    }

    @Test
    void onlyInstallationJoinsTheParts() {
        noClasses()
                .that(resideInAnyPackage("org.tiproxy.agent.driver..", "org.tiproxy.agent.socket.."))
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "org.tiproxy.management..", "org.tiproxy.supervisor..", "org.tiproxy.pool.."))
                .check(CLASSES);
    }
}
