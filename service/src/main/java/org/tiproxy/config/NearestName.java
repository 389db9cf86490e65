package org.tiproxy.config;

import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Finds what somebody who mistyped a name most likely meant. */
public final class NearestName {
    private static final int MAX_DISTANCE = 3;

    private NearestName() {}

    /** The known name nearest to {@code name}; null if none is near enough to be a likely typing mistake. */
    public static @Nullable String find(String name, Collection<String> known) {
        // A short name with two wrong letters is another name; a long one is not.
        int nearest = Math.min(MAX_DISTANCE, 1 + name.length() / 6) + 1;
        @Nullable String found = null;
        for (String candidate : known) {
            int distance = distance(name, candidate);
            if (distance < nearest) {
                nearest = distance;
                found = candidate;
            }
        }
        return found;
    }

    /** Insertions, deletions, replacements and swaps of neighbours that make one name of the other. */
    static int distance(String from, String to) {
        int[][] cost = new int[from.length() + 1][to.length() + 1];
        for (int i = 0; i <= from.length(); i++) {
            cost[i][0] = i;
        }
        for (int j = 0; j <= to.length(); j++) {
            cost[0][j] = j;
        }
        for (int i = 1; i <= from.length(); i++) {
            for (int j = 1; j <= to.length(); j++) {
                int replaced = cost[i - 1][j - 1] + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                cost[i][j] = Math.min(replaced, Math.min(cost[i - 1][j], cost[i][j - 1]) + 1);
                boolean swapped = i > 1
                        && j > 1
                        && from.charAt(i - 1) == to.charAt(j - 2)
                        && from.charAt(i - 2) == to.charAt(j - 1);
                if (swapped) {
                    cost[i][j] = Math.min(cost[i][j], cost[i - 2][j - 2] + 1);
                }
            }
        }
        return cost[from.length()][to.length()];
    }
}
