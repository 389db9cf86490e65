package org.tiproxy.agent.driver;

/** Who has asked a driver for a connection. */
final class DriverCallers {
    private static final StackWalker WALKER = StackWalker.getInstance();

    private DriverCallers() {}

    /**
     * Whether an XA data source opens it. Transactions that are prepared outlive the connection and belong to a coordinator,
     * so these connections are not shared. Looks at the driver's own frames only, which are few.
     */
    static boolean isForXa() {
        return WALKER.walk(frames -> frames.dropWhile(frame -> !isDriver(frame.getClassName()))
                .takeWhile(frame -> isDriver(frame.getClassName()))
                .anyMatch(frame -> frame.getMethodName().equals("getXAConnection")));
    }

    private static boolean isDriver(String className) {
        return className.contains("com.mysql.") || className.contains("org.mariadb.jdbc.");
    }
}
