#!/bin/sh
# run.sh SOURCE OUT TEST: builds the releases (build.sh) and runs TEST with them.
set -eu
"$1/tests/evolution/build.sh" "$1" "$2"
ATES_RELEASES=$2 exec "$3"
