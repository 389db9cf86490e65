package org.tiproxy.testing;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Has Awaitility look often: left alone it looks every 100 ms, and hundreds of tests wait for what takes one. JUnit finds
 * this by itself.
 */
public final class QuickPolling implements BeforeAllCallback {
    private static final Duration INTERVAL = Duration.ofMillis(10);

    @Override
    public void beforeAll(ExtensionContext context) {
        Awaitility.setDefaultPollInterval(INTERVAL);
    }
}
