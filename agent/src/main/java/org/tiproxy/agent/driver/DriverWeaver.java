package org.tiproxy.agent.driver;

import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.install.ClassWeaver;

/** Weaves the driver classes: none so far. */
public final class DriverWeaver implements ClassWeaver {
    @Override
    public byte @Nullable [] weave(String className, @Nullable ClassLoader loader, byte[] classFile) {
        return null;
    }
}
