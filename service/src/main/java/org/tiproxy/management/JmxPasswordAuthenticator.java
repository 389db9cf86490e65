package org.tiproxy.management;

import java.rmi.server.RemoteServer;
import java.rmi.server.ServerNotActiveException;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import javax.management.remote.JMXAuthenticator;
import javax.management.remote.JMXPrincipal;
import javax.security.auth.Subject;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.Secret;

/**
 * Lets one user in. A failed login costs the client a second, and no more than a few clients may be waiting for theirs,
 * so that neither guessing nor a flood of guesses gets far. Runs on RMI's threads.
 */
final class JmxPasswordAuthenticator implements JMXAuthenticator {
    private static final Logger log = LoggerFactory.getLogger(JmxPasswordAuthenticator.class);

    private static final long FAILURE_DELAY_MILLIS = 1_000;
    private static final int MAX_CONCURRENT_LOGINS = 8;

    private final String user;
    private final Secret userToMatch;
    private final Secret password;
    private final Semaphore logins = new Semaphore(MAX_CONCURRENT_LOGINS);

    JmxPasswordAuthenticator(String user, Secret password) {
        this.user = user;
        this.userToMatch = new Secret(user);
        this.password = password;
    }

    @Override
    public Subject authenticate(Object credentials) {
        if (credentials == null) {
            throw new SecurityException("This JMX connector needs a user and a password");
        }
        if (!logins.tryAcquire()) {
            throw new SecurityException("Too many failed JMX logins; try again in a few seconds");
        }
        try {
            if (credentials instanceof String[] login && matches(login)) {
                return new Subject(true, Set.of(new JMXPrincipal(user)), Set.of(), Set.of());
            }
            log.warn("JMX login from {} failed: wrong user or password", clientHost());
            TimeUnit.MILLISECONDS.sleep(FAILURE_DELAY_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            logins.release();
        }
        throw new SecurityException("JMX login failed: wrong user or password");
    }

    private boolean matches(String[] login) {
        if (login.length != 2 || login[0] == null || login[1] == null) {
            return false;
        }
        // Both are always compared: how long it takes does not tell which one was wrong.
        boolean userMatches = userToMatch.matches(login[0]);
        boolean passwordMatches = password.matches(login[1]);
        return userMatches && passwordMatches;
    }

    private static String clientHost() {
        try {
            return RemoteServer.getClientHost();
        } catch (ServerNotActiveException e) {
            return "an unknown host";
        }
    }
}
