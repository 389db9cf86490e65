package org.tiproxy.session;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tiproxy.common.Secret;
import org.tiproxy.wire.Bytes;

/** A fixed list of users. Immutable. */
public final class KnownUsers implements UserStore {
    private static final int KEY_LENGTH = 32;

    private final Map<String, KnownUser> byName = new LinkedHashMap<>();
    private final List<KnownUser> models;
    private final byte[] key = new byte[KEY_LENGTH];

    /** A list of users with different names; of equal names the last one counts. */
    public KnownUsers(Collection<KnownUser> users) {
        for (KnownUser user : users) {
            byName.put(user.name(), user);
        }
        models = byName.isEmpty() ? List.of(KnownUser.withPassword("", new Secret(""))) : List.copyOf(byName.values());
        new SecureRandom().nextBytes(key);
    }

    @Override
    public KnownUser find(String name) {
        // The decoy is made in any case: then the time tells nothing either.
        Bytes mark = markOf(name);
        KnownUser decoy = KnownUser.decoyOf(models.get((mark.at(0) & 0xff) % models.size()), name, mark);
        return byName.getOrDefault(name, decoy);
    }

    /** The names and nothing else. */
    @Override
    public String toString() {
        return "KnownUsers" + byName.keySet();
    }

    /** The same 32 bytes for the same name, which nobody outside can foresee. */
    private Bytes markOf(String name) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(key);
            return Bytes.of(digest.digest(name.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java runtime lacks SHA-256", e);
        }
    }
}
