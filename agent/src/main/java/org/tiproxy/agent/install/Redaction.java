package org.tiproxy.agent.install;

import java.util.regex.Pattern;

/** Takes what looks like a password out of somebody else's messages: a driver's may quote its URL. */
final class Redaction {
    private static final Pattern NAMED =
            Pattern.compile("(?i)((?:password|passwd|pwd|secret|token)\\d?\\s*[=:]\\s*)[^\\s,;&)]+");
    private static final Pattern IN_URL = Pattern.compile("(//[^/\\s:@]*:)[^/\\s@]+(?=@)");
    private static final int MAX_LENGTH = 500;

    private Redaction() {}

    /** The failure's own words, without secrets, on one line and not too long. */
    static String of(Throwable failure) {
        String text = failure.toString().replaceAll("\\s*\\R\\s*", " ");
        text = NAMED.matcher(text).replaceAll("$1***");
        text = IN_URL.matcher(text).replaceAll("$1***");
        return text.length() > MAX_LENGTH ? text.substring(0, MAX_LENGTH) + "…" : text;
    }
}
