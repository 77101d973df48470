# What tools/setup, tools/run and tools/test share: words on stderr, and steps that show how far they are. To be
# sourced. A step's own output is kept in a file, of which the end is shown where the step fails.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "${0##*/}: $*"
    exit 1
}

on_terminal() {
    [ -t 2 ] && [ "${TERM:-dumb}" != dumb ]
}

# Tells how long a step takes and what its output says, until stdin ends: in one line of a terminal,
# elsewhere a line now and then.
watch_step() {
    local words=$1 log=$2 start=$SECONDS pause=10 code last
    trap '' INT
    on_terminal && pause=1
    while true; do
        code=0
        read -rt "$pause" _ || code=$?
        [ "$code" -gt 128 ] || break
        last=$(tail -c 400 "$log" 2>/dev/null | tr '\r\t' '\n ' | tr -d '\000-\011\013-\037' |
            grep -a '[^ ]' | tail -n 1) || last=
        if on_terminal; then
            printf '\r\033[K%s' "$words: $((SECONDS - start)) s  ${last:0:50}" >&2
        else
            say "  $((SECONDS - start)) s  ${last:0:100}"
        fi
    done
    ! on_terminal || printf '\r\033[K' >&2
}

# step WORDS LOG COMMAND...: runs the command with its output in LOG. Returns its code.
step() {
    local words=$1 log=$2 start=$SECONDS code=0 watcher
    shift 2
    : >"$log"
    say "$words ..."
    exec 9> >(watch_step "$words" "$log")
    watcher=$!
    "$@" >"$log" 2>&1 </dev/null 9>&- || code=$?
    exec 9>&-
    wait "$watcher" || true
    if [ "$code" -ne 0 ]; then
        tail -n 40 "$log" >&2
        say "$words: failed with code $code (all it said is in $log)"
    elif [ $((SECONDS - start)) -gt 1 ]; then
        say "  done in $((SECONDS - start)) s"
    fi
    return "$code"
}

# Whether the folder was set up for these very sources: a tree may have been moved or copied with it.
is_our_build() {
    [ -f "$1/build.ninja" ] && python3 - "$1/meson-info/meson-info.json" "$top" <<'PYTHON' 2>/dev/null
import json, sys
sys.exit(json.load(open(sys.argv[1]))["directories"]["source"] != sys.argv[2])
PYTHON
}

# configure BUILD OPTION...: sets up a build folder with these options, or changes one to them.
configure() {
    local build=$1
    shift
    if is_our_build "$build"; then
        meson configure "$build" "$@"
    else
        rm -rf "$build"
        meson setup "$build" "$top" "$@"
    fi
}

# fetch_npm FOLDER WORDS LOG: what FOLDER/package-lock.json names, where it is not there yet.
fetch_npm() {
    local folder=$1 words=$2 log=$3 stamp
    stamp=$folder/node_modules/.ates-lock
    cmp -s "$folder/package-lock.json" "$stamp" && return 0
    step "$words" "$log" npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --omit=dev || return
    cp "$folder/package-lock.json" "$stamp"
}
