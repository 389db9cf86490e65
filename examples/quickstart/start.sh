#!/bin/sh
# The quick start in one command: builds tiproxy, brings a MariaDB server if none is installed, runs the proxy.
# Needs a JDK 17 or later and Maven. Ctrl-C ends everything.
#
# Environment:
#   QUICKSTART_BUILD=no     use what is built already
#   MARIADB_PORT            port of the MariaDB server on 127.0.0.1, default 13306
#   MARIADB_DATA            data directory of the MariaDB server, default target/data beside this script
#   TIPROXY_...             any key of tiproxy.toml, for example TIPROXY_PROXY_ADDR or TIPROXY_SUPERVISOR_IDLE
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

fail() {
    echo "start.sh: $*" >&2
    exit 1
}

# What would otherwise be downloaded may be there: say which server it will be before anything large is fetched.
find_server() {
    if server=$("$here/mariadb.sh" --which 2>/dev/null); then
        case $server in "$root"/*) ;; *) installed=-Dmariadb.installed ;; esac
    elif [ "$(uname -s)/$(uname -m)" != Linux/x86_64 ]; then
        "$here/mariadb.sh" --which >&2 || true
        fail "this machine is $(uname -s) $(uname -m), for which there is no server to download"
    else
        server="MariaDB from Maven Central, 149 MB the first time"
    fi
}

build() {
    command -v mvn >/dev/null || fail "Maven (mvn) is not on the PATH; install Maven 3.8.6 or later"
    (cd "$root" && mvn -q -DskipTests $installed -pl agent,examples/quickstart -am package) ||
        fail "the build failed (see above)"
}

command -v "$java" >/dev/null || fail "no java on the PATH and no JAVA_HOME; install a JDK 17 or later"
installed=
find_server
echo "[1/3] Database server: $server"
if [ "${QUICKSTART_BUILD:-yes}" = yes ]; then
    echo "[2/3] Building tiproxy.jar and the example; the first build also downloads what it needs"
    build
else
    echo "[2/3] Not building: QUICKSTART_BUILD=$QUICKSTART_BUILD"
fi
[ -f "$root/agent/target/tiproxy.jar" ] || fail "not built yet: $root/agent/target/tiproxy.jar"
"$here/mariadb.sh" --which >/dev/null

if [ -n "${MARIADB_PORT:-}" ]; then
    export TIPROXY_BACKEND_INSTANCES="${TIPROXY_BACKEND_INSTANCES:-127.0.0.1:$MARIADB_PORT}"
fi
echo "[3/3] Starting tiproxy on ${TIPROXY_PROXY_ADDR:-127.0.0.1:4000}; the server starts when the first client connects."
echo "      In another terminal: $here/query.sh \"SELECT VERSION()\"        Ctrl-C here ends everything."
exec "$java" -jar "$root/agent/target/tiproxy.jar" --config "$here/tiproxy.toml"
