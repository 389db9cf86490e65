package org.tiproxy.examples.quickstart;

import java.io.PrintStream;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** A result in columns as wide as their widest value. Holds all rows: meant for a screen full, not for an export. */
final class TextTable {
    private final List<List<String>> lines = new ArrayList<>();

    TextTable(ResultSet rows) throws SQLException {
        ResultSetMetaData metaData = rows.getMetaData();
        int columns = metaData.getColumnCount();
        List<String> header = new ArrayList<>();
        for (int column = 1; column <= columns; column++) {
            header.add(metaData.getColumnLabel(column));
        }
        lines.add(header);
        while (rows.next()) {
            List<String> line = new ArrayList<>();
            for (int column = 1; column <= columns; column++) {
                String value = rows.getString(column);
                line.add(value == null ? "NULL" : value);
            }
            lines.add(line);
        }
    }

    void print(PrintStream out) {
        int[] widths = widths();
        StringBuilder rule = new StringBuilder("+");
        for (int width : widths) {
            rule.append("-".repeat(width + 2)).append('+');
        }
        out.println(rule);
        for (int i = 0; i < lines.size(); i++) {
            out.println(row(lines.get(i), widths));
            if (i == 0) {
                out.println(rule);
            }
        }
        if (lines.size() > 1) {
            out.println(rule);
        }
    }

    private int[] widths() {
        int[] widths = new int[lines.get(0).size()];
        for (List<String> line : lines) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], line.get(i).length());
            }
        }
        return widths;
    }

    private static String row(List<String> cells, int[] widths) {
        StringBuilder row = new StringBuilder("|");
        for (int i = 0; i < widths.length; i++) {
            String cell = cells.get(i);
            row.append(' ')
                    .append(cell)
                    .append(" ".repeat(widths[i] - cell.length()))
                    .append(" |");
        }
        return row.toString();
    }
}
