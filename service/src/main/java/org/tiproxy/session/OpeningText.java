package org.tiproxy.session;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;

/**
 * Says which statements belong to the opening of a conversation: those that drivers and pools send right after the login
 * to read and set session variables. Such a statement can be run ahead for the next client on a clean connection, because
 * its answer and its effect depend on the session's variables alone, and on nothing that another session can change
 * afterwards.
 *
 * <p>What is not understood is no such statement. Understood are {@code SELECT @@a AS b, …} without FROM, and {@code SET}
 * of known session variables to literals and simple functions of each other, {@code SET NAMES} and {@code SET SESSION
 * TRANSACTION}: no user variables, no global ones, no subqueries, no executable comments.
 */
public final class OpeningText {
    /** Longer ones are no driver's. */
    private static final int MAX_LENGTH = 8 * 1024;

    private static final Set<String> SETTABLE = Set.of(
            "autocommit",
            "character_set_client",
            "character_set_connection",
            "character_set_results",
            "collation_connection",
            "foreign_key_checks",
            "group_concat_max_len",
            "innodb_lock_wait_timeout",
            "interactive_timeout",
            "lock_wait_timeout",
            "max_execution_time",
            "max_statement_time",
            "net_read_timeout",
            "net_write_timeout",
            "session_track_schema",
            "session_track_state_change",
            "session_track_system_variables",
            "session_track_transaction_info",
            "sql_auto_is_null",
            "sql_mode",
            "sql_quote_show_create",
            "sql_safe_updates",
            "sql_select_limit",
            "time_zone",
            "transaction_isolation",
            "transaction_read_only",
            "tx_isolation",
            "tx_read_only",
            "unique_checks",
            "wait_timeout");

    /** Beside those that can be set: what a server has from its start to its end, or a session from its login. */
    private static final Set<String> READABLE = Set.of(
            "auto_increment_increment",
            "auto_increment_offset",
            "character_set_server",
            "collation_server",
            "have_query_cache",
            "have_ssl",
            "init_connect",
            "language",
            "license",
            "lower_case_table_names",
            "max_allowed_packet",
            "net_buffer_length",
            "performance_schema",
            "query_cache_size",
            "query_cache_type",
            "redirect_url",
            "system_time_zone",
            "version",
            "version_comment");

    private static final Set<String> FUNCTIONS = Set.of(
            "concat", "concat_ws", "if", "ifnull", "coalesce", "replace", "locate", "instr", "find_in_set", "length");

    private static final Set<String> LITERALS = Set.of("null", "default", "on", "off", "true", "false");

    private static final Set<String> LEVELS = Set.of(
            "isolation", "level", "read", "write", "only", "committed", "uncommitted", "repeatable", "serializable");

    private final String text;
    private int position;
    /** Whether the present VARIABLE is @@global.… */
    private boolean globalToken;

    private String token = "";
    private Kind kind = Kind.END;

    private enum Kind {
        WORD,
        NUMBER,
        STRING,
        VARIABLE,
        SYMBOL,
        END
    }

    private OpeningText(String text) {
        this.text = text;
    }

    /** Whether the payload of a COM_QUERY, without the command byte, is such a statement. */
    public static boolean matches(byte[] source, int offset, int length) {
        if (length > MAX_LENGTH || length < 6 || !beginsLikeOne(source, offset, length)) {
            return false;
        }
        // Bytes above 127 can only stand within strings, or lead to a refusal.
        return new OpeningText(new String(source, offset, length, StandardCharsets.ISO_8859_1)).matches();
    }

    /** A first look that costs nothing: ordinary statements are mostly told apart by it. */
    private static boolean beginsLikeOne(byte[] source, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            switch (source[i]) {
                case ' ', '\t', '\r', '\n' -> {}
                case 's', 'S', '/' -> {
                    return true;
                }
                default -> {
                    return false;
                }
            }
        }
        return false;
    }

    private boolean matches() {
        try {
            next();
            return switch (takeWord()) {
                case "select" -> isSelect();
                case "set" -> isSet();
                default -> false;
            };
        } catch (NotUnderstood e) {
            return false;
        }
    }

    private boolean isSelect() {
        do {
            if (globalToken) {
                // What is asked for must not be another's to change.
                return false;
            }
            readVariable();
            if (isWord("as")) {
                next();
                expect(Kind.WORD);
            }
            if (kind == Kind.WORD) {
                next();
            }
        } while (takeSymbol(','));
        return atEnd();
    }

    private boolean isSet() {
        do {
            assignment();
        } while (takeSymbol(','));
        return atEnd();
    }

    private void assignment() {
        boolean scoped = isWord("session") || isWord("local");
        if (scoped) {
            next();
        }
        if (scoped && isWord("transaction")) {
            next();
            levels();
            return;
        }
        if (!scoped && isWord("names")) {
            next();
            name();
            if (isWord("collate")) {
                next();
                name();
            }
            return;
        }
        String variable = takeTarget();
        if (!takeSymbol('=')) {
            throw new NotUnderstood();
        }
        if (isNameOfCharacters(variable) && kind == Kind.WORD) {
            next();
        } else {
            expression();
        }
    }

    private static boolean isNameOfCharacters(String variable) {
        return variable.startsWith("character_set_") || variable.startsWith("collation_");
    }

    private String takeTarget() {
        String name = token;
        if (kind == Kind.WORD || (kind == Kind.VARIABLE && !globalToken)) {
            next();
            if (SETTABLE.contains(name)) {
                return name;
            }
        }
        throw new NotUnderstood();
    }

    private void levels() {
        boolean any = false;
        while (kind == Kind.WORD && LEVELS.contains(token)) {
            next();
            any = true;
        }
        if (!any) {
            throw new NotUnderstood();
        }
    }

    private void name() {
        if (kind != Kind.WORD && kind != Kind.STRING) {
            throw new NotUnderstood();
        }
        next();
    }

    /** Operands with operators between them; nothing is evaluated, so only the kinds of operands matter. */
    private void expression() {
        operand();
        while (kind == Kind.SYMBOL && "=<>+-*|&".contains(token)) {
            next();
            while (kind == Kind.SYMBOL && "=<>|&".contains(token)) {
                next();
            }
            operand();
        }
    }

    private void operand() {
        if (takeSymbol('-')) {
            expect(Kind.NUMBER);
        }
        switch (kind) {
            case NUMBER, STRING -> next();
            case VARIABLE -> readVariable();
            case WORD -> word();
            case SYMBOL -> {
                if (!takeSymbol('(')) {
                    throw new NotUnderstood();
                }
                expression();
                close();
            }
            case END -> throw new NotUnderstood();
        }
    }

    private void word() {
        String name = takeWord();
        if (LITERALS.contains(name)) {
            return;
        }
        if (!FUNCTIONS.contains(name) || !takeSymbol('(')) {
            throw new NotUnderstood();
        }
        do {
            expression();
        } while (takeSymbol(','));
        close();
    }

    private void close() {
        if (!takeSymbol(')')) {
            throw new NotUnderstood();
        }
    }

    private void readVariable() {
        expect(Kind.VARIABLE);
        if (!SETTABLE.contains(token) && !READABLE.contains(token)) {
            throw new NotUnderstood();
        }
        next();
    }

    private boolean atEnd() {
        takeSymbol(';');
        return kind == Kind.END;
    }

    // ---- tokens

    private void expect(Kind expected) {
        if (kind != expected) {
            throw new NotUnderstood();
        }
    }

    private boolean isWord(String word) {
        return kind == Kind.WORD && token.equals(word);
    }

    private String takeWord() {
        expect(Kind.WORD);
        String word = token;
        next();
        return word;
    }

    private boolean takeSymbol(char symbol) {
        if (kind == Kind.SYMBOL && token.charAt(0) == symbol) {
            next();
            return true;
        }
        return false;
    }

    private void next() {
        skipSpace();
        if (position == text.length()) {
            kind = Kind.END;
            token = "";
            return;
        }
        char first = text.charAt(position);
        if (first == '@') {
            variable();
        } else if (isWordStart(first)) {
            kind = Kind.WORD;
            token = readName();
        } else if (first >= '0' && first <= '9') {
            kind = Kind.NUMBER;
            token = readWhile("0123456789.");
        } else if (first == '\'' || first == '"') {
            kind = Kind.STRING;
            string(first);
        } else if ("(),=<>+-*|&;".indexOf(first) >= 0) {
            kind = Kind.SYMBOL;
            token = String.valueOf(first);
            position++;
        } else {
            throw new NotUnderstood();
        }
    }

    private void skipSpace() {
        while (position < text.length()) {
            char c = text.charAt(position);
            if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
                position++;
            } else if (text.startsWith("/*", position)) {
                int end = text.indexOf("*/", position + 2);
                boolean executed = text.startsWith("!", position + 2)
                        || text.startsWith("M!", position + 2)
                        || text.startsWith("+", position + 2)
                        || text.startsWith("T!", position + 2);
                if (end < 0 || executed) {
                    throw new NotUnderstood();
                }
                position = end + 2;
            } else {
                return;
            }
        }
    }

    private void variable() {
        if (!text.startsWith("@@", position)) {
            throw new NotUnderstood();
        }
        position += 2;
        globalToken = false;
        String name = readName();
        if (position < text.length() && text.charAt(position) == '.') {
            boolean global = name.equals("global");
            if (!global && !name.equals("session") && !name.equals("local")) {
                throw new NotUnderstood();
            }
            position++;
            name = readName();
            globalToken = global;
        }
        kind = Kind.VARIABLE;
        token = name;
    }

    private String readName() {
        int start = position;
        while (position < text.length()
                && (isWordStart(text.charAt(position))
                        || (text.charAt(position) >= '0' && text.charAt(position) <= '9'))) {
            position++;
        }
        if (start == position) {
            throw new NotUnderstood();
        }
        return text.substring(start, position).toLowerCase(Locale.ROOT);
    }

    private String readWhile(String allowed) {
        int start = position;
        while (position < text.length() && allowed.indexOf(text.charAt(position)) >= 0) {
            position++;
        }
        return text.substring(start, position);
    }

    /** With a backslash it depends on sql_mode where a string ends. */
    private void string(char quote) {
        int end = text.indexOf(quote, position + 1);
        if (end < 0 || text.lastIndexOf('\\', end) > position) {
            throw new NotUnderstood();
        }
        boolean doubled = end + 1 < text.length() && text.charAt(end + 1) == quote;
        if (doubled) {
            throw new NotUnderstood();
        }
        token = "";
        position = end + 1;
    }

    private static boolean isWordStart(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    }

    /** Control flow within this class; carries nothing. */
    private static final class NotUnderstood extends RuntimeException {
        private static final long serialVersionUID = 1;

        NotUnderstood() {
            super(null, null, false, false);
        }
    }
}
