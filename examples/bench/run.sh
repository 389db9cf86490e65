#!/bin/sh
# Builds tiproxy and the benchmark, then compares no proxy, HAProxy and tiproxy. Options: see README.md or run.sh --help.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
if [ "${BENCH_BUILD:-yes}" = yes ] && ! { [ "${1:-}" = --help ] && [ -f "$here/target/bench.jar" ]; }; then
    echo "Building tiproxy.jar and the benchmark" >&2
    (cd "$root" && mvn -q -DskipTests -pl agent,examples/bench -am package) || {
        echo "run.sh: the build failed (see above)" >&2
        exit 1
    }
fi
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" -jar "$here/target/bench.jar" \
    --jar "$root/agent/target/tiproxy.jar" --mariadb "$root/examples/quickstart/mariadb.sh" --work "$here/target/work" "$@"
