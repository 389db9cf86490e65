package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

class VisitTest {
    private final List<String> heard = new ArrayList<>();
    private final List<Visit> left = new ArrayList<>();
    private Runnable duringAdmitted = () -> {};

    private final Visit visit = new Visit(
            new BackendGate.Visitor() {
                @Override
                public void admitted() {
                    duringAdmitted.run();
                    heard.add("admitted");
                }

                @Override
                public void refused(ProxyException cause) {
                    heard.add("refused");
                }

                @Override
                public void backendGone(String reason) {
                    heard.add(reason);
                }
            },
            left::add);

    @Test
    void goneFollowsAnAdmissionThatIsUnderWay() {
        duringAdmitted = () -> visit.backendGone("gone");
        visit.admit();
        visit.backendGone("again");
        assertThat(heard).containsExactly("admitted", "gone");
    }

    @Test
    void nothingIsHeardAfterLeaving() {
        visit.close();
        visit.close();
        visit.admit();
        visit.refuse(new ProxyException(ProxyError.INTERNAL, "x"));
        visit.backendGone("gone");
        assertThat(heard).isEmpty();
        assertThat(left).containsExactly(visit);
    }

    @Test
    void aVisitorThatThrowsLosesItsPlace() {
        duringAdmitted = () -> {
            throw new IllegalStateException("on purpose");
        };
        visit.admit();
        assertThat(left).containsExactly(visit);
    }
}
