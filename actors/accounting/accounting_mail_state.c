/* The mails' rows; see accounting_mail_state.h. */
#include "accounting/accounting_mail_state.h"

#include <assert.h>
#include <errno.h>

#include "core/fields.h"

static const struct ates_field accounting_mail_row_fields[] = {
    {ATES_FIELD(accounting_mail_row, id), ATES_IS_ID},
    {ATES_FIELD(accounting_mail_row, user_id), ATES_IS_ID},
    {ATES_FIELD(accounting_mail_row, to), .type = ATES_TEXT},
    {ATES_FIELD(accounting_mail_row, business_date), ATES_IS_DATE},
    {ATES_FIELD(accounting_mail_row, paid_cents), ATES_IS_CENTS},
    {ATES_FIELD(accounting_mail_row, state), .type = ATES_ENUM,
     .names = accounting_mail_state_names},
    {ATES_FIELD(accounting_mail_row, attempts), ATES_IS_COUNT},
    {ATES_FIELD(accounting_mail_row, failures), ATES_IS_COUNT},
    {ATES_OPTIONAL(accounting_mail_row, last_error), .type = ATES_TEXT},
    {ATES_FIELD(accounting_mail_row, created_at), ATES_IS_TIME},
    {ATES_FIELD(accounting_mail_row, queued_at), ATES_IS_TIME},
    {ATES_FIELD(accounting_mail_row, next_attempt_at), ATES_IS_TIME},
    {ATES_OPTIONAL(accounting_mail_row, sent_at), ATES_IS_TIME},
};
static ATES_MESSAGE(accounting_mail_row, "mail");

struct ates_key accounting_mail_state_key(const struct accounting_mail_row *mail)
{
    struct ates_key key = {.size = 0};

    ates_key_add_u8(&key, (uint8_t)mail->state);
    ates_key_add_u64(&key, mail->id);
    return key;
}

struct ates_key accounting_mail_due_key(const struct accounting_mail_row *mail)
{
    assert(mail->next_attempt_at >= 0);
    struct ates_key key = ates_key_u64((uint64_t)mail->next_attempt_at);

    ates_key_add_u64(&key, mail->id);
    return key;
}

int accounting_mail_get(struct ates_txn *txn, uint64_t mail_id, struct accounting_mail_row *mail)
{
    const struct ates_key key = ates_key_u64(mail_id);

    return ates_get_message(txn, ACCOUNTING_MAILS, &key, &accounting_mail_row_message, mail);
}

static int delete_indexes(struct ates_txn *txn, const struct accounting_mail_row *mail)
{
    const struct ates_key by_state = accounting_mail_state_key(mail),
                          due = accounting_mail_due_key(mail);

    int r = ates_delete(txn, ACCOUNTING_MAILS_BY_STATE, &by_state);
    if (r == 0 && mail->state == ACCOUNTING_MAIL_QUEUED) {
        r = ates_delete(txn, ACCOUNTING_MAILS_DUE, &due);
    }
    return r;
}

int accounting_mail_put(struct ates_txn *txn, const struct accounting_mail_row *before,
                        const struct accounting_mail_row *mail)
{
    const struct ates_key key = ates_key_u64(mail->id);
    const struct ates_key by_state = accounting_mail_state_key(mail),
                          due = accounting_mail_due_key(mail);

    int r = before != NULL ? delete_indexes(txn, before) : 0;
    if (r == 0) {
        r = ates_put_message(txn, ACCOUNTING_MAILS, &key, &accounting_mail_row_message, mail);
    }
    if (r == 0) {
        r = ates_put(txn, ACCOUNTING_MAILS_BY_STATE, &by_state, "", 0);
    }
    if (r == 0 && mail->state == ACCOUNTING_MAIL_QUEUED) {
        r = ates_put(txn, ACCOUNTING_MAILS_DUE, &due, "", 0);
    }
    return r;
}

int accounting_mail_scan_open(struct ates_scan *scan, struct ates_txn *txn, const int *state,
                              uint64_t from_id, bool newest_first)
{
    struct ates_key prefix = {.size = 0};

    if (state != NULL) {
        ates_key_add_u8(&prefix, (uint8_t)*state);
    }
    struct ates_key from = prefix;
    ates_key_add_u64(&from, from_id);
    return ates_scan_open_ordered(scan, txn,
                                  state != NULL ? ACCOUNTING_MAILS_BY_STATE : ACCOUNTING_MAILS,
                                  &prefix, &from, newest_first);
}

int accounting_mail_due_open(struct ates_scan *scan, struct ates_txn *txn)
{
    return ates_scan_open(scan, txn, ACCOUNTING_MAILS_DUE, NULL, NULL);
}

int accounting_mail_scan_next(struct ates_scan *scan, uint64_t *mail_id, int64_t *due_at)
{
    struct ates_bytes key, value;

    int r = ates_scan_next(scan, &key, &value);
    if (r == 0 && (key.size < 8 || (due_at != NULL && key.size != 16))) {
        return -EBADMSG;
    }
    if (r == 0) {
        *mail_id = ates_u64_from(key.data + key.size - 8);
        if (due_at != NULL) {
            *due_at = (int64_t)ates_u64_from(key.data);
        }
    }
    return r;
}
