package org.tiproxy.wire.auth;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.AuthPluginName;

/** mysql_clear_password: the password and a NUL. For servers that must hand the password on, to LDAP or PAM. */
public final class MysqlClearPassword implements AuthPlugin {
    @Override
    public AuthPluginName name() {
        return AuthPluginName.MYSQL_CLEAR_PASSWORD;
    }

    @Override
    public boolean requiresTls() {
        return true;
    }

    @Override
    public Bytes reply(Bytes password, Bytes scramble) {
        return terminated(password);
    }

    /** The server's side: the password in a reply, with or without its NUL. */
    public static Bytes password(Bytes reply) {
        int length = reply.length();
        return length > 0 && reply.at(length - 1) == 0 ? reply.first(length - 1) : reply;
    }

    static Bytes terminated(Bytes password) {
        return Bytes.of(new PayloadWriter().bytes(password).zeros(1).toByteArray());
    }
}
