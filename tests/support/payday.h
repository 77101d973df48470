/* Many employees with money, made quickly: users, their tasks and completions go straight into the
 * logs of auth and tasks, by the services' own engines with a clock that the test sets, before the
 * processes start. From there on everything is followed as ever. And what has become of the mails.
 *
 * None of the engines' services may run meanwhile. */
#ifndef ATES_TEST_PAYDAY_H
#define ATES_TEST_PAYDAY_H

#include <ates/accounting.h>

#include "core/calendar.h"
#include "support/flow.h"
#include "support/smtp_server.h"

#define PAYDAY_FIRST ((uint64_t)FLOW_LAST_USER + 1) /* the first employee's user id */

/* Today in flow_open's time zone. */
ates_day payday_today(void);
struct ates_text payday_date(struct flow *flow, ates_day day);
/* About noon of a day. */
int64_t payday_noon(ates_day day);

/* Employees, the next user ids; their logins are popugN by user id, their addresses
 * popugN@example.org. */
void payday_hire(struct flow *flow, size_t count);
/* From this time on, each of count employees, or of the flow's own eligible users where count is 0,
 * gets a task and completes it; times of the tasks log never go back. */
void payday_work(struct flow *flow, size_t count, int64_t time);
/* Has the schedule of payment start with the day of this time. */
void payday_schedule(struct flow *flow, int64_t time);
/* Has accounting follow auth and tasks and close the day of this time, at that time; its mails are
 * queued then. tasks runs when it returns. */
void payday_close(struct flow *flow, int64_t time);

/* Closes the date (NULL: today) as the accountant, under this request id (NULL: a fresh one). */
struct accounting_pay_to_workers_result payday_pay(struct flow *flow, const char *date,
                                                   const char *request_id);

/* Whether no mail is queued or under way. */
bool payday_is_mailed(struct flow *flow);

/* Holds the server's log against the mails: each one that is sent was accepted, each dead one was
 * refused for good, in the words that it shows; a message came to the server again only where it
 * had taken it and the answer was lost - as the script had it, or as the script closed the
 * connection, or, if crashed, as the sender ended: then it was the connection's last. Copies are
 * the same byte for byte. */
struct payday_mails {
    size_t sent, dead, attempts, duplicates;
};
struct payday_mails payday_check_mails(struct flow *flow, const struct smtp_server *server,
                                       bool crashed);

#endif
