/* The messages that an operator acts on. Each has an id of its own, by which the journal finds it
 * (journalctl MESSAGE_ID=...) and explains it (journalctl -x): systemd/ates.catalog is made of this
 * table at build time.
 *
 * Invariant: an id stays with its meaning for ever; a message of another meaning gets a new one. */
#ifndef ATES_CATALOGUE_H
#define ATES_CATALOGUE_H

#include "core/journal.h"

enum ates_entry {
    ATES_SAY_READY,
    ATES_SAY_STOPPED,
    ATES_SAY_FAILED,
    ATES_SAY_CANNOT_START,
    ATES_SAY_SERVING,
    ATES_SAY_CANNOT_GO_ON,
    ATES_SAY_STATE_ANEW,
    ATES_SAY_STATE_FOREIGN,
    ATES_SAY_BASE_UNUSABLE,
    ATES_SAY_STORE_FILLING,
    ATES_SAY_DISK_NEARLY_FULL,
    ATES_SAY_STORE_FULL,
    ATES_SAY_CHECKPOINT_FAILED,
    ATES_SAY_COMMAND_FAILED,
    ATES_SAY_JOB_FAILED,
    ATES_SAY_EVENT_FAILED,
    ATES_SAY_DEAD_LETTER,
    ATES_SAY_STREAM_STOPPED,
    ATES_SAY_NO_EVENTS,
    ATES_SAY_DATE_CLOSED,
    ATES_SAY_DATE_NOT_PAID,
    ATES_SAY_MAIL_GIVEN_UP,
    ATES_SAY_LET_IN,
    ATES_SAY_KEPT_OUT,
    ATES_SAY_CONNECTIONS_ENDED,
    ATES_SAY_LISTENS,
    ATES_SAY_TCP_OPEN,
    ATES_SAY_KEYS_UNUSABLE,
    ATES_SAY_KEY_REFUSED,
    ATES_SAY_KEY_REVOKED,
    ATES_SAY_KEYS_TAKEN,
    ATES_ENTRY_COUNT
};

struct ates_catalogue_entry {
    const char *id; /* 32 hexadecimal digits, random (UUID version 4) */
    enum ates_level level;
    const char *subject;
    const char *meaning; /* what has happened; @FIELD@ stands for a field of the line */
    const char *action;  /* what to do */
};

extern const struct ates_catalogue_entry ates_catalogue[ATES_ENTRY_COUNT];

/* Writes one line of this entry as ates_journal does, at the entry's level and with its id. */
__attribute__((format(printf, 4, 5))) void ates_say(enum ates_entry entry, const char *service,
                                                    const struct ates_log_field *fields,
                                                    const char *format, ...);

#endif
