/* Stored replies: which record answered a request id. Rows hold the record's place in the log,
 * where the reply itself is; they expire by record time, so that a rebuild forgets the same ones.
 */
#ifndef ATES_REQUESTS_H
#define ATES_REQUESTS_H

#include "core/record.h"
#include "core/store.h"

#define ATES_REQUEST_KEY_SIZE 16u
#define ATES_REPLY_KEPT_MS (INT64_C(25) * 3600 * 1000) /* at least 24 hours by PROTOCOL.md */

struct ates_request_row {
    uint8_t fingerprint[ATES_FINGERPRINT_SIZE];
    uint64_t first_seq, number; /* of the record */
    int64_t time;
    uint64_t job; /* not 0: the reply comes with this job's end */
};

/* The row of a caller's request id; ATES_NOT_FOUND where there is none that still counts at this
 * time. */
int ates_requests_get(struct ates_txn *txn, uint64_t user_id, struct ates_text request_id,
                      int64_t time, struct ates_request_row *row);

/* Folds a record's request id and job into the tables, and forgets up to two expired ones. */
int ates_requests_fold(struct ates_txn *txn, const struct ates_record *record);

/* Hash of a command and its body under the data folder's key, so that a log alone says nothing of
 * passwords in bodies. */
void ates_request_fingerprint(const uint8_t *key, size_t key_size, struct ates_text command,
                              struct ates_bytes body, uint8_t out[ATES_FINGERPRINT_SIZE]);

#endif
