/* The session that was signed in to: kept in a file of its own for each context, and without one for
 * each run folder. */
#ifndef CTL_SESSION_STORE_H
#define CTL_SESSION_STORE_H

#include "ctl.h"

struct ctl_session {
    char token[2049];                       /* empty: not signed in */
    int64_t expires_at, session_expires_at; /* Unix ms */
    uint64_t user_id;
    char login[65];
};

/* The path of PREFIX-<hash of the run folder>SUFFIX below ${XDG_STATE_HOME:-~/.local/state}/ates,
 * which is made where it is missing (mode 0700). Codes as ctl_session_load. */
int ctl_state_path(const struct ctl *ctl, const char *prefix, const char *suffix, char *path,
                   size_t size);

/* Where the session's token is kept: ATES_TOKEN_FILE; the context's, where the run folder is the
 * context's; else the run folder's. Codes as ctl_session_load. */
int ctl_token_path(const struct ctl *ctl, char *path, size_t size);

/* Reads ctl->session, once; one that is not there has an empty token. Returns CTL_OK, or another
 * code with the reason said. */
int ctl_session_load(struct ctl *ctl);

/* Writes ctl->session, for its owner alone to read. */
int ctl_session_save(struct ctl *ctl);

/* Deletes the file. *was tells whether there was one. */
int ctl_session_forget(struct ctl *ctl, bool *was);

/* Wipes and frees ctl->session. */
void ctl_session_close(struct ctl *ctl);

#endif
