#!/usr/bin/env bash
# The packages on a machine: built, looked at, installed, upgraded with data, removed, purged; and in between each
# service started alone, killed, stopped and restarted under commands of which none may stay without a reply.
# Prints TAP. Needs root, debootstrap and systemd-nspawn; takes minutes.
#   packages.sh SOURCE; SEED chooses the order in which services start
set -euo pipefail
source=$1
here=$source/tests/packages
. "$here/machine.sh"
. "$here/build.sh"
. "$here/life.sh"
number=0
failed=0
password='correct horse battery staple'
services=(broker auth tasks accounting analytics payment web)
RANDOM=${SEED:=$((BASHPID % 32768))}

# verdict NAME COMMAND...: holds where the command returns 0; what it says is shown where not.
verdict() {
    local name=$1 code=0
    shift
    number=$((number + 1))
    # Not in a condition, in which a failure inside of the command would go unnoticed.
    set +e
    (
        set -e
        "$@"
    ) >"$folder/said" 2>&1
    code=$?
    set -e
    if [ "$code" -eq 0 ]; then
        echo "ok $number - $name"
    else
        failed=1
        sed 's/^/# /' "$folder/said"
        echo "not ok $number - $name"
    fi
}

# refused COMMAND...: holds where the command fails.
refused() {
    if "$@" >/dev/null 2>&1; then
        echo "this was let through: $*"
        return 1
    fi
}

# says PATTERN COMMAND...: holds where this is in the command's output. All of it is read, as what writes into a pipe
# that is closed fails.
says() {
    local pattern=$1 said
    shift
    said=$("$@")
    grep -qE -- "$pattern" <<<"$said" || {
        echo "'$pattern' is not in: $said"
        return 1
    }
}

# until_true SECONDS COMMAND...: asks until the command succeeds. Returns 1 where it never does.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || {
            echo "not within its time: $*"
            return 1
        }
        sleep 0.1 # before the next look
    done
}

build_packages() {
    package_build "$source" "$version" "$folder/new"
    package_build "$source" "$version~before" "$folder/old"
}

check_lintian() {
    local said
    said=$(lintian --allow-root --fail-on error "$folder"/new/*.changes 2>&1) || {
        echo "$said"
        return 1
    }
}

# Packages on which ours depend, as they say themselves, what compiles a program and runs the examples (with what python3-zmq
# wants by a virtual package, which debootstrap does not resolve), and a mail server.
needed_packages() {
    local deb
    for deb in "$folder"/new/*.deb; do
        dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/[(|].*//; s/ //g' | grep -vE '^(lib)?ates' || true
    done
    printf '%s\n' gcc libc6-dev pkg-config python3-aiosmtpd python3-cffi-backend python3-msgpack python3-zmq
}

put_debs() {
    local which
    for which in old new; do
        mkdir -p "$folder/root/debs/$which"
        cp "$folder/$which"/*.deb "$folder/root/debs/$which/"
        rm -f "$folder/root/debs/$which"/*dbgsym*
    done
}

install_debs() {
    machine_run sh -c "dpkg -i /debs/$1/*.deb"
}

# Before there are keys nothing runs, nothing has failed, and the journal says why.
check_uninitialised() {
    [ -z "$(machine_run systemctl list-units 'ates@*' --state=active,failed --no-legend)" ]
    says 'skipped because of an unmet condition check.*/etc/ates/keys/keyring' machine_run journalctl -u ates@auth
    machine_run systemctl is-enabled ates.target
}

all_active() {
    local name
    for name in "${services[@]}"; do
        machine_run systemctl is-active "ates@$name"
    done
}

first_day() {
    machine_run sh -c "echo '$password' | atesctl admin init --login admin --email admin@uberpopug.example --password-file -"
    machine_run systemctl start ates.target # which waits until all are ready
    machine_run useradd --create-home --groups ates ann
    machine_as ann sh -c "echo '$password' | atesctl login admin --password-file -"
    machine_as ann sh -c "echo '$password' | atesctl user add popug --email popug@uberpopug.example --role developer --password-file -"
    machine_as ann sh -c "echo '$password' | atesctl user add boris --email boris@uberpopug.example --role accountant --password-file -"
    all_active
}

# Whoever is in the group may use the sockets, nobody else.
check_group() {
    machine_run useradd --create-home eve
    refused machine_as eve atesctl --timeout 1 call auth.health
    refused machine_as ann ls /run/ates/private
    refused machine_as ann ls /var/lib/ates/tasks
    refused machine_as ann ls /etc/ates/keys
}

compile_program() {
    cp "$here/steady.c" "$folder/root/root/"
    # shellcheck disable=SC2016
    machine_run sh -c 'cc -std=c11 -Wall -Wextra -Werror /root/steady.c -o /usr/local/bin/steady $(pkg-config --cflags --libs ates)'
    says 'libates.so.0' machine_run ldd /usr/local/bin/steady
}

run_example() {
    local examples=/usr/share/doc/libates-dev/examples
    says 'business_date,user_id,login,paid' machine_as ann sh -c "echo '$password' | python3 $examples/python/payroll.py \
        --login boris --password-file - --from-date 2026-01-01 --to-date 2099-12-31"
    machine_run test -e $examples/node/ates.mjs -a -e /usr/share/ates/vectors/requests.json
}

# What was there before an upgrade, to compare.
ledger() {
    machine_as ann sh -c "atesctl task ls -o csv; echo '$password' | atesctl login boris --password-file - 2>&1 | sed 's/until.*//'; atesctl account all -o csv; echo '$password' | atesctl login admin --password-file - >/dev/null 2>&1"
}

is_version() {
    [ "$(machine_run dpkg-query -W -f '${Version}' ates)" = "$1" ]
}

# While commands come: each gets its reply, and every unit runs the new program.
upgrade() {
    local before pid
    before=$(ledger)
    is_version "$version~before"
    pid=$(main_pid ates@tasks)
    begin_calls accounting show_balance
    install_debs new
    end_calls
    is_version "$version"
    [ "$(main_pid ates@tasks)" != "$pid" ]
    all_active
    diff <(echo "$before") <(ledger)
}

# As docs/operations.md has it: while commands come, and into a folder that is gone.
restore_backup() {
    local before
    before=$(ledger)
    begin_calls accounting show_balance
    machine_run atesctl admin backup /root/backup
    end_calls
    machine_run systemctl stop ates.target 'ates@*'
    refused machine_run pgrep -x atesd
    machine_run mv /var/lib/ates /var/lib/ates.old
    machine_run systemd-tmpfiles --create ates.conf
    machine_run atesctl admin restore /root/backup
    machine_run systemctl start ates.target
    all_active
    machine_run rm -r /var/lib/ates.old
    diff <(echo "$before") <(ledger)
}

remove() {
    machine_run dpkg --remove ates
    refused machine_run pgrep -x atesd
    machine_run test -e /etc/ates/ates.conf -a -e /etc/ates/keys/auth.key -a -e /var/lib/ates/tasks/log
    refused machine_run test -e /usr/bin/atesd
}

reinstall() {
    local before=$1
    install_debs new
    all_active
    diff "$before" <(ledger)
}

purge() {
    machine_run dpkg --purge ates atesctl libates-dev libates0
    for name in /etc/ates /var/lib/ates /run/ates; do
        refused machine_run test -e "$name"
    done
    [ -z "$(machine_run systemctl list-units --all 'ates*' --state=active,failed --no-legend)" ]
    machine_run getent passwd ates
}

folder=$(mktemp -d "${TMPDIR:-/tmp}/ates-packages-XXXXXX")
trap 'machine_stop; rm -rf --one-file-system "$folder"' EXIT
lacks=$(machine_lacks
    for name in dpkg-buildpackage dh lintian; do
        command -v "$name" >/dev/null || echo "$name is not installed"
    done)
if [ -n "$lacks" ]; then
    echo "1..0 # SKIP $(paste -sd, <<<"$lacks"); tools/setup --long installs what is missing"
    exit 0
fi
echo "# seed $SEED"
version=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$source/debian/changelog")
build_packages
verdict "lintian finds no errors" check_lintian
mapfile -t needed < <(needed_packages)
machine_make "${needed[@]}"
put_debs
machine_boot
verdict "the packages install on a machine that runs" install_debs old
verdict "without keys nothing starts, and the journal says why" check_uninitialised
verdict "the first day: keys, data, an administrator, every service" first_day
verdict "the group has the sockets, others nothing" check_group
verdict "a program of libates-dev alone compiles" compile_program
verdict "an example of libates-dev runs" run_example
check_lives
verdict "an upgrade under load: no reply is lost, data and services go on" upgrade
verdict "a backup is restored on the machine" restore_backup
ledger >"$folder/before"
verdict "removing keeps settings, keys and data" remove
verdict "installed again, everything is there" reinstall "$folder/before"
verdict "purging takes everything away" purge
echo "1..$number"
exit "$failed"
