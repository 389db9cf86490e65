package org.tiproxy.supervisor;

import java.util.ArrayList;
import java.util.List;
import org.tiproxy.error.ProxyException;

/** Writes down what the state machine wants, one word per effect. */
final class RecordedEffects implements SupervisorEffects {
    final List<String> list = new ArrayList<>();
    final List<ProxyException> refusals = new ArrayList<>();
    final List<String> results = new ArrayList<>();
    final List<String> goneReasons = new ArrayList<>();

    @Override
    public void admit(Visit visit) {
        list.add("admit");
    }

    @Override
    public void refuse(Visit visit, ProxyException cause) {
        list.add("refuse");
        refusals.add(cause);
    }

    @Override
    public void backendGone(Visit visit, String reason) {
        list.add("gone");
        goneReasons.add(reason);
    }

    @Override
    public void spawn(long attempt) {
        list.add("spawn");
    }

    @Override
    public void terminate(long attempt) {
        list.add("terminate");
    }

    @Override
    public void kill(long attempt) {
        list.add("kill");
    }

    @Override
    public void sweep(long attempt) {
        list.add("sweep");
    }

    @Override
    public void complete(Operation operation, String result) {
        list.add("complete");
        results.add(operation.kind() + ": " + result);
    }

    @Override
    public void stateChanged(SupervisorState from, SupervisorState to, String reason) {
        list.add(from + ">" + to);
    }

    @Override
    public void closed() {
        list.add("closed");
    }
}
