/* The one table of settings, and the checks of their values. A new setting is a member of struct
 * ates_config and a line here.
 *
 * Invariant: what a member holds has passed its check, defaults included. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ates/service.h>

#include "core/address.h"
#include "core/calendar.h"
#include "core/journal.h"
#include "core/setting.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define GIBIBYTE (INT64_C(1) << 30)

static int read_folder(const struct ates_setting_type *type, const char *value, void *member,
                       char *why, size_t why_size)
{
    char current[PATH_MAX] = "";
    char folder[sizeof current + 1];

    if (value[0] == '\0') {
        snprintf(why, why_size, "a folder is needed");
        return -EINVAL;
    }
    if (value[0] != '/') {
        if (getcwd(current, sizeof current - 1) == NULL) {
            snprintf(why, why_size, "the current folder is unknown: %s", strerror(errno));
            return -EINVAL;
        }
        if (strcmp(current, "/") != 0) {
            strcat(current, "/");
        }
    }
    const int length = snprintf(folder, sizeof folder, "%s%s", current, value);
    if (length < 0 || (size_t)length >= type->size) {
        snprintf(why, why_size, "longer than %zu bytes", type->size - 1);
        return -EINVAL;
    }
    memcpy(member, folder, (size_t)length + 1);
    return 0;
}

/* The socket with the longest name must fit below it. */
static int read_run_folder(const struct ates_setting_type *type, const char *value, void *member,
                           char *why, size_t why_size)
{
    char endpoint[128];
    int r = read_folder(type, value, member, why, why_size);
    if (r != 0) {
        return r;
    }
    if (ates_endpoint(member, "private/publish", endpoint, sizeof endpoint) != 0) {
        snprintf(why, why_size, "\"%.100s\" is too long for the address of a socket below it",
                 (const char *)member);
        return -EINVAL;
    }
    return 0;
}

/* Puts a checked value into its array. */
static int put_text(const struct ates_setting_type *type, const char *value, void *member,
                    char *why, size_t why_size)
{
    const size_t size = strlen(value) + 1;
    if (size > type->size) {
        snprintf(why, why_size, "longer than %zu bytes", type->size - 1);
        return -EINVAL;
    }
    memcpy(member, value, size);
    return 0;
}

static int read_level(const struct ates_setting_type *type, const char *value, void *member,
                      char *why, size_t why_size)
{
    if (ates_level_parse(value) < 0) {
        snprintf(why, why_size, "\"%.40s\" is not error, warning, notice, info or debug", value);
        return -EINVAL;
    }
    return put_text(type, value, member, why, why_size);
}

static int read_zone(const struct ates_setting_type *type, const char *value, void *member,
                     char *why, size_t why_size)
{
    if (!ates_time_zone_exists(value)) {
        snprintf(why, why_size, "\"%.40s\" is no time zone of this machine", value);
        return -EINVAL;
    }
    return put_text(type, value, member, why, why_size);
}

/* Nobody registers himself as an administrator or a service. */
static bool may_be_open(const char *word, size_t size)
{
    for (int role = 0; role < ATES_ROLE_COUNT; role++) {
        if (strlen(ates_role_names[role]) == size &&
            memcmp(ates_role_names[role], word, size) == 0) {
            return role != ATES_ADMINISTRATOR && role != ATES_INTERNALSERVICE;
        }
    }
    return false;
}

/* Roles by comma; an empty value stands for none. */
static int read_roles(const struct ates_setting_type *type, const char *value, void *member,
                      char *why, size_t why_size)
{
    const char *word = value;
    do {
        const size_t size = strcspn(word, ",");
        if (value[0] != '\0' && !may_be_open(word, size)) {
            snprintf(why, why_size, "\"%.*s\" is no role that may be open",
                     (int)(size < 40 ? size : 40), word);
            return -EINVAL;
        }
        word += size;
    } while (*word++ == ',');
    return put_text(type, value, member, why, why_size);
}

static int read_number(const struct ates_setting_type *type, const char *value, void *member,
                       char *why, size_t why_size)
{
    const size_t digits = strspn(value, "0123456789");
    /* Nine digits fit any type, and no limit in the table has as many. */
    const int64_t number =
        digits > 0 && digits <= 9 && value[digits] == '\0' ? strtoll(value, NULL, 10) : -1;

    if (number < type->min || number > type->max) {
        snprintf(why, why_size, "\"%.40s\" is no whole number from %lld to %lld", value,
                 (long long)type->min, (long long)type->max);
        return -EINVAL;
    }
    const int64_t result = number * type->unit;
    memcpy(member, &result, sizeof result);
    return 0;
}

/* HH:MM of a day, as ms after midnight. */
static int read_time_of_day(const struct ates_setting_type *type, const char *value, void *member,
                            char *why, size_t why_size)
{
    static const char form[] = "dd:dd";
    int parts[2] = {0, 0};
    bool fits = strlen(value) == strlen(form);

    (void)type;
    for (size_t i = 0, part = 0; fits && form[i] != '\0'; i++) {
        if (form[i] == ':') {
            fits = value[i] == ':';
            part++;
        } else {
            fits = value[i] >= '0' && value[i] <= '9';
            parts[part] = parts[part] * 10 + (value[i] - '0');
        }
    }
    if (!fits || parts[0] > 23 || parts[1] > 59) {
        snprintf(why, why_size, "\"%.40s\" is no time from 00:00 to 23:59", value);
        return -EINVAL;
    }
    const int64_t result = parts[0] * HOUR_MS + parts[1] * MINUTE_MS;
    memcpy(member, &result, sizeof result);
    return 0;
}

static int read_language(const struct ates_setting_type *type, const char *value, void *member,
                         char *why, size_t why_size)
{
    if (strcmp(value, "en") != 0 && strcmp(value, "ru") != 0) {
        snprintf(why, why_size, "\"%.40s\" is neither en nor ru", value);
        return -EINVAL;
    }
    return put_text(type, value, member, why, why_size);
}

/* A mail server's; other schemes of libcurl's have no business here. */
static int read_smtp_url(const struct ates_setting_type *type, const char *value, void *member,
                         char *why, size_t why_size)
{
    const size_t scheme = strncmp(value, "smtp://", 7) == 0    ? 7
                          : strncmp(value, "smtps://", 8) == 0 ? 8
                                                               : 0;

    if (value[0] != '\0' &&
        (scheme == 0 || value[scheme] == '\0' || strpbrk(value + scheme, "@ \t\r\n") != NULL)) {
        snprintf(why, why_size, "\"%.60s\" is no smtp://HOST:PORT or smtps://HOST:PORT", value);
        return -EINVAL;
    }
    return put_text(type, value, member, why, why_size);
}

/* Stands in a mail's header and envelope. */
static int read_address(const struct ates_setting_type *type, const char *value, void *member,
                        char *why, size_t why_size)
{
    const char *at = strchr(value, '@');

    if (at == NULL || at == value || at[1] == '\0' || strchr(at + 1, '@') != NULL ||
        strpbrk(value, " \t\r\n<>,;:\"") != NULL) {
        snprintf(why, why_size, "\"%.60s\" is no plain e-mail address", value);
        return -EINVAL;
    }
    return put_text(type, value, member, why, why_size);
}

static int read_line(const struct ates_setting_type *type, const char *value, void *member,
                     char *why, size_t why_size)
{
    if (strpbrk(value, "\r\n") != NULL) {
        snprintf(why, why_size, "one line is expected");
        return -EINVAL;
    }
    return put_text(type, value, member, why, why_size);
}

/* Empty, or as a folder is read. */
static int read_file(const struct ates_setting_type *type, const char *value, void *member,
                     char *why, size_t why_size)
{
    return value[0] == '\0' || strpbrk(value, "\r\n") != NULL
               ? read_line(type, value, member, why, why_size)
               : read_folder(type, value, member, why, why_size);
}

/* ADDR:PORT or [ADDR]:PORT, both numbers: names are resolved differently at different times. */
static int read_listen(const struct ates_setting_type *type, const char *value, void *member,
                       char *why, size_t why_size)
{
    const char *colon = strrchr(value, ':');
    char address[64] = "";
    uint8_t bytes[16];
    size_t size = colon != NULL ? (size_t)(colon - value) : 0;
    const char *begin = value;
    const bool bracketed = size > 2 && value[0] == '[' && value[size - 1] == ']';

    if (bracketed) {
        begin++;
        size -= 2;
    }
    memcpy(address, begin, size < sizeof address ? size : 0);
    const size_t digits = colon != NULL ? strspn(colon + 1, "0123456789") : 0;
    if (digits == 0 || digits > 5 || colon[1 + digits] != '\0' || atoi(colon + 1) > 65535 ||
        inet_pton(bracketed ? AF_INET6 : AF_INET, address, bytes) != 1) {
        snprintf(why, why_size, "\"%.60s\" is no ADDRESS:PORT or [ADDRESS]:PORT in numbers", value);
        return -EINVAL;
    }
    return put_text(type, value, member, why, why_size);
}

/* tcp://ADDR:PORT in numbers, of one's own; port 0 is any that is free. Empty: none. */
static int read_tcp_listen(const struct ates_setting_type *type, const char *value, void *member,
                           char *why, size_t why_size)
{
    char kept[ATES_ADDRESS_SIZE];

    if (value[0] != '\0' && (strncmp(value, "tcp://", 6) != 0 || strlen(value) >= sizeof kept ||
                             read_listen(type, value + 6, kept, why, why_size) != 0)) {
        snprintf(why, why_size,
                 "\"%.60s\" is no tcp://ADDRESS:PORT or tcp://[ADDRESS]:PORT in numbers", value);
        return -EINVAL;
    }
    return put_text(type, value, member, why, why_size);
}

/* tcp://HOST:PORT of somebody else's. Empty: none. */
static int read_tcp_connect(const struct ates_setting_type *type, const char *value, void *member,
                            char *why, size_t why_size)
{
    const char *host = strncmp(value, "tcp://", 6) == 0 ? value + 6 : "";
    const char *colon = strrchr(host, ':');
    const size_t digits = colon != NULL ? strspn(colon + 1, "0123456789") : 0;
    const bool bracketed = host[0] == '[' && colon != NULL && colon[-1] == ']';
    const size_t size = strspn(host, bracketed ? "[]:.0123456789abcdefABCDEF"
                                               : "abcdefghijklmnopqrstuvwxyz"
                                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");

    if (value[0] != '\0' &&
        (colon == NULL || colon == host || (!bracketed && host + size != colon) ||
         (bracketed && size != strlen(host)) || digits == 0 || digits > 5 ||
         colon[1 + digits] != '\0' || atoi(colon + 1) < 1 || atoi(colon + 1) > 65535)) {
        snprintf(why, why_size, "\"%.60s\" is no tcp://HOST:PORT or tcp://[ADDRESS]:PORT", value);
        return -EINVAL;
    }
    return put_text(type, value, member, why, why_size);
}

/* What browsers send as Origin: a scheme and a host, a port where it is not the usual one. */
static int read_origin(const struct ates_setting_type *type, const char *value, void *member,
                       char *why, size_t why_size)
{
    const size_t scheme = strncmp(value, "https://", 8) == 0  ? 8
                          : strncmp(value, "http://", 7) == 0 ? 7
                                                              : 0;

    if (value[0] != '\0' &&
        (scheme == 0 || value[scheme] == '\0' ||
         value[scheme + strspn(value + scheme, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]")] !=
             '\0')) {
        snprintf(why, why_size, "\"%.60s\" is no https://HOST, in lower case and without a path",
                 value);
        return -EINVAL;
    }
    return put_text(type, value, member, why, why_size);
}

/* Addresses by comma; an empty value stands for none. */
static int read_addresses(const struct ates_setting_type *type, const char *value, void *member,
                          char *why, size_t why_size)
{
    const size_t size = strlen(value);
    const char *rest = value;
    struct sockaddr_storage address;
    int r;

    do {
        r = ates_address_next(&rest, &address);
    } while (r > 0);
    if (r != 0 || (size > 0 && value[size - 1] == ',')) {
        snprintf(why, why_size, "\"%.60s\" are no addresses in numbers, with commas between them",
                 value);
        return -EINVAL;
    }
    return put_text(type, value, member, why, why_size);
}

const char *const ates_output_names[] = {"table", "wide", "json",        "ndjson",
                                         "csv",   "name", "cloudevents", NULL};

static int read_output(const struct ates_setting_type *type, const char *value, void *member,
                       char *why, size_t why_size)
{
    size_t i = 0;

    while (ates_output_names[i] != NULL && strcmp(ates_output_names[i], value) != 0) {
        i++;
    }
    if (ates_output_names[i] == NULL) {
        snprintf(why, why_size, "\"%.40s\" is not table, wide, json, ndjson, csv or name", value);
        return -EINVAL;
    }
    return put_text(type, value, member, why, why_size);
}

#define MEMBER(NAME)                                                                               \
    .offset = offsetof(struct ates_config, NAME), .size = sizeof((struct ates_config *)NULL)->NAME

const struct ates_setting_type ates_setting_types[] = {
    {"data", "/var/lib/ates", read_folder, MEMBER(data_dir)},
    {"run", "/run/ates", read_run_folder, MEMBER(run_dir)},
    {"log/level", "info", read_level, MEMBER(log_level)},
    {"time_zone", "Europe/Moscow", read_zone, MEMBER(time_zone)},
    {"auth/open_roles", "developer,other", read_roles, MEMBER(open_roles)},
    {"auth/refused_passwords", "", read_file, MEMBER(refused_passwords)},
    {"auth/access_minutes", "15", read_number, MEMBER(access_ms), 1, 24 * 60, MINUTE_MS},
    {"auth/session_hours", "12", read_number, MEMBER(session_ms), 1, 31 * 24, HOUR_MS},
    {"payday/time", "00:00", read_time_of_day, MEMBER(payday_ms)},
    {"mail/language", "en", read_language, MEMBER(mail_language)},
    {"mail/retry_seconds", "60", read_number, MEMBER(mail_retry_ms), 1, 6 * 3600, 1000},
    {"mail/give_up_hours", "120", read_number, MEMBER(mail_give_up_ms), 1, 31 * 24, HOUR_MS},
    {"smtp/url", "", read_smtp_url, MEMBER(smtp_url)},
    {"smtp/user", "", read_line, MEMBER(smtp_user)},
    {"smtp/password_file", "", read_file, MEMBER(smtp_password_file)},
    {"smtp/from", "ates@localhost", read_address, MEMBER(smtp_from)},
    {"smtp/ca_file", "", read_file, MEMBER(smtp_ca_file)},
    {"web/listen", "127.0.0.1:8080", read_listen, MEMBER(web_listen)},
    {"web/origin", "", read_origin, MEMBER(web_origin)},
    {"web/metrics_token_file", "", read_file, MEMBER(web_metrics_token_file)},
    {"web/connections", "4096", read_number, MEMBER(web_connections), 16, 65536, 1},
    {"web/connections_per_address", "256", read_number, MEMBER(web_connections_per_address), 1,
     65536, 1},
    {"web/proxies", "", read_addresses, MEMBER(web_proxies)},
    {"listen/auth", "", read_tcp_listen, MEMBER(listen_auth)},
    {"listen/tasks", "", read_tcp_listen, MEMBER(listen_tasks)},
    {"listen/accounting", "", read_tcp_listen, MEMBER(listen_accounting)},
    {"listen/analytics", "", read_tcp_listen, MEMBER(listen_analytics)},
    {"listen/payment", "", read_tcp_listen, MEMBER(listen_payment)},
    {"listen/events", "", read_tcp_listen, MEMBER(listen_events)},
    {"listen/publish", "", read_tcp_listen, MEMBER(listen_publish)},
    {"connect/auth", "", read_tcp_connect, MEMBER(connect_auth)},
    {"connect/tasks", "", read_tcp_connect, MEMBER(connect_tasks)},
    {"connect/accounting", "", read_tcp_connect, MEMBER(connect_accounting)},
    {"connect/analytics", "", read_tcp_connect, MEMBER(connect_analytics)},
    {"connect/payment", "", read_tcp_connect, MEMBER(connect_payment)},
    {"connect/events", "", read_tcp_connect, MEMBER(connect_events)},
    {"connect/publish", "", read_tcp_connect, MEMBER(connect_publish)},
    {"curve/folder", "", read_file, MEMBER(curve_folder)},
    {"curve/server_file", "", read_file, MEMBER(curve_server_file)},
    {"curve/client_file", "", read_file, MEMBER(curve_client_file)},
    {"curve/insecure_tcp", "0", read_number, MEMBER(insecure_tcp), 0, 1, 1},
    {"ctl/output", "table", read_output, MEMBER(ctl_output)},
    {"store/map_gigabytes", "16", read_number, MEMBER(map_size), 1, 4096, GIBIBYTE},
};

#define SETTING_COUNT (sizeof ates_setting_types / sizeof ates_setting_types[0])
_Static_assert(SETTING_COUNT <= ATES_SETTING_MAX, "raise ATES_SETTING_MAX");
const size_t ates_setting_count = SETTING_COUNT;

const char *ates_setting_variable(const struct ates_setting_type *type,
                                  char out[ATES_SETTING_NAME_SIZE + 8])
{
    size_t length = (size_t)snprintf(out, ATES_SETTING_NAME_SIZE + 8, "ATES_");

    for (const char *c = type->name; *c != '\0'; c++) {
        out[length++] = (char)(*c == '/' ? '_' : toupper((unsigned char)*c));
    }
    out[length] = '\0';
    return out;
}

size_t ates_setting_find(const char *name)
{
    size_t i = 0;
    while (i < ates_setting_count && strcmp(ates_setting_types[i].name, name) != 0) {
        i++;
    }
    return i;
}

const char *ates_setting_text(const struct ates_setting_type *type,
                              const struct ates_config *config, char out[ATES_SETTING_TEXT_SIZE])
{
    const void *member = (const char *)config + type->offset;

    if (type->read == read_number) {
        snprintf(out, ATES_SETTING_TEXT_SIZE, "%" PRId64, *(const int64_t *)member / type->unit);
    } else if (type->read == read_time_of_day) {
        const int64_t minutes = *(const int64_t *)member / MINUTE_MS;

        snprintf(out, ATES_SETTING_TEXT_SIZE, "%02d:%02d", (int)(minutes / 60),
                 (int)(minutes % 60));
    } else {
        snprintf(out, ATES_SETTING_TEXT_SIZE, "%s", (const char *)member);
    }
    return out;
}
