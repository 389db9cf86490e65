package org.tiproxy.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.List;
import org.tiproxy.common.ByteQueue;
import org.tiproxy.session.OpeningDialogue;
import org.tiproxy.session.OpeningStatement;
import org.tiproxy.wire.Bytes;

/**
 * Carries out an {@link OpeningDialogue} on an event loop: what the client says is held back until it is known what is to
 * be done about it.
 */
final class Opening {
    /** The session that this is the opening of. */
    interface Stage {
        /** The backend would say this. */
        void answer(ByteBuf bytes);

        /** Goes to the backend. */
        void send(ByteBuf bytes);

        /** Brings the connection back to {@link Opening#said}; {@link Opening#broughtBack} is told. */
        void bringBack();
    }

    private final Stage stage;
    private final OpeningDialogue dialogue;
    private final ByteQueue held = new ByteQueue();
    private boolean used;
    private boolean playing;
    private boolean comingBack;
    private boolean closed;

    Opening(Stage stage, List<OpeningStatement> known, long capabilities) {
        this.stage = stage;
        this.dialogue = new OpeningDialogue(known, capabilities);
    }

    /** Whether everything goes to the backend from now on. */
    boolean isOver() {
        return dialogue.isOver() && held.length() == 0;
    }

    /** Whether nothing was said to the backend, so that the connection is as it was. */
    boolean isUnused() {
        return !used;
    }

    /** Whether the connection is being brought back, and is not the session's for the time being. */
    boolean isComingBack() {
        return comingBack;
    }

    /** Whether the client is to say no more for now. */
    boolean isFull() {
        return comingBack || (dialogue.isAsking() && held.length() > 0);
    }

    /** The statements with which the conversation began. */
    List<OpeningStatement> said() {
        return dialogue.said();
    }

    /** The client says something to the backend; {@link #play} looks at it. */
    void hold(ByteBuffer bytes) {
        held.add(bytes);
    }

    /** Goes on as far as that is possible now. */
    void play() {
        if (playing) {
            return;
        }
        playing = true;
        try {
            boolean goesOn = !closed && !comingBack;
            while (goesOn) {
                goesOn = step() && !closed;
            }
        } finally {
            playing = false;
        }
    }

    private boolean step() {
        return switch (dialogue.next(held.array(), held.start(), held.length())) {
            case ANSWER -> {
                held.drop(dialogue.length());
                stage.answer(Unpooled.wrappedBuffer(dialogue.answer().toByteArray()));
                yield true;
            }
            case RECORD -> {
                used = true;
                byte[] packet = take(dialogue.length());
                dialogue.record(Bytes.of(packet));
                stage.send(Unpooled.wrappedBuffer(packet));
                yield false;
            }
            case LEAVE -> {
                used = true;
                comingBack = dialogue.isAhead();
                if (comingBack) {
                    stage.bringBack();
                } else {
                    dialogue.leave();
                }
                yield !comingBack;
            }
            case OVER -> {
                if (held.length() > 0) {
                    stage.send(Unpooled.wrappedBuffer(take(held.length())));
                }
                yield false;
            }
            case WAIT -> false;
        };
    }

    private byte[] take(int length) {
        byte[] bytes = new byte[length];
        held.take(bytes, 0, length);
        return bytes;
    }

    /**
     * The connection is the session's again.
     *
     * @param said what was said there since it was clean: as much as by this client
     */
    void broughtBack(List<OpeningStatement> said) {
        comingBack = false;
        dialogue.onConnection(said);
    }

    /**
     * The backend has said something, which the session sees too.
     *
     * @return what was said on the connection since it was clean, if that is more now; else empty
     */
    List<OpeningStatement> heard(ByteBuffer bytes) {
        return dialogue.heard(bytes) ? dialogue.known() : List.of();
    }

    /** The session has no use for the connection any more. */
    void close() {
        closed = true;
        held.clear();
    }
}
