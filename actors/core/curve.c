/* CURVE on this machine; see curve.h. Invariant: a socket listens on tcp only with the server's keys
 * and in a ZAP domain that must be asked about, unless that was given up for loopback. */
#include "core/curve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "core/catalogue.h"
#include "core/endpoint.h"
#include "core/setting.h"
#include "core/socket.h"
#include "core/warden.h"

const char *const ates_curve_kinds[] = {"commands", "events", "publish", NULL};

void ates_curve_folder(const struct ates_config *config, char *out, size_t size)
{
    if (config->curve_folder[0] != '\0') {
        snprintf(out, size, "%s", config->curve_folder);
    } else {
        snprintf(out, size, "%s/curve", config->data_dir);
    }
}

/* The server's secret certificate: what systemd gave (LoadCredential=), else the folder's. */
static bool server_path(const struct ates_config *config, char *path, size_t size)
{
    static const char file[] = ATES_CURVE_SERVER ATES_CERT_ENDING ATES_CERT_SECRET_ENDING;
    const char *given = getenv("CREDENTIALS_DIRECTORY");

    if (given != NULL && given[0] == '/') {
        snprintf(path, size, "%s/%s", given, file);
        if (access(path, F_OK) == 0) {
            return true;
        }
    }
    char folder[sizeof config->curve_folder + 16];
    ates_curve_folder(config, folder, sizeof folder);
    snprintf(path, size, "%s/%s", folder, file);
    return false;
}

static const char *section_value(const struct ates_config *config, const char *section,
                                 const char *name)
{
    char setting[ATES_SETTING_NAME_SIZE];

    snprintf(setting, sizeof setting, "%s/%s", section, name);
    const size_t index = ates_setting_find(setting);
    return index < ates_setting_count ? (const char *)config + ates_setting_types[index].offset
                                      : "";
}

const char *ates_curve_listen(const struct ates_config *config, const char *name)
{
    return section_value(config, "listen", name);
}

/* The next setting of a section that is not empty, from *index on; NULL at the end. */
static const char *next_set(const struct ates_config *config, const char *section, size_t *index)
{
    const size_t length = strlen(section);

    for (; *index < ates_setting_count; (*index)++) {
        const struct ates_setting_type *type = &ates_setting_types[*index];

        if (strncmp(type->name, section, length) == 0 &&
            ((const char *)config + type->offset)[0] != '\0') {
            return ates_setting_types[(*index)++].name + length;
        }
    }
    return NULL;
}

bool ates_curve_is_used(const struct ates_config *config)
{
    size_t index = 0;

    return config->insecure_tcp == 0 && next_set(config, "listen/", &index) != NULL;
}

void ates_config_reach(const struct ates_config *config, struct ates_reach *reach)
{
    const char *name;
    size_t index = 0;

    ates_reach_init(reach, config->run_dir);
    while ((name = next_set(config, "connect/", &index)) != NULL) {
        ates_reach_add(reach, name, section_value(config, "connect", name));
    }
    reach->is_open = config->insecure_tcp != 0;
    memcpy(reach->server_key, config->curve_keys.server_key, sizeof reach->server_key);
    memcpy(reach->public_key, config->curve_keys.public_key, sizeof reach->public_key);
    memcpy(reach->secret_key, config->curve_keys.secret_key, sizeof reach->secret_key);
}

static int miss(const char *setting, const char *what, int fault, char *error, size_t size)
{
    char why[1024];

    snprintf(why, sizeof why, "%s", error);
    snprintf(error, size, "%s: %s%s%s", setting, what, why[0] != '\0' ? ": " : "", why);
    return fault;
}

int ates_curve_load(struct ates_config *config, char *error, size_t size)
{
    struct ates_cert server, own;
    size_t index = 0;
    int r;

    error[0] = '\0';
    if (config->insecure_tcp != 0 || next_set(config, "connect/", &index) == NULL) {
        return 0;
    }
    if (config->curve_server_file[0] == '\0') {
        return miss("curve/server_file",
                    "what is connected to over tcp needs the server's public certificate", -EINVAL,
                    error, size);
    }
    r = ates_cert_load_public(config->curve_server_file, &server, error, size);
    if (r != 0) {
        return miss("curve/server_file", "no public certificate", r, error, size);
    }
    if (config->curve_client_file[0] == '\0') {
        return miss("curve/client_file",
                    "what is connected to over tcp needs a certificate of one's own", -EINVAL,
                    error, size);
    }
    const char *given = getenv("CREDENTIALS_DIRECTORY");
    const bool is_given = given != NULL && given[0] == '/' &&
                          strncmp(config->curve_client_file, given, strlen(given)) == 0;
    r = ates_cert_load_secret(config->curve_client_file, is_given, &own, error, size);
    if (r != 0) {
        return miss("curve/client_file", "no secret certificate", r, error, size);
    }
    memcpy(config->curve_keys.server_key, server.public_key, sizeof server.public_key);
    memcpy(config->curve_keys.public_key, own.public_key, sizeof own.public_key);
    memcpy(config->curve_keys.secret_key, own.secret_key, sizeof own.secret_key);
    ates_cert_wipe(&own);
    return 0;
}

static int secure(const struct ates_config *config, const char *setting, const char *kind,
                  void *socket, char *error, size_t size)
{
    char path[sizeof config->curve_folder + 64];
    struct ates_cert cert;
    const bool is_given = server_path(config, path, sizeof path);
    int r = ates_cert_load_secret(path, is_given, &cert, error, size);

    if (r != 0) {
        return miss(setting, "tcp needs the server's CURVE keys (atesctl admin keys new server)",
                    -EINVAL, error, size);
    }
    r = ates_socket_serve(socket, cert.secret_key, kind);
    ates_cert_wipe(&cert);
    return r == 0 ? 0 : miss(setting, zmq_strerror(-r), r, error, size);
}

static void say(const char *name, const char *bound, bool is_open)
{
    const struct ates_log_field fields[] = {{"address", bound, 0}, {NULL, NULL, 0}};

    ates_say(ATES_SAY_LISTENS, name, fields, "%s listens on %s", name, bound);
    if (is_open) {
        ates_say(ATES_SAY_TCP_OPEN, name, fields,
                 "%s listens on %s without CURVE: whoever is on this machine gets in, and reads "
                 "along",
                 name, bound);
    }
}

int ates_curve_bind(const struct ates_config *config, const char *name, const char *kind,
                    void *socket, char bound[ATES_ADDRESS_SIZE], char *error, size_t size)
{
    const char *address = ates_curve_listen(config, name);
    const bool is_open = config->insecure_tcp != 0;
    char setting[ATES_SETTING_NAME_SIZE];
    int r = 0;

    bound[0] = '\0';
    if (address[0] == '\0') {
        return 0;
    }
    error[0] = '\0';
    snprintf(setting, sizeof setting, "listen/%s", name);
    if (!is_open) {
        r = secure(config, setting, kind, socket, error, size);
    } else if (!ates_reach_is_loopback(address)) {
        r = miss(setting,
                 "with curve/insecure_tcp only this machine's own addresses are listened on",
                 -EINVAL, error, size);
    }
    if (r == 0) {
        r = ates_socket_listen(socket, address, bound);
        if (r != 0) {
            snprintf(error, size, "%s: %s: %s", setting, address, zmq_strerror(-r));
        }
    }
    if (r == 0) {
        r = ates_warden_watch(bound);
    }
    if (r == 0) {
        r = ates_endpoint_tell(config->run_dir, name, bound, error, size);
    }
    if (r == 0) {
        say(name, bound, is_open);
    }
    return r;
}
