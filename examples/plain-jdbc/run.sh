#!/bin/sh
# Runs the program twice, without the agent and with it, on a MariaDB server that it starts and ends.
#
#   run.sh [UNITS]   how many units of work, default 500
#
# Needs a JDK 17 or later and Maven. Environment: see ../example.sh.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/../example.sh"

build
start_server
url="jdbc:mariadb://127.0.0.1:$MARIADB_PORT/demo?user=demo&password=demo"
echo
echo "java -jar plain-jdbc.jar"
run "$java" -jar "$here/target/plain-jdbc.jar" "$url" "$@"
echo
echo "java -javaagent:tiproxy.jar -jar plain-jdbc.jar"
run "$java" "-javaagent:$agent" -jar "$here/target/plain-jdbc.jar" "$url" "$@"
