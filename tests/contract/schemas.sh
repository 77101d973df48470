#!/usr/bin/env bash
# schemas/ and PROTOCOL.md's tables of fields are what the message tables say, to the byte. ATES_GOLDEN_UPDATE=1 writes
# both anew.
set -euo pipefail
root=$1
begin='<!-- fields: '
end='<!-- end of fields -->'
made=$(mktemp -d)
trap 'rm -r "$made"' EXIT

mkdir "$made/schemas"
"$ATES_CONTRACT" schemas "$made/schemas"
# The protocol with the tables put between its marks.
{
    sed "/^$begin/q" "$root/PROTOCOL.md"
    "$ATES_CONTRACT" fields
    printf '\n'
    sed -n "/^$end/,\$p" "$root/PROTOCOL.md"
} >"$made/PROTOCOL.md"
if [ "${ATES_GOLDEN_UPDATE-}" = 1 ]; then
    mkdir -p "$root/schemas"
    rm -f "$root"/schemas/*.json
    cp "$made"/schemas/*.json "$root/schemas/"
    cp "$made/PROTOCOL.md" "$root/PROTOCOL.md"
fi

# compare NAME WHAT MADE: WHAT of the tree is what was made.
compare() {
    local difference
    if difference=$(diff -r "$root/$2" "$made/$2"); then
        echo "ok $1 - $2 is what the message tables say"
    else
        sed 's/^/# /' <<<"$difference" | head -n 40
        echo "# make it anew: ATES_GOLDEN_UPDATE=1 meson test -C build schemas"
        echo "not ok $1 - $2 is what the message tables say"
    fi
}

echo 1..2
compare 1 schemas
compare 2 PROTOCOL.md
