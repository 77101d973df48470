/* Sessions on the disk; see web_session_store.h.
 *
 * A row's key is a hash of the cookie's value: the value itself is nowhere on our side. Rows hold
 * tokens, as the folder beside them holds the keys that sign them. */
#include "web/web_session_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/datadir.h"
#include "core/fields.h"
#include "core/store.h"
#include "core/token.h"

#define MAP_SIZE ((size_t)1 << 30)
#define FOLDER_SIZE 4096u

enum { TABLE_SESSIONS };
static const char *const tables[] = {"sessions"};

static const struct ates_field web_session_row_fields[] = {
    {ATES_FIELD(web_session_row, user), ATES_IS_STRUCT(auth_identity_message)},
    {ATES_FIELD(web_session_row, token), .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .secret = true,
     .min = 1, .max = ATES_TOKEN_MAX},
    {ATES_FIELD(web_session_row, token_expires_at), ATES_IS_TIME},
    {ATES_FIELD(web_session_row, expires_at), ATES_IS_TIME},
};
static ATES_MESSAGE(web_session_row, "session");

struct web_session_store {
    struct ates_store *store;
    struct ates_arena *arena;
    struct ates_txn txn; /* one at a time; its scratch is kept */
    int lock;
};

int web_session_store_open(struct web_session_store **store, const char *data_dir, char *error,
                           size_t size)
{
    struct web_session_store *self = calloc(1, sizeof *self);
    char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];

    if (self == NULL) {
        snprintf(error, size, "web: out of memory");
        return -ENOMEM;
    }
    self->lock = -1;
    self->arena = ates_arena_new();
    int r = ates_datadir_lock(data_dir, "web", folder, sizeof folder, &self->lock, error, size);
    if (r == 0) {
        snprintf(path, sizeof path, "%s/sessions", folder);
        r = ates_store_open(&self->store, path, MAP_SIZE, tables, 1, error, size);
    }
    if (r != 0) {
        web_session_store_close(&self);
        return r;
    }
    *store = self;
    return 0;
}

void web_session_store_close(struct web_session_store **store)
{
    struct web_session_store *self = *store;

    if (self == NULL) {
        return;
    }
    ates_buffer_release(&self->txn.scratch);
    ates_store_close(&self->store);
    ates_arena_free(&self->arena);
    if (self->lock >= 0) {
        close(self->lock);
    }
    free(self);
    *store = NULL;
}

static int begin(struct web_session_store *self, bool read_only)
{
    ates_arena_reset(self->arena);
    return ates_txn_begin(&self->txn, self->store, read_only, self->arena);
}

static int commit(struct web_session_store *self, int r)
{
    if (r < 0) {
        ates_txn_abort(&self->txn);
        return r;
    }
    return ates_txn_commit(&self->txn);
}

static struct ates_key key_from(const char *text)
{
    struct ates_key key = {.size = 0};

    ates_key_add_bytes(&key, text, strlen(text));
    return key;
}

int web_session_store_put(struct web_session_store *self, const char *key,
                          const struct web_session_row *row)
{
    const struct ates_key row_key = key_from(key);
    const int r = begin(self, false);

    return r != 0 ? r
                  : commit(self, ates_put_message(&self->txn, TABLE_SESSIONS, &row_key,
                                                  &web_session_row_message, row));
}

int web_session_store_drop(struct web_session_store *self, const char *const *keys, size_t count)
{
    int r = begin(self, false);

    if (r != 0) {
        return r;
    }
    for (size_t i = 0; i < count && r >= 0; i++) {
        const struct ates_key key = key_from(keys[i]);

        r = ates_delete(&self->txn, TABLE_SESSIONS, &key);
    }
    return commit(self, r);
}

static void take_row(struct web_session_store *self, struct ates_bytes key, struct ates_bytes value,
                     web_session_take *take, void *context)
{
    char text[WEB_SESSION_KEY_SIZE];
    struct web_session_row row;

    if (key.size != sizeof text - 1 ||
        ates_message_decode(&web_session_row_message, value.data, value.size, ATES_UNKNOWN_IGNORED,
                            self->arena, &row, NULL) != 0) {
        return;
    }
    memcpy(text, key.data, key.size);
    text[key.size] = '\0';
    take(context, text, &row);
}

int web_session_store_load(struct web_session_store *self, web_session_take *take, void *context)
{
    struct ates_bytes key, value;
    struct ates_scan scan;

    int r = begin(self, true);
    if (r != 0) {
        return r;
    }
    r = ates_scan_open(&scan, &self->txn, TABLE_SESSIONS, NULL, NULL);
    if (r == 0) {
        while ((r = ates_scan_next(&scan, &key, &value)) == 0) {
            take_row(self, key, value, take, context);
        }
        ates_scan_close(&scan);
    }
    ates_txn_abort(&self->txn);
    return r == ATES_NOT_FOUND ? 0 : r;
}
