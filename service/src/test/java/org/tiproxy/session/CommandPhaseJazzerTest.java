package org.tiproxy.session;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Coverage-guided fuzzing of a session behind a login; see {@link FuzzedConversation}. */
class CommandPhaseJazzerTest {
    @FuzzTest(maxDuration = "3m")
    void anySplitGivesTheSameSession(byte[] input) {
        FuzzedConversation.check(input, true);
    }
}
