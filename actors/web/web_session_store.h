/* Sessions on the disk: DATA/web/sessions, a row each. A row says what signing in gave: its token may
 * be over when it is read again, and is renewed then, so that a renewal costs no write. */
#ifndef WEB_SESSION_STORE_H
#define WEB_SESSION_STORE_H

#include <ates/auth.h>

#define WEB_SESSION_KEY_SIZE 33u /* the hash of the cookie's value, in hex */

struct web_session_store;

struct web_session_row {
    struct auth_identity user;
    struct ates_text token;
    int64_t token_expires_at;
    int64_t expires_at;
};

/* Opens it below data_dir, for this process alone. 0, or -errno with one line in error. */
int web_session_store_open(struct web_session_store **store, const char *data_dir, char *error,
                           size_t size);
void web_session_store_close(struct web_session_store **store); /* NULL-safe */

/* On the disk when they return 0; else -errno. Dropping what is not there is right. */
int web_session_store_put(struct web_session_store *self, const char *key,
                          const struct web_session_row *row);
int web_session_store_drop(struct web_session_store *self, const char *const *keys, size_t count);

/* Gives every row to take; key and row are valid during the call. A row that cannot be read is left
 * out: its session is over. */
typedef void web_session_take(void *context, const char *key, const struct web_session_row *row);
int web_session_store_load(struct web_session_store *self, web_session_take *take, void *context);

#endif
