package org.tiproxy.examples.tomcat;

import java.nio.file.Path;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.startup.Tomcat;

/**
 * Runs a web application that is unpacked in a folder, on the loopback interface. Has no driver on its own class path and
 * knows nothing of tiproxy.
 */
public final class TomcatServer {
    private TomcatServer() {}

    public static void main(String[] arguments) throws LifecycleException {
        if (arguments.length != 3) {
            System.err.println("usage: java -jar tomcat.jar FOLDER-OF-THE-WEB-APPLICATION HTTP-PORT JDBC-URL");
            System.exit(2);
        }
        Path application = Path.of(arguments[0]).toAbsolutePath();
        int port = Integer.parseInt(arguments[1]);

        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(application.resolveSibling("tomcat-work").toString());
        tomcat.setHostname("127.0.0.1");
        tomcat.setPort(port);
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        // They would be those for JSP and for files.
        tomcat.setAddDefaultWebXmlToWebapp(false);
        Context context = tomcat.addWebapp("", application.toString());
        context.addParameter("jdbc-url", arguments[2]);
        tomcat.start();
        System.out.println("http://127.0.0.1:" + port + "/visits");
        tomcat.getServer().await();
    }
}
