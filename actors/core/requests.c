/* Stored replies; see requests.h. */
#include "core/requests.h"

#include <endian.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "core/domain.h"

/* Rows are written by hand, not by a message table: one is written with every command. */
#define ROW_SIZE (ATES_FINGERPRINT_SIZE + 4 * 8u)

static struct ates_key request_key(uint64_t user_id, struct ates_text request_id)
{
    struct ates_key key = {.size = ATES_REQUEST_KEY_SIZE};
    uint8_t scope[8 + 64];
    const uint64_t big = htobe64(user_id);
    const size_t size = request_id.size < 64 ? request_id.size : 64;

    memcpy(scope, &big, 8);
    memcpy(scope + 8, request_id.data, size);
    crypto_generichash(key.data, ATES_REQUEST_KEY_SIZE, scope, 8 + size, NULL, 0);
    return key;
}

static int get_row(struct ates_txn *txn, const struct ates_key *key, struct ates_request_row *row)
{
    struct ates_bytes value;
    int r = ates_get(txn, ATES_TABLE_REQUESTS, key, &value);

    if (r != 0) {
        return r;
    }
    if (value.size != ROW_SIZE) {
        return -EBADMSG;
    }
    memcpy(row->fingerprint, value.data, ATES_FINGERPRINT_SIZE);
    row->first_seq = ates_u64_from(value.data + ATES_FINGERPRINT_SIZE);
    row->number = ates_u64_from(value.data + ATES_FINGERPRINT_SIZE + 8);
    row->time = (int64_t)ates_u64_from(value.data + ATES_FINGERPRINT_SIZE + 16);
    row->job = ates_u64_from(value.data + ATES_FINGERPRINT_SIZE + 24);
    return 0;
}

static int put_row(struct ates_txn *txn, const struct ates_key *key,
                   const struct ates_request_row *row)
{
    struct ates_key value = {.size = 0};

    ates_key_add_bytes(&value, row->fingerprint, ATES_FINGERPRINT_SIZE);
    ates_key_add_u64(&value, row->first_seq);
    ates_key_add_u64(&value, row->number);
    ates_key_add_u64(&value, (uint64_t)row->time);
    ates_key_add_u64(&value, row->job);
    return ates_put(txn, ATES_TABLE_REQUESTS, key, value.data, value.size);
}

int ates_requests_get(struct ates_txn *txn, uint64_t user_id, struct ates_text request_id,
                      int64_t time, struct ates_request_row *row)
{
    const struct ates_key key = request_key(user_id, request_id);
    struct ates_request_row found;
    int r = get_row(txn, &key, &found);

    if (r == 0 && found.job == 0 && found.time + ATES_REPLY_KEPT_MS <= time) {
        r = ATES_NOT_FOUND;
    }
    if (r == 0) {
        *row = found;
    }
    return r;
}

/* The oldest age row, where it has expired: its request row goes too, unless the id was used again
 * since. */
static int forget_oldest(struct ates_txn *txn, int64_t now, bool *forgot)
{
    struct ates_bytes age, hash;
    struct ates_request_row row;
    struct ates_scan scan;
    int r = ates_scan_open(&scan, txn, ATES_TABLE_REQUEST_AGES, NULL, NULL);

    if (r != 0) {
        return r;
    }
    *forgot = false;
    r = ates_scan_next(&scan, &age, &hash);
    if (r == 0 && (int64_t)ates_u64_from(age.data) + ATES_REPLY_KEPT_MS > now) {
        r = ATES_NOT_FOUND;
    }
    struct ates_key age_key = {.size = 0}, key = {.size = 0};
    if (r == 0) {
        ates_key_add_bytes(&age_key, age.data, age.size);
        ates_key_add_bytes(&key, hash.data, hash.size);
    }
    ates_scan_close(&scan);
    if (r != 0) {
        return r == ATES_NOT_FOUND ? 0 : r;
    }
    r = get_row(txn, &key, &row);
    if (r == 0 && row.job == 0 && row.number == ates_u64_from(age_key.data + 8)) {
        r = ates_delete(txn, ATES_TABLE_REQUESTS, &key);
    }
    if (r >= 0) {
        r = ates_delete(txn, ATES_TABLE_REQUEST_AGES, &age_key);
    }
    *forgot = r == 0;
    return r;
}

static int put_age(struct ates_txn *txn, const struct ates_record *record,
                   const struct ates_key *key)
{
    struct ates_key age = ates_key_u64((uint64_t)record->time);

    ates_key_add_u64(&age, record->number);
    return ates_put(txn, ATES_TABLE_REQUEST_AGES, &age, key->data, key->size);
}

static int fold_request(struct ates_txn *txn, const struct ates_record *record)
{
    const struct ates_key key = request_key(record->user_id, record->request_id);
    struct ates_request_row row = {
        .first_seq = record->first_seq,
        .number = record->number,
        .time = record->time,
        .job = record->has_job ? record->job : 0,
    };

    memcpy(row.fingerprint, record->fingerprint.data, ATES_FINGERPRINT_SIZE);
    int r = put_row(txn, &key, &row);
    if (r == 0 && record->has_job) {
        const struct ates_key job = ates_key_u64(record->job);

        return ates_put(txn, ATES_TABLE_JOBS, &job, key.data, key.size);
    }
    return r == 0 ? put_age(txn, record, &key) : r;
}

/* The reply of a job lies in the record that ends it; it is kept as long as if it had come at once.
 */
static int fold_job_done(struct ates_txn *txn, const struct ates_record *record)
{
    const struct ates_key job = ates_key_u64(record->job_done);
    struct ates_request_row row;
    struct ates_key key = {.size = 0};
    struct ates_bytes hash;
    int r = ates_get(txn, ATES_TABLE_JOBS, &job, &hash);

    if (r != 0) {
        return r == ATES_NOT_FOUND ? 0 : r; /* its caller gave no request id */
    }
    ates_key_add_bytes(&key, hash.data, hash.size);
    r = get_row(txn, &key, &row);
    if (r == 0) {
        row.first_seq = record->first_seq;
        row.number = record->number;
        row.time = record->time;
        row.job = 0;
        r = put_row(txn, &key, &row);
    }
    if (r == 0) {
        r = put_age(txn, record, &key);
    }
    return r == 0 ? ates_delete(txn, ATES_TABLE_JOBS, &job) : r;
}

int ates_requests_fold(struct ates_txn *txn, const struct ates_record *record)
{
    bool forgot = true;
    int r = 0;

    if (record->has_request_id && record->has_fingerprint) {
        r = fold_request(txn, record);
    }
    if (r == 0 && record->has_job_done) {
        r = fold_job_done(txn, record);
    }
    for (int i = 0; r == 0 && forgot && i < 2; i++) {
        r = forget_oldest(txn, record->time, &forgot);
    }
    return r;
}

void ates_request_fingerprint(const uint8_t *key, size_t key_size, struct ates_text command,
                              struct ates_bytes body, uint8_t out[ATES_FINGERPRINT_SIZE])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, key, key_size, ATES_FINGERPRINT_SIZE);
    crypto_generichash_update(&state, (const uint8_t *)command.data, command.size);
    crypto_generichash_update(&state, (const uint8_t *)"", 1);
    crypto_generichash_update(&state, body.data, body.size);
    crypto_generichash_final(&state, out, ATES_FINGERPRINT_SIZE);
}
