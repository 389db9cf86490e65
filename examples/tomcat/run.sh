#!/bin/sh
# Runs Tomcat on http://127.0.0.1:8080/visits with a MariaDB server, until Ctrl-C ends both.
#
#   run.sh           with the agent
#   run.sh without   without it
#
# Needs a JDK 17 or later and Maven. Environment: see ../example.sh.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/../example.sh"

build
start_server
url="jdbc:mysql://127.0.0.1:$MARIADB_PORT/demo?user=demo&password=demo"
if [ "${1:-}" = without ]; then
    run "$java" -jar "$here/target/tomcat.jar" "$here/target/webapp" 8080 "$url"
else
    run "$java" "-javaagent:$agent" -jar "$here/target/tomcat.jar" "$here/target/webapp" 8080 "$url"
fi
