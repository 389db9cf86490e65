package org.tiproxy.session;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Coverage-guided fuzzing of a session from the backend's greeting on; see {@link FuzzedConversation}. */
class LoginJazzerTest {
    @FuzzTest(maxDuration = "3m")
    void anySplitGivesTheSameLogin(byte[] input) {
        FuzzedConversation.check(input, false);
    }
}
