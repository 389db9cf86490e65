package org.tiproxy.agent.driver;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.install.Redirector;
import org.tiproxy.inprocess.DriverProxy;

/** What woven drivers call: the driver's own code runs so far. */
public final class DriverHook implements Function<Object[], @Nullable Object> {
    /** A hook in front of an engine. */
    public DriverHook(Redirector redirector, DriverProxy proxy) {}

    @Override
    public @Nullable Object apply(Object[] arguments) {
        return null;
    }
}
