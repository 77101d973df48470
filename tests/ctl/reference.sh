#!/usr/bin/env bash
# docs/reference.md is what atesctl prints of itself, and its man page can be made. ATES_GOLDEN_UPDATE=1 writes the
# former anew.
set -euo pipefail
reference=$1/docs/reference.md

if [ "${ATES_GOLDEN_UPDATE-}" = 1 ]; then
    "$ATESCTL" help --markdown >"$reference"
fi
echo 1..2
if difference=$("$ATESCTL" help --markdown | diff "$reference" -); then
    echo "ok 1 - docs/reference.md is up to date"
else
    sed 's/^/# /' <<<"$difference" | head -n 40
    echo "# make it anew: atesctl help --markdown > docs/reference.md"
    echo "not ok 1 - docs/reference.md is up to date"
fi
if ! command -v scdoc >/dev/null; then
    echo "ok 2 - the man page can be made # SKIP scdoc is not installed"
elif page=$("$ATESCTL" help --man | scdoc) && [[ $page == *".SH NAME"*"task reassign"*"NOT_ASSIGNEE"* ]]; then
    echo "ok 2 - the man page can be made"
else
    echo "not ok 2 - the man page can be made"
fi
