package org.tiproxy.examples.bench;

/** Loads the class that is named, if one is, and ends. */
final class LoadClass {
    private LoadClass() {}

    public static void main(String[] arguments) throws ClassNotFoundException {
        if (!arguments[0].isEmpty()) {
            Class.forName(arguments[0]);
        }
    }
}
