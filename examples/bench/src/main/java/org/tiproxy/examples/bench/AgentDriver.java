package org.tiproxy.examples.bench;

/** The drivers that are measured with the agent, and what the rows are called. */
enum AgentDriver {
    CONNECTOR_J("Connector/J", "jdbc:mysql://%s:%s/%s?sslMode=%s", "DISABLED", "REQUIRED"),
    MARIADB("MariaDB Connector/J", "jdbc:mariadb://%s:%s/%s?sslMode=%s", "disable", "trust");

    private final String label;
    private final String url;
    private final String plain;
    private final String tls;

    AgentDriver(String label, String url, String plain, String tls) {
        this.label = label;
        this.url = url;
        this.plain = plain;
        this.tls = tls;
    }

    String url(String host, String port, boolean overTls) {
        return url.formatted(host, port, Database.ACCOUNT, overTls ? tls : plain);
    }

    String selectOne() {
        return label + ", SELECT 1";
    }

    String primaryKey() {
        return label + ", primary key";
    }

    String visit() {
        return label + ", connect, query, close";
    }

    String visitWithTls() {
        return label + ", the same with TLS (RSA-2048)";
    }

    /** The certificate that the server makes for itself. */
    String visitWithServersOwnTls() {
        return label + ", the same with TLS (the server's own certificate)";
    }

    String hikari() {
        return label + ", borrow from HikariCP, query";
    }
}
