package org.tiproxy.supervisor;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Makes lines of bytes. A line longer than the limit is cut into several; control characters other than tabs become
 * spaces, so that a child cannot write what looks like somebody else's log line. Not thread-safe.
 */
final class LineAssembler {
    /** The longest piece of a line that is given out, in bytes. */
    static final int MAX_LINE = 8192;

    private final byte[] mark;
    private final Consumer<String> lines;
    private final Runnable marked;
    private final byte[] buffer;
    private int length;

    /**
     * @param mark bytes that, at the end of a line, are not output but a message from ourselves
     * @param lines gets every line without its end
     * @param marked runs where the mark was found
     */
    LineAssembler(String mark, Consumer<String> lines, Runnable marked) {
        this.mark = mark.getBytes(StandardCharsets.US_ASCII);
        this.lines = lines;
        this.marked = marked;
        // Room behind the limit, so that a mark is never cut in two.
        this.buffer = new byte[MAX_LINE + this.mark.length];
    }

    /** Takes the next {@code count} bytes. */
    void add(byte[] bytes, int count) {
        for (int i = 0; i < count; i++) {
            if (bytes[i] == '\n') {
                endLine();
            } else {
                if (length == buffer.length) {
                    cut();
                }
                buffer[length++] = bytes[i];
            }
        }
    }

    /** Gives out what came after the last line end. */
    void end() {
        if (length > 0) {
            endLine();
        }
    }

    private void endLine() {
        int text = length - mark.length;
        if (text >= 0 && Arrays.equals(buffer, text, length, mark, 0, mark.length)) {
            if (text > 0) {
                emit(text);
            }
            length = 0;
            marked.run();
        } else {
            while (length > MAX_LINE) {
                cut();
            }
            emit(length);
            length = 0;
        }
    }

    private void cut() {
        int end = MAX_LINE;
        // Not within a UTF-8 character, unless this is no UTF-8.
        while (end > MAX_LINE - 4 && (buffer[end] & 0xC0) == 0x80) {
            end--;
        }
        emit(end);
        System.arraycopy(buffer, end, buffer, 0, length - end);
        length -= end;
    }

    private void emit(int count) {
        int end = count > 0 && buffer[count - 1] == '\r' ? count - 1 : count;
        String text = new String(buffer, 0, end, StandardCharsets.UTF_8);
        lines.accept(text.chars().anyMatch(LineAssembler::isControl) ? withoutControls(text) : text);
    }

    private static boolean isControl(int c) {
        return c != '\t' && Character.isISOControl(c);
    }

    private static String withoutControls(String text) {
        StringBuilder clean = new StringBuilder(text);
        for (int i = 0; i < clean.length(); i++) {
            if (isControl(clean.charAt(i))) {
                clean.setCharAt(i, ' ');
            }
        }
        return clean.toString();
    }
}
