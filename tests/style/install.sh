#!/usr/bin/env bash
# What is installed is enough: a stranger's program, compiled against the installed headers and ates.pc alone,
# calls a command. Nobody answers below an empty folder, so it must hear "timed out" - from the library.
#   install.sh BUILD
set -euo pipefail
build=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/ates-install-XXXXXX")
trap 'rm -rf "$folder"' EXIT

DESTDIR=$folder meson install -C "$build" --no-rebuild --quiet >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
pc=$(dirname "$(find "$folder" -name ates.pc)")
lib=$(dirname "$(find "$folder" -name libates.so)")
cat >"$folder/program.c" <<'C'
#include <ates/client.h>
#include <ates/tasks.h>
#include <errno.h>

int main(int argc, char **argv)
{
    const struct tasks_create_task body = {.name = ates_text_from("Feed the parrots"),
                                           .description = ates_text_from("")};
    struct ates_client *client = ates_client_new(argv[argc - 1]);
    struct ates_arena *arena = ates_arena_new();
    struct tasks_task_result result;
    struct ates_reply reply;
    char request_id[37];

    ates_client_set_timeout(client, 100);
    ates_request_id_new(request_id);
    const int r = ates_client_invoke(client, &tasks_service,
                                     ates_service_command(&tasks_service, "create_task", 11),
                                     request_id, &body, arena, &result, &reply);
    ates_arena_free(&arena);
    ates_client_free(&client);
    return r == -ETIMEDOUT ? 0 : 1;
}
C
export PKG_CONFIG_PATH=$pc PKG_CONFIG_SYSROOT_DIR=$folder
# shellcheck disable=SC2046
cc -std=c11 -Wall -Wextra -Werror "$folder/program.c" -o "$folder/program" $(pkg-config --cflags --libs ates)
LD_LIBRARY_PATH=$lib "$folder/program" "$folder"
for program in atesd atesctl; do
    [ -x "$(find "$folder" -path "*bin/$program")" ] || { echo "$program is not installed"; exit 1; }
done
echo "1..1"
echo "ok 1 - an installed client library serves a program of its own"
