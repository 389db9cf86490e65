package org.tiproxy.examples.bench;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** The rows measured so far, as one Markdown table with notes below it. */
final class Report {
    private static final String NOTHING = "–";

    private final Map<Target.Kind, String> absent = new EnumMap<>(Target.Kind.class);
    private final List<List<String>> rows = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private int below;

    Report() {
        rows.add(List.of("", "unit", "direct", "HAProxy", "tiproxy", "tiproxy/direct", "tiproxy/HAProxy", "goal"));
    }

    /** Says in each row why a target has no numbers. */
    void absent(Target.Kind target, String reason) {
        absent.put(target, reason);
    }

    void note(String note) {
        notes.add(note);
    }

    void row(String label, String unit, Samples samples) {
        add(label, unit, samples, null);
    }

    void row(String label, String unit, Samples samples, Goal goal) {
        add(label, unit, samples, goal);
    }

    /** How many goals were measured and missed. */
    int below() {
        return below;
    }

    private void add(String label, String unit, Samples samples, @Nullable Goal goal) {
        List<String> row = new ArrayList<>(List.of(label, unit));
        for (Target.Kind target : Target.Kind.values()) {
            OptionalDouble median = samples.median(target);
            row.add(median.isPresent() ? number(median.getAsDouble()) : absent.getOrDefault(target, NOTHING));
        }
        row.add(ratio(samples.medianRatio(Target.Kind.TIPROXY, Target.Kind.DIRECT)));
        row.add(ratio(samples.medianRatio(Target.Kind.TIPROXY, Target.Kind.HAPROXY)));
        String verdict = goal == null ? "" : goal.verdict(samples);
        if (verdict.endsWith(": below")) {
            below++;
        }
        row.add(verdict);
        rows.add(row);
    }

    /** The table as Markdown whose columns line up, so that it is readable as plain text too. */
    String toMarkdown() {
        int[] widths = new int[rows.get(0).size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        StringBuilder table = new StringBuilder();
        for (int i = 0; i < rows.size(); i++) {
            line(table, rows.get(i), widths);
            if (i == 0) {
                rule(table, widths);
            }
        }
        for (String note : notes) {
            table.append("\n- ").append(note);
        }
        return notes.isEmpty() ? table.toString() : table.append('\n').toString();
    }

    private static void line(StringBuilder table, List<String> row, int[] widths) {
        for (int i = 0; i < widths.length; i++) {
            String padding = " ".repeat(widths[i] - row.get(i).length());
            boolean text = isText(i, widths.length);
            table.append("| ")
                    .append(text ? row.get(i) + padding : padding + row.get(i))
                    .append(' ');
        }
        table.append("|\n");
    }

    private static void rule(StringBuilder table, int[] widths) {
        for (int i = 0; i < widths.length; i++) {
            table.append('|').append("-".repeat(widths[i] + 1)).append(isText(i, widths.length) ? '-' : ':');
        }
        table.append("|\n");
    }

    private static boolean isText(int column, int columns) {
        return column < 2 || column == columns - 1;
    }

    private static String ratio(OptionalDouble ratio) {
        return ratio.isPresent() ? String.format(Locale.ROOT, "%.2f", ratio.getAsDouble()) : NOTHING;
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, Math.abs(value) < 100 ? "%.1f" : "%,.0f", value);
    }
}
