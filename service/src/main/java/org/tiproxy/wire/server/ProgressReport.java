package org.tiproxy.wire.server;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;

/**
 * MariaDB's progress report: it comes in front of the response, looks like an ERR with code 0xffff and is none. Only
 * with MARIADB_CLIENT_PROGRESS.
 *
 * @param stage the stage that is under way, from 1 on
 * @param maxStage the number of stages
 * @param progress of this stage in thousandths of a percent, 0 to 100,000
 * @param text what is being done
 */
public record ProgressReport(int stage, int maxStage, int progress, String text) {
    /** Reads a progress report. */
    public static ProgressReport decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("progress report", payload);
        reader.expect(ErrPacket.HEADER, "header");
        reader.expect(0xff, "error code");
        reader.expect(0xff, "error code");
        reader.int1("number of strings");
        return new ProgressReport(
                reader.int1("stage"), reader.int1("max stage"), reader.int3("progress"), reader.lenencString("text"));
    }
}
