/* Configuration: defaults, then a ZPL file, then ATES_* environment variables, then flags. One
 * table of settings, in setting.c, names them all. */
#ifndef ATES_CONFIG_H
#define ATES_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/endpoint.h"
#include "core/reach.h"

#define ATES_SETTING_MAX 64u /* how many there may be */

struct ates_config {
    char data_dir[4096];  /* data: absolute once loaded */
    char run_dir[4096];   /* run: absolute once loaded; the sockets' folder */
    char log_level[16];   /* log.level: error, warning, notice, info or debug */
    char time_zone[64];   /* time_zone: IANA name, checked to exist; default Europe/Moscow */
    char open_roles[128]; /* auth.open_roles: who may register without an administrator:
                             developer,other */
    char refused_passwords[4096]; /* auth.refused_passwords: a file; empty: none */
    int64_t access_ms;            /* auth.access_minutes: an access token's life; 15 */
    int64_t session_ms;           /* auth.session_hours: a session's life; 12 */
    int64_t payday_ms;            /* payday.time: of the local day, after midnight; 00:00 */
    char mail_language[8];        /* mail.language: en or ru */
    int64_t mail_retry_ms;   /* mail.retry_seconds: the first delay, doubled up to six hours; 60 */
    int64_t mail_give_up_ms; /* mail.give_up_hours: after the mail was queued; 120 */
    char smtp_url[512];      /* smtp.url: smtp://HOST[:PORT] or smtps://...; empty: mails are
                                   written as files */
    char smtp_user[256];     /* smtp.user: empty: no AUTH */
    char smtp_password_file[4096]; /* smtp.password_file */
    char smtp_from[255];           /* smtp.from: an address; ates@localhost */
    char smtp_ca_file[4096];       /* smtp.ca_file: empty: the system's */
    char web_listen[128];          /* web.listen: ADDR:PORT or [ADDR]:PORT; 127.0.0.1:8080 */
    char
        web_origin[256]; /* web.origin: https://NAME as browsers see it; empty: what they ask for */
    char web_metrics_token_file[4096];   /* web.metrics_token_file: empty: none */
    int64_t web_connections;             /* web.connections: at once; 4096 */
    int64_t web_connections_per_address; /* web.connections_per_address; 256 */
    char web_proxies[1024];              /* web.proxies: addresses by comma; empty: none */
    char ctl_output[16]; /* ctl.output: how atesctl prints where no -o is given; table */
    /* listen.NAME: tcp://ADDR:PORT beside ipc; empty: none. connect.NAME: tcp://HOST:PORT instead
     * of the run folder's socket; empty: that */
    char listen_auth[ATES_ADDRESS_SIZE], connect_auth[ATES_ADDRESS_SIZE];
    char listen_tasks[ATES_ADDRESS_SIZE], connect_tasks[ATES_ADDRESS_SIZE];
    char listen_accounting[ATES_ADDRESS_SIZE], connect_accounting[ATES_ADDRESS_SIZE];
    char listen_analytics[ATES_ADDRESS_SIZE], connect_analytics[ATES_ADDRESS_SIZE];
    char listen_payment[ATES_ADDRESS_SIZE], connect_payment[ATES_ADDRESS_SIZE];
    char listen_events[ATES_ADDRESS_SIZE], connect_events[ATES_ADDRESS_SIZE];
    char listen_publish[ATES_ADDRESS_SIZE], connect_publish[ATES_ADDRESS_SIZE];
    char curve_folder[4096];      /* curve.folder: empty: DATA/curve */
    char curve_server_file[4096]; /* curve.server_file: of what is connected to */
    char curve_client_file[4096]; /* curve.client_file: one's own secret certificate */
    int64_t insecure_tcp;         /* curve.insecure_tcp: 1: tcp on loopback without CURVE; 0 */
    struct {
        char server_key[ATES_CURVE_KEY_SIZE];
        char public_key[ATES_CURVE_KEY_SIZE], secret_key[ATES_CURVE_KEY_SIZE];
    } curve_keys;     /* of those files, once ates_curve_load has read them */
    int64_t map_size; /* store.map_gigabytes: the largest size of each LMDB file; 16 */
};

/* One setting from a flag: name in ZPL's path form ("log/level", "data") and value. */
struct ates_setting {
    const char *name;
    const char *value;
};

/* Where a setting's value came from, the later over the earlier ones. */
enum ates_origin {
    ATES_FROM_DEFAULT,
    ATES_FROM_FILE,
    ATES_FROM_CONTEXT,
    ATES_FROM_ENVIRONMENT,
    ATES_FROM_FLAG
};

struct ates_config_sources {
    const char *file;    /* NULL: ates_config_file() */
    const char *context; /* a second file, over the first; NULL: none */
    const struct ates_setting *flags;
    size_t flag_count;
};

#define ATES_CONFIG_FILE "/etc/ates/ates.conf"
#define ATES_CONFIG_VARIABLE "ATES_CONFIG"
/* The file that is read where none is given: what the variable names, which has to be there, or the one above, which need
 * not. */
const char *ates_config_file(void);

/* As ates_config_load, from more sources; tells by index in ates_setting_types where each value came
 * from. */
int ates_config_load_from(struct ates_config *config, const struct ates_config_sources *sources,
                          enum ates_origin origins[ATES_SETTING_MAX], char *error, size_t size);

/* Loads into config. file may be NULL, as in ates_config_sources. Relative
 * folders are taken from the current folder. Returns 0, or -EINVAL/-errno with one line in error
 * (size bytes) that names the file and setting, variable or flag. Unknown settings are refused. */
int ates_config_load(struct ates_config *config, const char *file, const struct ates_setting *flags,
                     size_t flag_count, char *error, size_t size);

/* How the sockets of this configuration are reached. */
void ates_config_reach(const struct ates_config *config, struct ates_reach *reach);

#endif
