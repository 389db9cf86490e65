package org.tiproxy.agent.install;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tiproxy.config.Origin;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;

/**
 * What stands behind {@code -javaagent:tiproxy.jar=}: the path of a file, or {@code key=value,key=value}, or first the one
 * and then the other. A piece without {@code =} belongs to the list before it: {@code agent.exclude-users=root,backup}.
 *
 * @param file the configuration file; null if none is named
 * @param values by key
 */
record AgentArguments(@Nullable String file, Map<String, String> values) {
    /** How the file is named among keys, for paths with {@code =} or {@code ,}. */
    static final String CONFIG = "config";

    /** The place, for messages. */
    static final String PLACE = "-javaagent";

    static AgentArguments parse(@Nullable String text, Problems problems) {
        @Nullable String file = null;
        Map<String, String> values = new LinkedHashMap<>();
        @Nullable String key = null;
        for (String piece : text == null || text.isBlank() ? new String[0] : text.split(",", -1)) {
            int equals = piece.indexOf('=');
            if (equals > 0) {
                key = piece.substring(0, equals).strip();
                if (values.put(key, piece.substring(equals + 1).strip()) != null) {
                    problems.error(Origin.ofFlag(PLACE, ""), key + " is given twice");
                }
            } else if (key != null) {
                values.merge(key, piece.strip(), (list, more) -> list + "," + more);
            } else if (file == null) {
                file = piece.strip();
            } else {
                problems.error(
                        Origin.ofFlag(PLACE, ""),
                        Problem.quote(piece) + ": expected key=value, or the path of one file before all keys");
            }
        }
        @Nullable String config = values.remove(CONFIG);
        if (config != null && file != null) {
            problems.error(Origin.ofFlag(PLACE, ""), "two configuration files: " + file + " and " + config);
        }
        return new AgentArguments(config == null ? file : config, values);
    }
}
