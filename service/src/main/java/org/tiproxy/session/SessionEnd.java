package org.tiproxy.session;

import org.tiproxy.error.ErrorSource;

/**
 * The end of a session.
 *
 * @param source who ended it
 * @param reason why
 * @param text for people: what happened, with the numbers, without credentials
 */
public record SessionEnd(ErrorSource source, EndReason reason, String text) {}
