package org.tiproxy.examples.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** As many bytes as possible in one direction, first down, then up. */
final class BulkSection implements Section {
    private final List<Target> targets;
    private final Duration slice;
    private final int rounds;

    BulkSection(List<Target> targets, Duration slice, int rounds) {
        this.targets = targets;
        this.slice = slice;
        this.rounds = rounds;
    }

    @Override
    public String name() {
        return "bulk";
    }

    @Override
    public void run(Report report) throws IOException {
        Samples download = new Samples();
        Samples.inTurns(targets, 1, target -> BulkTransfer.download(target.address(), slice));
        Samples.inTurns(
                targets, rounds, target -> download.add(target.kind(), BulkTransfer.download(target.address(), slice)));
        report.row("download", "MB/s", download);

        Samples upload = new Samples();
        Samples.inTurns(targets, 1, target -> BulkTransfer.upload(target.address(), slice));
        Samples.inTurns(
                targets, rounds, target -> upload.add(target.kind(), BulkTransfer.upload(target.address(), slice)));
        report.row("upload", "MB/s", upload);
    }
}
