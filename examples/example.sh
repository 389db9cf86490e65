# What run.sh of several examples share. They set "here", their own folder, and read this file.
#
# Environment:
#   EXAMPLE_BUILD=no   use what is built already
#   MARIADB_PORT       port of the MariaDB server on 127.0.0.1, default 13307
#   MARIADB_DATA       data directory of the MariaDB server, default target/data in the example's folder

root=$(CDPATH='' cd -- "$here/../.." && pwd)
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
agent=$root/agent/target/tiproxy.jar
MARIADB_PORT=${MARIADB_PORT:-13307}
MARIADB_DATA=${MARIADB_DATA:-$here/target/data}
export MARIADB_PORT MARIADB_DATA
server_pid=
program_pid=

fail() {
    echo "run.sh: $*" >&2
    exit 1
}

# Ends what was started, the program before its database, also when a signal ends the script.
end_all() {
    trap - EXIT
    for pid in $program_pid $server_pid; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Builds tiproxy.jar and this example; where no server is installed, the build brings one.
build() {
    command -v "$java" >/dev/null || fail "no java on the PATH and no JAVA_HOME; install a JDK 17 or later"
    if [ "${EXAMPLE_BUILD:-yes}" = yes ]; then
        command -v mvn >/dev/null || fail "Maven (mvn) is not on the PATH; install Maven 3.8.6 or later"
        installed=
        if server=$("$root/examples/quickstart/mariadb.sh" --which 2>/dev/null); then
            case $server in "$root"/*) ;; *) installed=-Dmariadb.installed ;; esac
        fi
        echo "Building tiproxy.jar and the example; the first build also downloads what it needs"
        (cd "$root" && mvn -q -DskipTests $installed -pl "agent,examples/$(basename "$here")" -am package) ||
            fail "the build failed (see above)"
    fi
    [ -f "$agent" ] || fail "not built yet: $agent"
}

# Starts the quick start's MariaDB server with this example's data directory, and waits until it is ready.
start_server() {
    log=$here/target/server.log
    "$root/examples/quickstart/mariadb.sh" >"$log" 2>&1 &
    server_pid=$!
    until grep -q "ready for connections" "$log"; do
        if ! kill -0 "$server_pid" 2>/dev/null; then
            cat "$log" >&2
            fail "the MariaDB server has ended (see above). If port $MARIADB_PORT is in use: MARIADB_PORT=13407 $0"
        fi
        sleep 0.2
    done
    echo "MariaDB runs on 127.0.0.1:$MARIADB_PORT"
}

# Runs a program until it ends. Not in the foreground, where the shell would see a signal only afterwards.
run() {
    "$@" &
    program_pid=$!
    status=0
    wait "$program_pid" || status=$?
    program_pid=
    return "$status"
}
