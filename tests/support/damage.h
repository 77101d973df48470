/* Harm done on purpose to the data of a closed engine: to its log's records and its state's rows,
 * through LMDB and behind the back of everything that would refuse it. Fails the test where it
 * cannot be done. */
#ifndef ATES_TEST_DAMAGE_H
#define ATES_TEST_DAMAGE_H

#include "core/record.h"
#include "support/engine_fixture.h"

/* Flips one bit in the middle of the record with this number. */
void damage_flip_record(struct fixture *fixture, uint64_t number);
void damage_drop_record(struct fixture *fixture, uint64_t number);
/* Stores the record as change leaves it, with a right checksum. What change puts in may live in
 * arena. */
void damage_change_record(struct fixture *fixture, uint64_t number,
                          void (*change)(struct ates_record *record, struct ates_arena *arena));

/* Has the state say that it holds the log's records up to this one. */
void damage_applied(struct fixture *fixture, uint64_t number, uint64_t seq);

/* Writes one row of the state (data NULL: deletes it). */
void damage_row(struct fixture *fixture, unsigned table, const struct ates_key *key,
                const void *data, size_t size);

/* Where in the file data.mdb of a part, "log" or "state", a drawn byte of a drawn record or row lies:
 * of its key or of its value. Nothing is changed. */
uint64_t damage_find_byte(struct fixture *fixture, const char *part);

#endif
