package org.tiproxy.agent.driver;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.install.DriverTarget;
import org.tiproxy.agent.install.Redirect;
import org.tiproxy.agent.install.Redirector;
import org.tiproxy.agent.socket.SocketOpener;
import org.tiproxy.common.HostPort;
import org.tiproxy.inprocess.DriverConnection;
import org.tiproxy.inprocess.DriverLogin;
import org.tiproxy.inprocess.DriverProxy;
import org.tiproxy.inprocess.UnsupportedAccountException;

/** Opens one connection of a driver's in the engine, if the rules want it there. Used by the thread that connects. */
final class EngineOpener implements SocketOpener {
    private final DriverRequest request;
    private final Redirector redirector;
    private final DriverProxy proxy;

    private @Nullable Redirect redirect;
    private boolean sameAddress = true;

    EngineOpener(DriverRequest request, Redirector redirector, DriverProxy proxy) {
        this.request = request;
        this.redirector = redirector;
        this.proxy = proxy;
    }

    /** False if it is known by now that the connection stays the driver's own. */
    boolean isWanted() {
        HostPort address = request.address();
        if (address == null) {
            return true;
        }
        redirect = ask(address);
        return redirect != null;
    }

    private @Nullable Redirect ask(HostPort address) {
        return redirector.redirect(new DriverTarget(request.family(), address.host(), address.port(), request.user()));
    }

    @Override
    public @Nullable DriverConnection open(InetSocketAddress address, Duration timeout) throws IOException {
        // The name that was looked up, if there was one: a certificate has to have it.
        HostPort named = new HostPort(address.getHostString(), address.getPort());
        HostPort wanted = request.address() != null ? request.address() : named;
        Redirect decided = redirect != null ? redirect : ask(wanted);
        if (decided == null) {
            return null;
        }
        sameAddress = !decided.leadsElsewhere() && decided.address().equals(wanted);
        return proxy.open(new DriverLogin(
                decided.address(),
                request.user(),
                request.password(),
                request.tls(),
                timeout,
                request.keyRetrieval(),
                LikelyCapabilities.of(request.family())));
    }

    @Override
    public boolean isSameAddress() {
        return sameAddress;
    }

    @Override
    public void turnedBack(UnsupportedAccountException cause) {
        redirector.turnedBack("authentication plugin " + cause.plugin(), String.valueOf(cause.getMessage()));
    }

    @Override
    public void failedOpen(Throwable cause) {
        redirector.failedOpen(cause);
    }
}
