package org.tiproxy.engine;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.tiproxy.common.HostPort;
import org.tiproxy.error.ProxyError;
import org.tiproxy.session.StatementOutcome;

/** A session that is what the test says it is. */
public final class FakeSession implements ProxySession {
    /** What it was asked to do, in order. */
    public final List<String> asked = new ArrayList<>();

    private final long id;
    private HostPort backend = new HostPort("127.0.0.1", 3306);
    private String user = "demo";
    private String command = "";
    private String transaction = "NONE";
    private long threadId;
    private long quietMillis;
    private StatementOutcome outcome = StatementOutcome.ok();

    /** An idle session of demo, whose backend connection has the id 100 + {@code id}. */
    public FakeSession(long id) {
        this.id = id;
        this.threadId = 100 + id;
    }

    /** Executes this command. */
    public FakeSession executing(String name) {
        command = name;
        return this;
    }

    FakeSession of(String name) {
        user = name;
        return this;
    }

    FakeSession at(HostPort address) {
        backend = address;
        return this;
    }

    FakeSession transaction(String state) {
        transaction = state;
        return this;
    }

    FakeSession notLoggedIn() {
        threadId = 0;
        return this;
    }

    FakeSession quietFor(long millis) {
        quietMillis = millis;
        return this;
    }

    FakeSession answering(StatementOutcome answer) {
        outcome = answer;
        return this;
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public HostPort client() {
        return new HostPort("127.0.0.1", 5000);
    }

    @Override
    public HostPort backend() {
        return backend;
    }

    @Override
    public Instant since() {
        return Instant.EPOCH;
    }

    @Override
    public long bytesReceived() {
        return 1;
    }

    @Override
    public long bytesSent() {
        return 2;
    }

    @Override
    public String user() {
        return user;
    }

    @Override
    public String schema() {
        return "shop";
    }

    @Override
    public String command() {
        return command;
    }

    @Override
    public long commandMillis() {
        return command.isEmpty() ? 0 : 1500;
    }

    @Override
    public String transaction() {
        return transaction;
    }

    @Override
    public long connectionId() {
        return 0x4000_0000L + id;
    }

    @Override
    public long backendConnectionId() {
        return threadId;
    }

    @Override
    public long quietMillis() {
        return quietMillis;
    }

    @Override
    public CompletableFuture<StatementOutcome> execute(String sql) {
        asked.add(sql);
        return CompletableFuture.completedFuture(outcome);
    }

    @Override
    public void close(ProxyError cause, String reason) {
        asked.add("close " + cause);
    }
}
