#!/usr/bin/env bash
# What is installed for those who run aTES, as far as it can be seen without running it: the files, the units, the
# catalogue, the settings. Prints TAP.
#   units.sh BUILD SOURCE ATESD
set -euo pipefail
build=$1
source=$2
atesd=$3
folder=$(mktemp -d "${TMPDIR:-/tmp}/ates-units-XXXXXX")
trap 'rm -rf "$folder"' EXIT
number=0
failed=0

# verdict NAME BREACHES: holds where there are no breaches.
verdict() {
    number=$((number + 1))
    if [ -z "$2" ]; then
        echo "ok $number - $1"
    else
        failed=1
        printf '%s\n' "$2" | sed 's/^/# /'
        echo "not ok $number - $1"
    fi
}

skip() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

check_files() {
    local expected found
    expected=$({ find "$source/schemas" -name '*.json' -printf 'share/ates/schemas/%f\n' && cat <<'FILES'; } | sort
bin/atesctl
bin/atesd
include/ates/accounting.h
include/ates/analytics.h
include/ates/auth.h
include/ates/client.h
include/ates/message.h
include/ates/payment.h
include/ates/service.h
include/ates/status.h
include/ates/tasks.h
lib/libates.so
lib/libates.so.0
lib/pkgconfig/ates.pc
lib/systemd/catalog/ates.catalog
lib/systemd/system/ates.target
lib/systemd/system/ates@.service
lib/systemd/system/ates@accounting.service.d/smtp.conf
lib/systemd/system/ates@auth.service.d/keys.conf
lib/systemd/system/ates@broker.service.d/keys.conf
lib/systemd/system/ates@web.service.d/http.conf
lib/sysusers.d/ates.conf
lib/tmpfiles.d/ates.conf
share/ates/ates.conf
share/bash-completion/completions/atesctl
share/fish/vendor_completions.d/atesctl.fish
share/man/man1/atesctl.1
share/man/man5/ates.conf.5
share/man/man8/atesd.8
share/zsh/site-functions/_atesctl
FILES
)
    # The architecture's own folder of libraries aside, and the version's file that links lead to.
    found=$(find "$prefix" ! -type d -printf '%P\n' | sed -E 's,^(lib/[a-z0-9_]+-linux-gnu[a-z0-9]*|lib64)/,lib/,' |
        grep -vE '^lib/libates\.so\.0\.[0-9.]+$' | sort)
    verdict "meson installs these files" "$(diff <(echo "$expected") <(echo "$found") || true)"
}

# What stands in ates.target, and what atesd can run.
check_services() {
    verdict "ates.target wants every service that there is" "$(diff <(printf '%s\n' "${services[@]}" | sort) \
        <("$atesd" --help | sed -n '1s/^usage: atesd \(.*\)|all .*/\1/p' | tr '|' '\n' | sort) || true)"
}

# With the machine's own units beside, which ours refer to.
check_verify() {
    local name breaches=''
    mkdir -p "$folder/root/lib/systemd"
    cp -a /lib/systemd/system "$folder/root/lib/systemd/"
    for name in ates.target "${services[@]/#/ates@}"; do
        [[ $name == *.target ]] || name+=.service
        breaches+=$(systemd-analyze verify --root="$folder/root" --man=no --recursive-errors=one "$name" 2>&1 ||
            echo "$name: code $?")
    done
    verdict "systemd-analyze verify finds nothing" "$breaches"
}

# In tenths: 0.6 where there is ipc alone, 1.3 for web, and for accounting, which may send mail.
check_security() {
    local name bound breaches=''
    for name in "${services[@]}"; do
        bound=6
        [[ $name != web && $name != accounting ]] || bound=13
        breaches+=$(systemd-analyze security --offline=true --root="$folder/root" --no-pager \
            --threshold="$bound" "ates@$name.service" 2>&1 >"$folder/security" ||
            echo "$(tail -n 1 "$folder/security"), more than $bound tenths")
    done
    verdict "systemd-analyze security is within its bounds" "$breaches"
}

# Those who take the network from accounting have it like the others.
check_without_mail() {
    rm "$prefix/lib/systemd/system/ates@accounting.service.d/smtp.conf"
    verdict "accounting without mail is within the others' bound" "$(systemd-analyze security --offline=true \
        --root="$folder/root" --no-pager --threshold=6 ates@accounting.service 2>&1 >"$folder/security" ||
        tail -n 1 "$folder/security")"
}

check_catalogue() {
    local breaches
    breaches=$(journalctl --root="$folder/root" --update-catalog 2>&1)
    breaches+=$(diff <(grep -oE '"[0-9a-f]{32}"' "$source/actors/core/catalogue.c" | tr -d '"' | sort) \
        <(journalctl --root="$folder/root" --list-catalog | cut -d' ' -f1 | sort) || true)
    verdict "the journal takes the catalogue, entry by entry" "$breaches"
}

check_said() {
    local name breaches=''
    for name in $(sed -n 's/^ *\(ATES_SAY_[A-Z_]*\),$/\1/p' "$source/actors/core/catalogue.h"); do
        grep -rqw "$name" "$source/actors" "$source/broker" --include='*.c' --exclude=catalogue.c || breaches+="$name"$'\n'
    done
    verdict "every entry of the catalogue is said somewhere" "$breaches"
}

# Its defaults uncommented are README's block, which a test compares with the program's.
check_settings() {
    verdict "ates.conf has every default of README" "$(diff <(sed -n '/^data = /,/^```$/p' "$source/README.md" | sed '$d') \
        <(sed -n '/^#data = /,$p' "$prefix/share/ates/ates.conf" | sed -E 's/^( *)#([a-z_]+ =)/\1\2/') || true)"
}

# Each setting that there is has its place in ates.conf(5), and each option in atesd(8).
check_manual() {
    local word breaches=''
    while read -r word; do
        grep -qF -- "$word" "$prefix/share/man/man5/ates.conf.5" || breaches+="ates.conf(5) lacks $word"$'\n'
    done < <(ATES_CONFIG=/dev/null "$prefix/bin/atesctl" admin config -o name)
    while read -r word; do
        grep -qF -- "$word" <(sed 's/\\-/-/g' "$prefix/share/man/man8/atesd.8") || breaches+="atesd(8) lacks $word"$'\n'
    done < <("$atesd" --help | grep -oE -- '--[a-z-]+')
    verdict "the man pages tell of every setting and option" "$breaches"
}

DESTDIR=$folder/root meson install -C "$build" --no-rebuild --quiet >"$folder/log" 2>&1 || {
    cat "$folder/log"
    exit 1
}
prefix=$(dirname "$(dirname "$(find "$folder/root" -path '*/bin/atesd')")")
mapfile -t services < <(grep -oE 'ates@[a-z]+' "$prefix/lib/systemd/system/ates.target" | cut -d@ -f2)

check_files
check_services
check_said
check_settings
check_manual
if command -v systemd-analyze >/dev/null && [ -d /lib/systemd/system ]; then
    check_verify
    check_security
    check_without_mail
    check_catalogue
else
    for name in verify security "security without mail" catalogue; do
        skip "$name" "systemd is not installed"
    done
fi
echo "1..$number"
exit "$failed"
