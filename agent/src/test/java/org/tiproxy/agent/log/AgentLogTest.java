package org.tiproxy.agent.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.event.Level;

class AgentLogTest {
    @TempDir
    Path folder;

    private final AgentLogger logger = new AgentLogger("org.tiproxy.pool.PoolCore");

    @AfterEach
    void backToStandardError() throws Exception {
        AgentLog.configure(Level.INFO, null);
    }

    @Test
    void aLineIsAddedToTheFile() throws Exception {
        Path file = folder.resolve("agent.log");
        Files.writeString(file, "before\n");
        AgentLog.configure(Level.INFO, file);

        logger.info("{} of {}", 1, 20);
        logger.warn("failed", new IOException("why"));
        logger.debug("not this");

        assertThat(Files.readAllLines(file))
                .startsWith("before")
                .anySatisfy(line ->
                        assertThat(line).matches("\\d{4}-\\d\\d-\\d\\dT[0-9:.]{12}Z INFO  \\[.+\\] PoolCore - 1 of 20"))
                .anySatisfy(line -> assertThat(line).contains("WARN  [", "PoolCore - failed"))
                .contains("java.io.IOException: why")
                .noneSatisfy(line -> assertThat(line).contains("not this"));
    }

    @Test
    void theLevelDecidesWhatIsLogged() throws Exception {
        AgentLog.configure(Level.DEBUG, folder.resolve("agent.log"));
        assertThat(logger.isDebugEnabled()).isTrue();
        assertThat(logger.isTraceEnabled()).isFalse();
        AgentLog.configure(Level.ERROR, null);
        assertThat(logger.isWarnEnabled()).isFalse();
        assertThat(logger.isErrorEnabled()).isTrue();
    }

    @Test
    void aFileThatCannotBeWrittenChangesNothing() throws Exception {
        AgentLog.configure(Level.WARN, null);
        assertThatThrownBy(() -> AgentLog.configure(Level.TRACE, folder)).isInstanceOf(IOException.class);
        assertThat(logger.isInfoEnabled()).isFalse();
    }
}
