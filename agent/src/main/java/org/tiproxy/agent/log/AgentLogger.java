package org.tiproxy.agent.log;

import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;

/** A logger that writes to {@link AgentLog}. */
final class AgentLogger extends LegacyAbstractLogger {
    private static final long serialVersionUID = 1;

    private final String shortName;

    AgentLogger(String name) {
        this.name = name;
        this.shortName = name.substring(name.lastIndexOf('.') + 1);
    }

    @Override
    public boolean isTraceEnabled() {
        return AgentLog.isEnabled(Level.TRACE);
    }

    @Override
    public boolean isDebugEnabled() {
        return AgentLog.isEnabled(Level.DEBUG);
    }

    @Override
    public boolean isInfoEnabled() {
        return AgentLog.isEnabled(Level.INFO);
    }

    @Override
    public boolean isWarnEnabled() {
        return AgentLog.isEnabled(Level.WARN);
    }

    @Override
    public boolean isErrorEnabled() {
        return AgentLog.isEnabled(Level.ERROR);
    }

    @Override
    protected @Nullable String getFullyQualifiedCallerName() {
        return null;
    }

    @Override
    protected void handleNormalizedLoggingCall(
            Level level,
            @Nullable Marker marker,
            String pattern,
            Object @Nullable [] arguments,
            @Nullable Throwable thrown) {
        AgentLog.write(level, shortName, MessageFormatter.basicArrayFormat(pattern, arguments), thrown);
    }
}
