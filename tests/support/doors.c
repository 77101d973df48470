/* The flow's services on tcp; see doors.h. */
#include "support/doors.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "core/curve.h"

static void make_folder(const struct doors *doors, const char *below)
{
    cr_assert_eq(mkdir(doors_path(doors, below), 0755), 0);
    chmod(doors_path(doors, below), 0755); /* whatever the umask */
}

void doors_open(struct doors *doors, struct flow *flow)
{
    char below[64];

    snprintf(doors->folder, sizeof doors->folder, "%s/curve", flow->data_dir);
    make_folder(doors, "");
    make_folder(doors, "allow");
    for (const char *const *kind = ates_curve_kinds; *kind != NULL; kind++) {
        snprintf(below, sizeof below, "allow/%s", *kind);
        make_folder(doors, below);
    }
    cr_assert_eq(ates_cert_draw(&doors->server), 0);
    doors_save(doors, "server.cert_secret", &doors->server, true);
    doors_save(doors, "server.cert", &doors->server, false);
    flow_configure(flow, "listen\n"
                         "    auth = tcp://127.0.0.1:0\n"
                         "    tasks = tcp://127.0.0.1:0\n"
                         "    accounting = tcp://127.0.0.1:0\n"
                         "    events = tcp://127.0.0.1:0\n"
                         "    publish = tcp://127.0.0.1:0\n");
}

const char *doors_path(const struct doors *doors, const char *below)
{
    static char paths[2][256];
    static unsigned turn;
    char *path = paths[turn++ % 2];

    snprintf(path, sizeof paths[0], "%s/%s", doors->folder, below);
    return path;
}

void doors_save(const struct doors *doors, const char *below, const struct ates_cert *cert,
                bool with_secret)
{
    char error[1024];

    cr_assert_eq(
        ates_cert_save(doors_path(doors, below), "it", cert, with_secret, error, sizeof error), 0,
        "%s", error);
}

void doors_address(const char *run_dir, const char *name, char address[ATES_ADDRESS_SIZE])
{
    char path[160];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s.address", run_dir, name);
    flow_until((file = fopen(path, "r")) != NULL);
    cr_assert_not_null(fgets(address, ATES_ADDRESS_SIZE, file));
    fclose(file);
    address[strcspn(address, "\n")] = '\0';
}
