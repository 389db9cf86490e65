package org.tiproxy.drivers;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.tiproxy.common.Ticker;
import org.tiproxy.inprocess.InProcessProxy;
import org.tiproxy.inprocess.PoolListener;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.TimerThread;

/** Woven drivers over the engine itself, which logs in to the server and pools. */
abstract class WovenOverEngine extends WovenDrivers {
    private TimerThread timer;
    InProcessProxy real;

    @BeforeEach
    void startEngine() {
        timer = new TimerThread("test-housekeeping");
        real = new InProcessProxy(
                PoolConfig.builder().build(), List::of, Ticker.SYSTEM, timer, PoolListener.NONE, true);
    }

    @AfterEach
    void stopEngine() {
        real.close();
        timer.close();
    }
}
