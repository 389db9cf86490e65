package org.tiproxy.agent.bootstrap;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Where woven drivers find the agent, whatever class loader they are in: the system class loader has this class, and its
 * field has only JDK types.
 */
public final class Bridge {
    /**
     * Called at each woven point with the point's name followed by the method's own values; null as long as there is no
     * agent, and then the driver's own code runs.
     */
    public static volatile @Nullable Function<Object[], @Nullable Object> HOOK;

    private Bridge() {}
}
