/* What a payout's mail says, in the configured language: what was paid, what was carried over, and
 * the day's transfers. Invariant: it follows from the state alone, and a closed day's never change:
 * the same mail says the same at every attempt. */
#ifndef ACCOUNTING_LETTER_H
#define ACCOUNTING_LETTER_H

#include "accounting/accounting_mail_state.h"

/* In the call's arena. */
struct ates_text accounting_letter_subject(struct ates_call *call,
                                           const struct accounting_mail_row *mail);

struct accounting_letter {
    struct ates_text to_name; /* the login; empty where it is not known */
    struct ates_text subject, text, html;
};
/* Everything in the call's arena. */
int accounting_letter_write(struct ates_call *call, const struct accounting_mail_row *mail,
                            struct accounting_letter *letter);

#endif
