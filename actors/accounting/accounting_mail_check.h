/* Whether the mails' rows agree with each other. */
#ifndef ACCOUNTING_MAIL_CHECK_H
#define ACCOUNTING_MAIL_CHECK_H

#include "core/store.h"

/* Mails are numbered 1, 2, 3 ... up to the last id; each is in mails_by_state under its state, and
 * in mails_due under its next attempt where it is queued; neither has other rows. 0, or -EBADMSG
 * with one line in error. */
int accounting_mail_check(struct ates_txn *txn, char *error, size_t error_size);

#endif
