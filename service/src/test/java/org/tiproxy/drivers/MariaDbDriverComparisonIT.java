package org.tiproxy.drivers;

/** MariaDB's drivers. */
class MariaDbDriverComparisonIT extends DriverComparison {
    MariaDbDriverComparisonIT() {
        super(driver -> !driver.family().isConnectorJ());
    }
}
