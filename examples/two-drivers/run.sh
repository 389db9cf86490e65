#!/bin/sh
# Runs the program twice, without the agent and with it, on a MariaDB server that it starts and ends.
# Needs a JDK 17 or later and Maven. Environment: see ../example.sh.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/../example.sh"

build
start_server
url="jdbc:mysql://127.0.0.1:$MARIADB_PORT/demo?user=demo&password=demo"
set -- "$here/target/two-drivers.jar" "$url" "$here"/target/drivers/mysql-connector-j-*.jar
echo
echo "java -jar two-drivers.jar"
run "$java" -jar "$@"
echo
echo "java -javaagent:tiproxy.jar -jar two-drivers.jar"
run "$java" "-javaagent:$agent" -jar "$@"
