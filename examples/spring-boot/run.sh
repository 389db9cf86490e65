#!/bin/sh
# Runs the application on http://127.0.0.1:8080 with a MariaDB server, until Ctrl-C ends both.
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
if [ "${1:-}" = without ]; then
    run "$java" -jar "$here/target/spring-boot.jar"
else
    run "$java" "-javaagent:$agent" -jar "$here/target/spring-boot.jar"
fi
