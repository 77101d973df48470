#!/usr/bin/env bash
# What holds for the sources themselves. Prints TAP: a line a rule, and before a broken one where it is broken.
set -euo pipefail
cd "$1"

number=0
failed=0

# verdict NAME BREACHES: the rule holds where there are no breaches.
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

sources() {
    find include actors broker tools tests -name node_modules -prune -o \( -name '*.c' -o -name '*.h' \) -type f -print | sort
}

scripts() {
    find tools tests systemd .ci -name node_modules -prune -o -type f \( -name '*.sh' -o -name '*.py' -o -name '*.mjs' -o \
        -name '*.js' -o -perm -u+x \) -print 2>/dev/null | sort
}

formatter() {
    local name
    for name in clang-format-14 clang-format; do
        if command -v "$name" >/dev/null && "$name" --version | grep -q 'version 14\.'; then
            echo "$name"
            return
        fi
    done
}

check_format() {
    local tool
    tool=$(formatter)
    if [ -z "$tool" ]; then
        skip "sources are formatted" "clang-format 14 is not installed"
        return
    fi
    verdict "sources are formatted" "$(sources | xargs -r -d '\n' "$tool" --dry-run -Werror 2>&1 |
        grep 'error:' | sed 's/error: .*/not as clang-format 14 has it/' | sort -u -t: -k1,1 || true)"
}

# The folders of actors but for core and the mail library, which know no domain.
domains() {
    find actors -mindepth 1 -maxdepth 1 -type d ! -name core ! -name mail -printf '%f\n' | sort
}

check_core() {
    local names
    names=$(domains | paste -sd'|')
    verdict "core and mail include no domain" "$(find actors/core actors/mail -name '*.[ch]' -print0 | xargs -0 grep -HnE \
        "#[[:space:]]*include[[:space:]]*(\"(($names)/|domains\.h|broker/)|<ates/($names)\.h)" || true)"
    verdict "core includes nothing of mail" "$(find actors/core -name '*.[ch]' -print0 |
        xargs -0 grep -HnE '#[[:space:]]*include[[:space:]]*"mail/' || true)"
}

check_domains() {
    local domain others breaches=
    for domain in $(domains); do
        others=$(domains | grep -vx "$domain" | paste -sd'|')
        breaches+=$(find "actors/$domain" -name '*.[ch]' -print0 | xargs -0 grep -HnE \
            "#[[:space:]]*include[[:space:]]*\"(($others)/|domains\.h|broker/)" || true)
    done
    verdict "a domain includes no other's private header" "$breaches"
}

check_public() {
    verdict "public headers include public and standard ones only" "$(find include -name '*.h' -print0 |
        xargs -0 grep -HnE '#[[:space:]]*include' |
        grep -vE '<(ates/[a-z]+|stdbool|stddef|stdint)\.h>' || true)"
    verdict "actors, broker and headers include nothing of tools and tests" "$(find actors broker include \
        -name '*.[ch]' -print0 | xargs -0 grep -HnE '#[[:space:]]*include[[:space:]]*"(tools|tests|support|ctl)' || true)"
}

# The client library's sources, as actors/meson.build lists them.
client_sources() {
    sed -n '/^ates_sources = files(/,/)/p' actors/meson.build | grep -oE "'[^']+\.c'" | tr -d "'"
}

# A header belongs to the library where a source of it has its name, or its name before _private, or where it is
# all there is (macros for tables) and itself needs nothing of core.
check_client() {
    local source included name breaches='' list
    list=$(client_sources)
    [ -n "$list" ] || breaches="actors/meson.build lists no ates_sources"
    while read -r source included; do
        [[ $included == core/* ]] || continue
        name=${included%.h}
        name=${name%_private}
        if ! grep -qx "$name.c" <<<"$list" &&
            { [ -f "actors/$name.c" ] || grep -q '#include "' "actors/$included"; }; then
            breaches+="$source includes $included"$'\n'
        fi
    done < <(sed 's,^,actors/,' <<<"$list" | xargs -d '\n' grep -HoE '^#include "[^"]+"' /dev/null |
        sed -E 's/:#include "/ /; s/"$//')
    verdict "the client library includes nothing of core but its own" "${breaches%$'\n'}"
}

# Modules of core, of the domains and of the broker.
modules() {
    find actors broker -mindepth 2 -name '*.c' -printf '%f\n' -o -path 'broker/*.c' -printf '%f\n' |
        sed 's/\.c$//' | sort
}

check_tested() {
    local module test reason breaches='' listed
    listed=$(grep -v '^#' tests/style/covered || true)
    for module in $(modules); do
        if [ -f "tests/unit/test_$module.c" ]; then
            grep -q "'$module'" tests/unit/meson.build ||
                breaches+="tests/unit/test_$module.c is not listed in tests/unit/meson.build"$'\n'
        elif ! grep -q "^$module " <<<"$listed"; then
            breaches+="$module has no tests/unit/test_$module.c, nor a line in tests/style/covered"$'\n'
        fi
    done
    while read -r module test reason; do
        [ -n "$module" ] || continue
        [ -f "tests/$test" ] || breaches+="tests/style/covered: $module: there is no tests/$test"$'\n'
        [ -n "$reason" ] || breaches+="tests/style/covered: $module: the reason is missing"$'\n'
        modules | grep -qx "$module" || breaches+="tests/style/covered: there is no module $module"$'\n'
        [ ! -f "tests/unit/test_$module.c" ] ||
            breaches+="tests/style/covered: $module has a test of its own"$'\n'
    done <<<"$listed"
    verdict "every module has a test" "${breaches%$'\n'}"
}

check_length() {
    verdict "no file is longer than 500 lines" "$({ sources; scripts; } | sort -u | xargs -r -d '\n' wc -l |
        awk '$1 > 500 && $2 != "total" { print $2 ": " $1 " lines" }')"
}

# Written in halves, so that this file does not name them.
check_words() {
    local words='\b(TO''DO|FIX''ME|X''XX|HA''CK|st''ub|not imple''mented|place''holder|for n''ow|in a re''al)\b'
    verdict "no words that mark unfinished things" "$({ sources; scripts; find . -maxdepth 1 -name '*.md' ! -name CHANGELOG.md; } |
        sort -u | xargs -r -d '\n' grep -HnIiE "$words" || true)"
}

check_format
check_core
check_domains
check_public
check_client
check_tested
check_length
check_words
echo "1..$number"
exit "$failed"
