package org.tiproxy.wire;

/** What {@link ResponseScanner#scan} has come to; the chunk's position is right behind it. */
public enum ResponseEvent {
    /** The chunk is used up, and the response goes on. */
    NEED_BYTES,
    /** One result of several is over; the next one follows. */
    RESULT_END,
    /** LOCAL INFILE: the client must now send the file, up to an empty packet; then the response goes on. */
    CLIENT_FILE_WANTED,
    /** AuthSwitchRequest (or MySQL's AuthNextFactor): the client must now answer; then the response goes on. */
    AUTH_SWITCH,
    /** AuthMoreData: depending on the plugin and on the data the client must answer, or the server goes on. */
    AUTH_MORE_DATA,
    /** The response is over. */
    COMPLETE,
    /** An ERR came although nothing had been asked: the server is about to close the connection. */
    UNSOLICITED_ERR
}
