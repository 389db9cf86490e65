package org.tiproxy.agent.install;

import org.jspecify.annotations.Nullable;

/** Decides which connections go through the engine, and keeps account of it. Thread-safe; nothing here throws. */
public interface Redirector {
    /**
     * Asked once for each connection that a driver opens. Counts the answer.
     *
     * @return null if the connection stays the driver's own
     */
    @Nullable
    Redirect redirect(DriverTarget target);

    /**
     * A connection stays the driver's own because it wants something that the agent cannot do. Said instead of asking.
     *
     * @param reason a word or two that do not change from one connection to the next: {@code unix socket}
     * @param detail what an operator wants to know besides, without secrets; may be empty
     */
    void bypassed(String reason, String detail);

    /**
     * A redirected connection stays the driver's own after all, because the agent cannot do what its account needs. It does
     * not count as redirected any more. The parameters are as in {@link #bypassed}.
     */
    void turnedBack(String reason, String detail);

    /** A redirected connection could not be opened, and the driver connects by itself. */
    void failedOpen(Throwable cause);

    /** A driver was found in the application: its name and version. Said at most once per class loader. */
    void driverSeen(String nameAndVersion);
}
