package org.tiproxy.drivers;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.tiproxy.testing.MySqlServer;

/**
 * An application that does everything that the scenarios do with one driver, and prints what it sees: the same with the
 * agent and without. At the end it says on standard error what the agent's bean has counted, if there is one.
 *
 * <p>Arguments: the driver's name in {@link JdbcDriver}, the server's port, a folder for files, a part of the scenarios'
 * names, and whether what moves hundreds of megabytes is done too.
 */
public final class CompatibilityProgram {
    /** Begins the line with a scenario's name. */
    public static final String SCENARIO = "== ";

    /** Begins the line on standard error with the agent's counts. */
    public static final String COUNTED = "counted: ";

    private static final Set<JdbcDriver> ONE_OF_EACH_LINE = EnumSet.of(
            JdbcDriver.CONNECTOR_J_26_10_0,
            JdbcDriver.CONNECTOR_J_5_1_49,
            JdbcDriver.MARIADB_4_0_0,
            JdbcDriver.MARIADB_2_7_13);

    private CompatibilityProgram() {}

    /** The names of the drivers, the newest ones first: one of each line, or all that are woven. */
    public static List<String> drivers(boolean all) {
        return (all ? JdbcDriver.WOVEN : ONE_OF_EACH_LINE)
                .stream().map(JdbcDriver::name).toList();
    }

    /** The server's options that the scenarios need. */
    public static String[] serverOptions(Path folder) throws java.io.IOException {
        return Accounts.serverOptions(folder, false);
    }

    /** The names of the drivers that are compared on MySQL: each vendor's newest. */
    public static List<String> driversOnMySql() {
        return List.of(JdbcDriver.CONNECTOR_J_26_10_0.name(), JdbcDriver.MARIADB_4_0_0.name());
    }

    /** Starts a MySQL with what the scenarios need. */
    public static MySqlServer startMySql(Path folder) throws java.io.IOException {
        return Accounts.startMySql(folder);
    }

    static Map<String, Scenario> scenarios(String part, boolean large) {
        Map<String, Scenario> all = new LinkedHashMap<>();
        all.putAll(TypeScenarios.all());
        if (large) {
            all.putAll(TypeScenarios.large());
        }
        all.putAll(StatementScenarios.all());
        all.putAll(LoadDataScenarios.all());
        all.putAll(SessionScenarios.all());
        all.keySet().removeIf(name -> !name.contains(part));
        return all;
    }

    /** The program. */
    public static void main(String[] arguments) throws Exception {
        JdbcDriver driver = JdbcDriver.valueOf(arguments[0]);
        int port = Integer.parseInt(arguments[1]);
        Path folder = Path.of(arguments[2]);
        boolean large = Boolean.parseBoolean(arguments[4]);
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        for (Map.Entry<String, Scenario> scenario :
                scenarios(arguments[3], large).entrySet()) {
            out.println(SCENARIO + scenario.getKey());
            try (URLClassLoader loader = driver.load()) {
                ScenarioRun.of(scenario.getValue(), driver, loader, port, port, folder)
                        .forEach(line -> out.println(line.replace("\n", "\\n")));
            } catch (Exception e) {
                out.println("failed: " + e);
                System.err.println(SCENARIO + scenario.getKey());
                e.printStackTrace();
            }
        }
        count();
        // Drivers leave threads behind.
        System.exit(0);
    }

    private static void count() throws JMException {
        MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
        ObjectName agent = new ObjectName("tiproxy:type=Agent");
        if (beans.isRegistered(agent)) {
            System.err.println(COUNTED + beans.getAttribute(agent, "RedirectedTotal") + " "
                    + beans.getAttribute(agent, "FailOpenTotal") + " " + beans.getAttribute(agent, "LastFailOpen"));
        }
    }
}
