#!/bin/sh
# Runs the module twice, without the agent and with it, on a MariaDB server that it starts and ends.
# Needs a JDK 17 or later and Maven. Environment: see ../example.sh.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/../example.sh"

build
start_server
modules=$here/target/named-module.jar:$here/target/lib
main=org.tiproxy.examples.namedmodule/org.tiproxy.examples.namedmodule.NamedModule
url="jdbc:mariadb://127.0.0.1:$MARIADB_PORT/demo?user=demo&password=demo&sslMode=disable"
echo
echo "java --module-path … --module …"
run "$java" --module-path "$modules" --module "$main" "$url"
echo
echo "java -javaagent:tiproxy.jar --module-path … --module …"
run "$java" "-javaagent:$agent" --module-path "$modules" --module "$main" "$url"
