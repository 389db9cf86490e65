package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.ResponseEvent;
import org.tiproxy.wire.ResponseKind;
import org.tiproxy.wire.ResponseScanner;
import org.tiproxy.wire.client.ComQuery;
import org.tiproxy.wire.protocol.Command;

/**
 * A statement of the proxy's own between two commands of the client. Its response is scanned for its end and swallowed:
 * neither the client nor what is tracked of the session notices it.
 */
final class InjectedStatement {
    private final SessionOutput output;
    private final ResponseScanner responses;
    private @Nullable Consumer<StatementOutcome> owner;

    InjectedStatement(SessionOutput output, ResponseScanner responses) {
        this.output = output;
        this.responses = responses;
    }

    /** Whether the response is awaited. */
    boolean isRunning() {
        return owner != null;
    }

    /** Sends the statement; no response may be under way. */
    void start(String sql, Consumer<StatementOutcome> whenOver) {
        responses.begin(Command.COM_QUERY);
        owner = whenOver;
        output.sendToBackend(ComQuery.of(sql).encode().toPacket(0));
    }

    /** Takes what belongs to the response out of the chunk, and nothing behind it. */
    void readResponse(ByteBuffer chunk) {
        while (owner != null) {
            ResponseEvent event = responses.scan(chunk);
            switch (event) {
                case NEED_BYTES -> {
                    return;
                }
                case RESULT_END -> {}
                case COMPLETE ->
                    finish(
                            responses.outcome().kind() == ResponseKind.ERR
                                    ? StatementOutcome.failed(LoginExchange.describe(copyOf(responses.packet())))
                                    : StatementOutcome.ok());
                case CLIENT_FILE_WANTED, UNSOLICITED_ERR, AUTH_SWITCH, AUTH_MORE_DATA ->
                    throw new ProtocolException("expected no " + event + " in response to a statement of the proxy");
            }
        }
    }

    /** The session ends; nothing happens if no response is awaited. */
    void abandon(String why) {
        if (owner != null) {
            finish(StatementOutcome.failed(why));
        }
    }

    private void finish(StatementOutcome outcome) {
        Consumer<StatementOutcome> told = owner;
        owner = null;
        if (told != null) {
            told.accept(outcome);
        }
    }

    private static byte[] copyOf(ByteBuffer view) {
        byte[] copy = new byte[view.remaining()];
        view.get(copy);
        return copy;
    }
}
