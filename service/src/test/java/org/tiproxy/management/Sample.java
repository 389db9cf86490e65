package org.tiproxy.management;

import java.lang.management.ManagementFactory;
import java.util.List;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.Notification;
import javax.management.NotificationBroadcasterSupport;
import javax.management.ObjectName;

/** The sample bean, registered while a test runs. */
public final class Sample extends NotificationBroadcasterSupport implements SampleMXBean, AutoCloseable {
    static final ObjectName NAME = name("tiproxy:type=Test");

    private final MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
    private volatile int limit = 7;

    private Sample() {}

    static Sample register() throws JMException {
        Sample sample = new Sample();
        sample.beans.registerMBean(sample, NAME);
        return sample;
    }

    static ObjectName name(String name) {
        try {
            return new ObjectName(name);
        } catch (JMException e) {
            throw new IllegalArgumentException(name, e);
        }
    }

    @Override
    public int getLimit() {
        return limit;
    }

    @Override
    public void setLimit(int limit) {
        this.limit = limit;
    }

    @Override
    public List<Row> getRows() {
        return List.of(new Row(1, "127.0.0.1:5000", true), new Row(2, "127.0.0.1:5001", false));
    }

    @Override
    public String pause() {
        sendNotification(new Notification("sample.paused", NAME, 1, "paused"));
        return "paused";
    }

    @Override
    public String drain(int seconds) {
        return "drained in " + seconds + " s";
    }

    @Override
    public void fail() {
        throw new IllegalStateException("it broke");
    }

    @Override
    public void close() throws JMException {
        beans.unregisterMBean(NAME);
    }
}
