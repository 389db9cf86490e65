#!/bin/sh
# Runs SQL statements through the quick start's proxy: query.sh "SELECT VERSION()"
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if [ ! -f "$here/target/query.jar" ]; then
    echo "query.sh: not built yet; run examples/quickstart/start.sh first" >&2
    exit 1
fi
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" -jar "$here/target/query.jar" "$@"
