package org.tiproxy;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The layers: an arrow may only point down, and each outside library is seen by the one package that adapts it. */
class LayersTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("org.tiproxy");

    @Test
    void dependenciesPointDownOnly() {
        layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .withOptionalLayers(true)
                .layer("base")
                .definedBy("org.tiproxy.common..", "org.tiproxy.config..", "org.tiproxy.error..")
                .layer("wire")
                .definedBy("org.tiproxy.wire..")
                .layer("session")
                .definedBy("org.tiproxy.session..", "org.tiproxy.transport..")
                .layer("backends")
                .definedBy(
                        "org.tiproxy.backend..",
                        "org.tiproxy.supervisor..",
                        "org.tiproxy.pool..",
                        "org.tiproxy.router..",
                        "org.tiproxy.health..",
                        "org.tiproxy.discovery..")
                .layer("engine")
                .definedBy("org.tiproxy.engine..")
                .layer("net")
                .definedBy("org.tiproxy.net..")
                .layer("inprocess")
                .definedBy("org.tiproxy.inprocess..")
                .layer("management")
                .definedBy("org.tiproxy.management..")
                .layer("app")
                .definedBy("org.tiproxy.app..")
                .layer("cli")
                .definedBy("org.tiproxy.cli..")
                .whereLayer("cli")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("app")
                .mayOnlyBeAccessedByLayers("cli")
                .whereLayer("management")
                .mayOnlyBeAccessedByLayers("app", "cli")
                .whereLayer("net")
                .mayOnlyBeAccessedByLayers("app", "cli")
                // Only the agent uses it.
                .whereLayer("inprocess")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("engine")
                .mayOnlyBeAccessedByLayers("net", "inprocess", "management", "app", "cli")
                .whereLayer("backends")
                .mayOnlyBeAccessedByLayers("engine", "net", "inprocess", "management", "app", "cli")
                .whereLayer("session")
                .mayOnlyBeAccessedByLayers("backends", "engine", "net", "inprocess", "management", "app", "cli")
                .whereLayer("wire")
                .mayOnlyBeAccessedByLayers(
                        "session", "backends", "engine", "net", "inprocess", "management", "app", "cli")
                .check(CLASSES);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("org.tiproxy.(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void onlyNetSeesNetty() {
        noClasses()
                .that(resideOutside("org.tiproxy.net.."))
                .should()
                .dependOnClassesThat(resideInAPackage("io.netty.."))
                .check(CLASSES);
    }

    @Test
    void onlyManagementSeesJmxAndJolokia() {
        noClasses()
                .that(resideOutside("org.tiproxy.management..", "org.tiproxy.app.."))
                .should()
                .dependOnClassesThat(resideInAnyPackage("javax.management..", "org.jolokia.."))
                .check(CLASSES);
    }

    /** The pool is a library of its own: whoever uses it needs none of the proxy. */
    @Test
    void thePoolStandsAlone() {
        classes()
                .that(resideInAPackage("org.tiproxy.pool.."))
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(
                        "org.tiproxy.pool..",
                        "org.tiproxy.common..",
                        "org.tiproxy.config..",
                        "org.tiproxy.error..",
                        "java..",
                        "org.slf4j..",
                        "org.jspecify.."))
                .check(CLASSES);
    }

    @Test
    void onlySupervisorSeesProcesses() {
        noClasses()
                .that(resideOutside("org.tiproxy.supervisor.."))
                .should()
                .dependOnClassesThat()
                .areAssignableTo(ProcessBuilder.class)
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Process.class)
                .check(CLASSES);
    }

    @Test
    void onlyCliReadsOptionsAndOnlyConfigReadsToml() {
        noClasses()
                .that(resideOutside("org.tiproxy.cli.."))
                .should()
                .dependOnClassesThat(resideInAPackage("picocli.."))
                .check(CLASSES);
        noClasses()
                .that(resideOutside("org.tiproxy.config.."))
                .should()
                .dependOnClassesThat(resideInAPackage("org.tomlj.."))
                .check(CLASSES);
    }

    @Test
    void onlyCliUsesTheConsoleAndEndsTheProcess() {
        noClasses()
                .that(resideOutside("org.tiproxy.cli.."))
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .orShould()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .callMethod(Runtime.class, "halt", int.class)
                .check(CLASSES);
    }

    @Test
    void protocolCodeKnowsNoThreadsNoClockAndNoLogging() {
        noClasses()
                .that(resideInAnyPackage("org.tiproxy.wire..", "org.tiproxy.session..")
                        .as("wire and session"))
                .should()
                .dependOnClassesThat(resideInAnyPackage("java.util.concurrent..", "java.net..", "org.slf4j.."))
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Thread.class)
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .allowEmptyShould(true)
                .check(CLASSES);
    }

    private static com.tngtech.archunit.base.DescribedPredicate<com.tngtech.archunit.core.domain.JavaClass>
            resideOutside(String... packages) {
        return com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages(packages);
    }
}
