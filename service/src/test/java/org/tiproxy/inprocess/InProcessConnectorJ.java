package org.tiproxy.inprocess;

import com.mysql.cj.conf.PropertySet;
import com.mysql.cj.protocol.StandardSocketFactory;
import java.io.IOException;
import java.net.Socket;

/** Named in the URL of Connector/J: {@code socketFactory=…}. */
public final class InProcessConnectorJ extends StandardSocketFactory {
    @Override
    protected Socket createSocket(PropertySet properties) {
        try {
            return InProcessDrivers.newSocket();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
