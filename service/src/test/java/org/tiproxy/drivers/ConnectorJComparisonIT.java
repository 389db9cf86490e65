package org.tiproxy.drivers;

/** MySQL's own drivers. */
class ConnectorJComparisonIT extends DriverComparison {
    ConnectorJComparisonIT() {
        super(driver -> driver.family().isConnectorJ());
    }
}
