/* The walk through a log: each record is held against the one before it. Whoever reads a whole log -
 * a check, a backup, a restore - walks it.
 *
 * What a record must be: whole (its SipHash), readable by this program's tables, the next by number
 * and seq, no older than the one before, each of its envelopes chained to the one before. */
#ifndef ATES_WALK_H
#define ATES_WALK_H

#include "core/log.h"

struct ates_walk {
    const struct ates_service *service; /* whose log it is */
    char log_id[ATES_UUID_SIZE];
    struct ates_log_head head; /* after the last record that was walked */
    struct ates_arena *arena;  /* of the record in hand */
    char *error;
    size_t error_size;
};

/* Begins before the log's first record: after its base, where it has one (NULL: none). What is
 * wrong will be told in error, which must outlive the walk. 0 or -ENOMEM. */
int ates_walk_open(struct ates_walk *walk, const struct ates_service *service, const char *log_id,
                   const struct ates_base_note *base, char *error, size_t error_size);
void ates_walk_close(struct ates_walk *walk); /* does nothing where none is open */

/* Takes the next record, which is then in record (NULL: not wanted), valid until the next one.
 * -EBADMSG with a line in error that names the place. */
int ates_walk_record(struct ates_walk *walk, const struct ates_stored_record *stored,
                     struct ates_record *record);

/* Tells of damage: writes the line, and returns -EBADMSG. */
__attribute__((format(printf, 2, 3))) int ates_walk_damaged(const struct ates_walk *walk,
                                                            const char *format, ...);

#endif
