package org.tiproxy.drivers;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.BatchUpdateException;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a client has seen, line by line, without what two runs cannot have in common. */
final class Transcript {
    private static final int LONG = 200;

    /** MariaDB's drivers put the connection's id into their messages. */
    private static final Pattern CONNECTION =
            Pattern.compile("\\(conn[:=] ?\\d+\\)|(?i)(thread|connection)(_id)? \\d+");

    /** What {@code Object.toString} makes of an object. */
    private static final Pattern IDENTITY = Pattern.compile("(?<=[A-Za-z])@[0-9a-f]{5,8}\\b");

    private static final Pattern TIME = Pattern.compile("[\\d,.]+ milliseconds");

    /** Connector/J says either, as it sees its own request to cancel before or after the server's error. */
    private static final Pattern CANCELLED =
            Pattern.compile("com\\.mysql\\.[a-z0-9.]+MySQL(StatementCancelled|QueryInterrupted)Exception"
                    + " \\[(0 null|1317 70100)] .*");

    private final List<String> lines = new ArrayList<>();
    private final Pattern port;

    /** @param port the port that the client has connected to */
    Transcript(int port) {
        this.port = Pattern.compile("\\b" + port + "\\b");
    }

    List<String> lines() {
        return List.copyOf(lines);
    }

    void line(String line) {
        String text = port.matcher(line).replaceAll("<port>");
        text = CONNECTION.matcher(text).replaceAll("<connection>");
        text = IDENTITY.matcher(text).replaceAll("@<object>");
        text = CANCELLED.matcher(text).replaceAll("interrupted");
        lines.add(TIME.matcher(text).replaceAll("<time>"));
    }

    /** Something that may fail in SQL. */
    interface Action {
        void run() throws SQLException, IOException;
    }

    /** Something that gives a value or fails in SQL. */
    interface Value {
        @Nullable
        Object get() throws SQLException, IOException;
    }

    /** Does it, and notes how that ended. */
    void attempt(String what, Action action) {
        try {
            action.run();
            line(what + ": done");
        } catch (SQLException | IOException | RuntimeException e) {
            line(what + ": " + describe(e));
        }
    }

    /** Does what has to fail because the connection is lost: who notices that first, and in which words, differs. */
    void lost(String what, Action action) {
        try {
            action.run();
            line(what + ": done");
        } catch (SQLException e) {
            String state = String.valueOf(e.getSQLState());
            line(what + ": " + (state.startsWith("08") ? "communications error" : describe(e)));
        } catch (IOException e) {
            line(what + ": " + describe(e));
        }
    }

    /** Notes a value, or how it failed to come. */
    void value(String what, Value value) {
        line(what + " = " + rendered(value));
    }

    private static String rendered(Value value) {
        try {
            return render(value.get());
        } catch (SQLException | IOException | RuntimeException e) {
            return describe(e);
        }
    }

    private static String describe(Exception e) {
        StringBuilder text = new StringBuilder(e.getClass().getName());
        if (e instanceof SQLException sql) {
            text.append(" [")
                    .append(sql.getErrorCode())
                    .append(' ')
                    .append(sql.getSQLState())
                    .append(']');
            if (e instanceof BatchUpdateException batch) {
                text.append(Arrays.toString(batch.getUpdateCounts()));
            }
        }
        String message = String.valueOf(e.getMessage());
        // Connector/J quotes whole stack traces, this program's lines included.
        int nested = message.indexOf("** BEGIN NESTED EXCEPTION **");
        return text.append(' ')
                .append(shortened(
                        nested < 0 ? message : message.substring(0, nested).strip()))
                .toString();
    }

    /** Notes the warnings that a statement or connection has. */
    void warnings(@Nullable SQLWarning first) {
        for (SQLWarning warning = first; warning != null; warning = warning.getNextWarning()) {
            line("warning: " + describe(warning));
        }
    }

    /** Notes all results of a statement that has been executed. */
    void results(Statement statement, boolean rows) throws SQLException {
        boolean more = rows;
        while (true) {
            if (more) {
                try (ResultSet result = statement.getResultSet()) {
                    rows(result);
                }
            } else {
                int count = statement.getUpdateCount();
                if (count == -1) {
                    line("no more results");
                    return;
                }
                line("update count " + count);
            }
            warnings(statement.getWarnings());
            more = statement.getMoreResults();
        }
    }

    /** Notes what describes a result, and its rows. */
    void rows(ResultSet result) throws SQLException {
        ResultSetMetaData data = result.getMetaData();
        for (int i = 1; i <= data.getColumnCount(); i++) {
            int column = i;
            line("column " + column + ": "
                    + String.join(
                            " | ",
                            rendered(() -> data.getColumnLabel(column)),
                            rendered(() -> data.getColumnName(column)),
                            rendered(() -> data.getTableName(column)),
                            rendered(() -> data.getCatalogName(column)),
                            rendered(() -> data.getColumnTypeName(column)),
                            rendered(() -> data.getColumnType(column)),
                            rendered(() -> data.getColumnClassName(column)),
                            rendered(() -> data.getPrecision(column)),
                            rendered(() -> data.getScale(column)),
                            rendered(() -> data.getColumnDisplaySize(column)),
                            rendered(() -> data.isNullable(column)),
                            rendered(() -> data.isSigned(column)),
                            rendered(() -> data.isAutoIncrement(column))));
        }
        values(result, data.getColumnCount());
    }

    /** Notes the rows only: each value as an object, as a string and as bytes. */
    void values(ResultSet result, int columns) throws SQLException {
        while (result.next()) {
            for (int i = 1; i <= columns; i++) {
                int column = i;
                line("value " + column + ": "
                        + String.join(
                                " | ",
                                rendered(() -> result.getObject(column)),
                                rendered(() -> result.getString(column)),
                                rendered(() -> result.getBytes(column)),
                                Boolean.toString(result.wasNull())));
            }
        }
        line("end of rows");
    }

    private static String render(@Nullable Object value) throws SQLException, IOException {
        if (value == null) {
            return "null";
        }
        if (value instanceof byte[] bytes) {
            return render(bytes);
        }
        if (value instanceof int[] counts) {
            return Arrays.toString(counts);
        }
        if (value instanceof Blob blob) {
            try (InputStream in = blob.getBinaryStream()) {
                return "blob " + render(in.readAllBytes());
            }
        }
        if (value instanceof Clob clob) {
            return "clob " + clob.getSubString(1, Math.toIntExact(clob.length()));
        }
        return shortened(value.toString());
    }

    /** Some errors quote the whole value. */
    private static String shortened(String text) {
        return text.length() > 5 * LONG ? "text " + render(text.getBytes(StandardCharsets.UTF_8)) : text;
    }

    private static String render(byte[] bytes) {
        if (bytes.length <= LONG) {
            return "0x" + HexFormat.of().formatHex(bytes);
        }
        try {
            byte[] digest = MessageDigest.getInstance("SHA-1").digest(bytes);
            return bytes.length + " bytes " + new BigInteger(1, digest).toString(16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
