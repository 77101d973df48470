/* Whether the mails' rows agree; see accounting_mail_check.h. Each mail is looked for in both
 * indexes; as an index has as many rows as there should be, it then has no other. */
#include "accounting/accounting_mail_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "accounting/accounting_mail_state.h"

struct mail_check {
    struct ates_txn *txn;
    char *error;
    size_t error_size;
    uint64_t count, queued_count;
};

__attribute__((format(printf, 2, 3))) static int fail(struct mail_check *self, const char *format,
                                                      ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(self->error, self->error_size, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

static int check_index(struct mail_check *self, const struct accounting_mail_row *mail,
                       unsigned table, const struct ates_key *key)
{
    struct ates_bytes row;

    int r = ates_get(self->txn, table, key, &row);
    if (r == ATES_NOT_FOUND) {
        r = fail(self, "mail %" PRIu64 " is not in %s as its row says", mail->id,
                 table == ACCOUNTING_MAILS_DUE ? "mails_due" : "mails_by_state");
    }
    return r;
}

static int check_mail(struct mail_check *self, uint64_t mail_id)
{
    struct accounting_mail_row mail;

    int r = accounting_mail_get(self->txn, mail_id, &mail);
    if (r < 0 && r != -EBADMSG) {
        return r;
    }
    if (r != 0 || mail.id != mail_id || mail_id != self->count + 1 ||
        mail.state == ACCOUNTING_MAIL_SENDING || mail.next_attempt_at < 0 ||
        mail.has_sent_at != (mail.state == ACCOUNTING_MAIL_SENT)) {
        return fail(self, "mail %" PRIu64 " is broken, or its number is not %" PRIu64, mail_id,
                    self->count + 1);
    }
    self->count++;
    const struct ates_key by_state = accounting_mail_state_key(&mail);
    r = check_index(self, &mail, ACCOUNTING_MAILS_BY_STATE, &by_state);
    if (r == 0 && mail.state == ACCOUNTING_MAIL_QUEUED) {
        const struct ates_key due = accounting_mail_due_key(&mail);

        self->queued_count++;
        r = check_index(self, &mail, ACCOUNTING_MAILS_DUE, &due);
    }
    return r;
}

static int check_mails(struct mail_check *self)
{
    struct ates_scan scan;
    uint64_t mail_id;

    int r = accounting_mail_scan_open(&scan, self->txn, NULL, 1, false);
    if (r != 0) {
        return r;
    }
    while (r == 0 && (r = accounting_mail_scan_next(&scan, &mail_id, NULL)) == 0) {
        r = check_mail(self, mail_id);
    }
    ates_scan_close(&scan);
    return r == ATES_NOT_FOUND ? 0 : r;
}

static int count_rows(struct mail_check *self, unsigned table, uint64_t expected, const char *name)
{
    struct ates_bytes key, value;
    struct ates_scan scan;
    uint64_t count = 0;

    int r = ates_scan_open(&scan, self->txn, table, NULL, NULL);
    if (r != 0) {
        return r;
    }
    while ((r = ates_scan_next(&scan, &key, &value)) == 0) {
        count++;
    }
    ates_scan_close(&scan);
    if (r == ATES_NOT_FOUND && count != expected) {
        r = fail(self, "%s has %" PRIu64 " rows, but should have %" PRIu64, name, count, expected);
    }
    return r == ATES_NOT_FOUND ? 0 : r;
}

int accounting_mail_check(struct ates_txn *txn, char *error, size_t error_size)
{
    struct mail_check self = {.txn = txn, .error = error, .error_size = error_size};
    struct accounting_counters counters;

    int r = check_mails(&self);
    if (r == 0) {
        r = count_rows(&self, ACCOUNTING_MAILS_BY_STATE, self.count, "mails_by_state");
    }
    if (r == 0) {
        r = count_rows(&self, ACCOUNTING_MAILS_DUE, self.queued_count, "mails_due");
    }
    if (r == 0) {
        r = accounting_state_get_counters(txn, &counters);
    }
    if (r == 0 && counters.last_mail_id != self.count) {
        r = fail(&self, "%" PRIu64 " mails; the last id is %" PRIu64, self.count,
                 counters.last_mail_id);
    }
    return r;
}
