/* One attempt to send a mail: to the configured server or, without one, into a file. */
#ifndef ACCOUNTING_SEND_H
#define ACCOUNTING_SEND_H

#include "accounting/accounting_mail_state.h"
#include "mail/mail_smtp.h"

extern const struct ates_work accounting_send_work; /* its output is a struct mail_result */

/* The domain's memory; see accounting_mail.h. */
int accounting_send_open(const struct ates_config *config, void **memory, char *error,
                         size_t error_size);
void accounting_send_close(void **memory);

/* Renders the mail and begins the work, under the mail's id. -EINVAL where it cannot be rendered:
 * its address is none that a mail can carry. */
int accounting_send(struct ates_call *call, const struct accounting_mail_row *mail);

#endif
