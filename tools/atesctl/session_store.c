/* The session's file; see session_store.h. Invariant: a file is there whole or not at all, and
 * nobody but its owner could ever read it. */
#include "session_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "core/setting.h"
#include "folder.h"

#define HASH_SIZE crypto_generichash_BYTES_MIN
#define FILE_MAX (64 * 1024)

int ctl_state_path(const struct ctl *ctl, const char *prefix, const char *suffix, char *path,
                   size_t size)
{
    const char *run_dir = ctl->config.run_dir;
    char folder[3072], hex[2 * HASH_SIZE + 1];
    uint8_t hash[HASH_SIZE];

    const int code = ctl_make_folder(CTL_STATE, "", folder, sizeof folder);
    if (code != CTL_OK) {
        return code;
    }
    crypto_generichash(hash, sizeof hash, (const uint8_t *)run_dir, strlen(run_dir), NULL, 0);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    const int length = snprintf(path, size, "%s/%s-%s%s", folder, prefix, hex, suffix);
    if (length < 0 || (size_t)length >= size) {
        return ctl_fail(CTL_REFUSED, NULL, "the name of a file in %s is too long", folder);
    }
    return CTL_OK;
}

/* A context's token goes to the services that the context names, and to no others. */
static bool is_of_context(const struct ctl *ctl)
{
    bool is =
        ctl->context[0] != '\0' && ctl->origins[ates_setting_find("run")] == ATES_FROM_CONTEXT;

    for (size_t i = 0; i < ates_setting_count; i++) {
        is = is && (strncmp(ates_setting_types[i].name, "connect/", strlen("connect/")) != 0 ||
                    ctl->origins[i] == ATES_FROM_CONTEXT || ctl->origins[i] == ATES_FROM_DEFAULT);
    }
    return is;
}

int ctl_token_path(const struct ctl *ctl, char *path, size_t size)
{
    const char *given = getenv("ATES_TOKEN_FILE");
    char folder[3072];

    if ((given == NULL || given[0] == '\0') && is_of_context(ctl)) {
        const int code = ctl_make_folder(CTL_STATE, "tokens", folder, sizeof folder);

        snprintf(path, size, "%s/%s", folder, ctl->context);
        return code;
    }
    if (given == NULL || given[0] == '\0') {
        return ctl_state_path(ctl, "token", "", path, size);
    }
    if (strlen(given) >= size) {
        return ctl_fail(CTL_USAGE, NULL, "ATES_TOKEN_FILE is too long");
    }
    strcpy(path, given);
    return CTL_OK;
}

static void take_text(const json_t *json, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(json, key));

    if (text != NULL && strlen(text) < size) {
        strcpy(out, text);
    }
}

/* A file that makes no sense is like none: signing in anew replaces it. */
static void parse(const char *text, size_t size, struct ctl_session *session)
{
    json_t *json = json_loadb(text, size, 0, NULL);

    take_text(json, "token", session->token, sizeof session->token);
    take_text(json, "login", session->login, sizeof session->login);
    session->expires_at = json_integer_value(json_object_get(json, "expires_at"));
    session->session_expires_at = json_integer_value(json_object_get(json, "session_expires_at"));
    session->user_id = (uint64_t)json_integer_value(json_object_get(json, "user_id"));
    json_decref(json);
}

int ctl_session_load(struct ctl *ctl)
{
    char path[4096], text[FILE_MAX];

    if (ctl->session != NULL) {
        return CTL_OK;
    }
    int code = ctl_token_path(ctl, path, sizeof path);
    if (code != CTL_OK) {
        return code;
    }
    ctl->session = calloc(1, sizeof *ctl->session);
    if (ctl->session == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0 && errno == ENOENT) {
        return CTL_OK;
    }
    const ssize_t size = file < 0 ? -1 : read(file, text, sizeof text);
    if (size < 0) {
        code = ctl_fail(CTL_REFUSED, NULL, "cannot read %s: %s", path, strerror(errno));
    } else {
        parse(text, (size_t)size, ctl->session);
    }
    if (file >= 0) {
        close(file);
    }
    sodium_memzero(text, sizeof text);
    return code;
}

int ctl_session_save(struct ctl *ctl)
{
    const struct ctl_session *session = ctl->session;
    char path[4096];

    const int code = ctl_token_path(ctl, path, sizeof path);
    if (code != CTL_OK) {
        return code;
    }
    json_t *json = json_pack("{s:s, s:s, s:I, s:I, s:I}", "token", session->token, "login",
                             session->login, "user_id", (json_int_t)session->user_id, "expires_at",
                             (json_int_t)session->expires_at, "session_expires_at",
                             (json_int_t)session->session_expires_at);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    const int r = text != NULL ? ctl_replace_file(path, text) : -ENOMEM;
    if (text != NULL) {
        sodium_memzero(text, strlen(text));
        free(text);
    }
    return r == 0 ? CTL_OK
                  : ctl_fail(CTL_REFUSED, NULL, "cannot keep the session in %s: %s", path,
                             strerror(-r));
}

int ctl_session_forget(struct ctl *ctl, bool *was)
{
    char path[4096];

    const int code = ctl_token_path(ctl, path, sizeof path);
    if (code != CTL_OK) {
        return code;
    }
    const bool gone = unlink(path) == 0;
    if (!gone && errno != ENOENT) {
        return ctl_fail(CTL_REFUSED, NULL, "cannot delete %s: %s", path, strerror(errno));
    }
    *was = gone;
    return CTL_OK;
}

void ctl_session_close(struct ctl *ctl)
{
    if (ctl->session != NULL) {
        sodium_memzero(ctl->session, sizeof *ctl->session);
        free(ctl->session);
        ctl->session = NULL;
    }
}
