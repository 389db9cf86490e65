/** A program that is a named module; its driver is one too, and found as a service. */
module org.tiproxy.examples.namedmodule {
    requires java.sql;
    requires static org.jspecify;
}
