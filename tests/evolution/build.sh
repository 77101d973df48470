#!/bin/sh
# build.sh SOURCE OUT: builds the daemon of every release in tests/evolution/releases from this
# repository's history: OUT/NAME/atesd. What was built before is not built again. Ends with 77 where
# the history is not here.
set -eu
source=$1 out=$2

while read -r name commit _; do
    case $name in '' | \#*) continue ;; esac
    if ! git -C "$source" cat-file -e "$commit^{commit}" 2>/dev/null; then
        echo "skipped: release $name is commit $commit, which this copy of the repository does not have: is it a shallow clone, or no clone?"
        exit 77
    fi
    if [ "$(cat "$out/$name/commit" 2>/dev/null)" = "$commit" ]; then
        continue
    fi
    rm -rf "${out:?}/$name"
    mkdir -p "$out/$name/source"
    git -C "$source" archive "$commit" | tar -x -C "$out/$name/source"
    ln -s "$source/actors/web/node_modules" "$out/$name/source/actors/web/node_modules"
    if ! { meson setup "$out/$name/build" "$out/$name/source" && ninja -C "$out/$name/build" atesd; } >"$out/$name/log" 2>&1; then
        tail -20 "$out/$name/log"
        echo "release $name (commit $commit) does not build"
        exit 1
    fi
    ln "$out/$name/build/atesd" "$out/$name/atesd"
    echo "$commit" >"$out/$name/commit"
    echo "built release $name from $commit"
done <"$source/tests/evolution/releases"
