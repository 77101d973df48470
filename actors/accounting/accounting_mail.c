/* The mails of payouts; see accounting_mail.h. */
#include "accounting/accounting_mail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "accounting/accounting_letter.h"
#include "accounting/accounting_send.h"
#include "core/catalogue.h"
#include "core/page.h"
#include "core/users.h"

#define HOUR_MS INT64_C(3600000)
#define RETRY_MAX_MS (6 * HOUR_MS)
#define GIVE_UP_FAILURES 5u /* at least */
#define DOUBLINGS_MAX 20u   /* of the first delay: enough for any to reach the longest */
#define DEAD_COUNTED_MAX 1000u
#define ITEM_BYTES 512u /* of a mail in a page, about */

int accounting_mail_open(const struct ates_config *config, const char *keys_dir, void **memory,
                         char *error, size_t error_size)
{
    (void)keys_dir;
    return accounting_send_open(config, memory, error, error_size);
}

void accounting_mail_close(void **memory)
{
    accounting_send_close(memory);
}

/* The user's address; empty where auth has not told it yet. */
static int find_address(struct ates_call *call, uint64_t user_id, struct ates_text *to)
{
    struct ates_user_changed user;

    int r = ates_users_get(call->txn, user_id, &user);
    *to = r == 0 ? user.email : (struct ates_text){"", 0};
    return r == ATES_NOT_FOUND ? 0 : r;
}

int accounting_queue_mail(struct ates_call *call, uint64_t user_id, int64_t paid_cents,
                          struct ates_text business_date, size_t queued)
{
    struct accounting_mail_queued mail = {
        .user_id = user_id, .business_date = business_date, .paid_cents = paid_cents};
    struct accounting_counters counters;

    int r = accounting_state_get_counters(call->txn, &counters);
    if (r == 0) {
        r = find_address(call, user_id, &mail.to);
    }
    if (r != 0) {
        return r;
    }
    mail.mail_id = counters.last_mail_id + 1 + queued;
    return ates_emit(call, &accounting_mail_queued_message, &mail);
}

/* Doubled with every failure, so that a server that is down for days is not asked too often. */
static int64_t retry_delay_ms(const struct ates_config *config, uint64_t failures)
{
    int64_t delay_ms = config->mail_retry_ms;

    for (uint64_t i = 0; i < failures && i < DOUBLINGS_MAX && delay_ms < RETRY_MAX_MS; i++) {
        delay_ms *= 2;
    }
    return delay_ms < RETRY_MAX_MS ? delay_ms : RETRY_MAX_MS;
}

static int give_up(struct ates_call *call, const struct accounting_mail_row *mail,
                   struct ates_text error)
{
    const struct accounting_mail_dead dead = {
        .mail_id = mail->id, .to = mail->to, .attempts = mail->attempts + 1, .error = error};

    ates_say(ATES_SAY_MAIL_GIVEN_UP, accounting_service.name, NULL,
             "mail %" PRIu64 " is given up: %.*s", mail->id, (int)error.size, error.data);
    return ates_emit(call, &accounting_mail_dead_message, &dead);
}

static int try_later(struct ates_call *call, const struct accounting_mail_row *mail,
                     struct ates_text error)
{
    const struct accounting_mail_failed failed = {
        .mail_id = mail->id,
        .error = error,
        .next_attempt_at = call->time + retry_delay_ms(call->config, mail->failures),
    };

    /* A service that was away for days itself has not tried for days. */
    if (call->time - mail->queued_at >= call->config->mail_give_up_ms &&
        mail->failures + 1 >= GIVE_UP_FAILURES) {
        return give_up(call, mail, error);
    }
    return ates_emit(call, &accounting_mail_failed_message, &failed);
}

/* One mail that is due: its work begun, or an event that says why not. As no work's end follows
 * that event, and it says when the mail is due next, the step must look again. */
static int attempt(struct ates_call *call, uint64_t mail_id)
{
    struct accounting_mail_row mail;

    int r = accounting_mail_get(call->txn, mail_id, &mail);
    if (r == 0 && mail.to.size == 0) {
        r = find_address(call, mail.user_id, &mail.to);
    }
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r; /* an index row without its mail */
    }
    if (mail.to.size == 0) {
        ates_wake(call);
        return try_later(call, &mail, ates_text_from("no address of this user is known"));
    }
    r = accounting_send(call, &mail);
    if (r == -EINVAL) {
        ates_wake(call);
        r = give_up(call, &mail, ates_text_from("no mail can carry this address"));
    }
    return r;
}

/* The mails that are due and not under way, at most as many as there are free senders; *next_at:
 * when the first of the others is due, 0 where there is none. */
static int find_due(struct ates_call *call, uint64_t ids[ACCOUNTING_SENDERS], size_t *count,
                    int64_t *next_at)
{
    const size_t room = ACCOUNTING_SENDERS - ates_under_way(call, &accounting_send_work);
    struct ates_scan scan;
    uint64_t id;
    int64_t due_at;
    size_t found = 0;

    *next_at = 0;
    int r = accounting_mail_due_open(&scan, call->txn);
    if (r != 0) {
        return r;
    }
    while (found < room && (r = accounting_mail_scan_next(&scan, &id, &due_at)) == 0) {
        if (due_at > call->time) {
            *next_at = due_at;
            break;
        }
        if (!ates_is_under_way(call, &accounting_send_work, id)) {
            ids[found++] = id;
        }
    }
    ates_scan_close(&scan);
    *count = found;
    return r == ATES_NOT_FOUND ? 0 : r;
}

int accounting_mail_step(struct ates_call *call)
{
    uint64_t ids[ACCOUNTING_SENDERS];
    size_t count = 0;
    int64_t next_at = 0;

    int r = find_due(call, ids, &count, &next_at);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = attempt(call, ids[i]);
    }
    if (r == 0 && next_at != 0) {
        ates_wake_at(call, next_at);
    }
    return r;
}

int accounting_mail_ended(struct ates_call *call, const struct ates_work *work, uint64_t mail_id,
                          const void *output)
{
    const struct mail_result *result = output;
    struct accounting_mail_row mail;

    (void)work; /* there is no other that is begun */
    if (result == NULL || result->outcome == MAIL_STOPPED) {
        return 0; /* as if never begun: the next step, or the next start, begins it again */
    }
    int r = accounting_mail_get(call->txn, mail_id, &mail);
    if (r == 0 && mail.to.size == 0) {
        r = find_address(call, mail.user_id, &mail.to);
    }
    if (r != 0) {
        return r;
    }
    const struct ates_text words = ates_text_from(result->words);
    if (result->outcome == MAIL_SENT) {
        const struct accounting_mail_sent sent = {
            .mail_id = mail.id, .to = mail.to, .attempts = mail.attempts + 1};

        return ates_emit(call, &accounting_mail_sent_message, &sent);
    }
    return result->outcome == MAIL_PERMANENT ? give_up(call, &mail, words)
                                             : try_later(call, &mail, words);
}

/* What people see of a mail. */
static struct accounting_mail show(struct ates_call *call, const struct accounting_mail_row *mail)
{
    const bool is_queued = mail->state == ACCOUNTING_MAIL_QUEUED;

    return (struct accounting_mail){
        .id = mail->id,
        .to = mail->to,
        .subject = accounting_letter_subject(call, mail),
        .state = is_queued && ates_is_under_way(call, &accounting_send_work, mail->id)
                     ? ACCOUNTING_MAIL_SENDING
                     : mail->state,
        .attempts = mail->attempts,
        .has_last_error = mail->has_last_error,
        .last_error = mail->last_error,
        .created_at = mail->created_at,
        .has_sent_at = mail->has_sent_at,
        .sent_at = mail->sent_at,
        .has_next_attempt_at = is_queued,
        .next_attempt_at = mail->next_attempt_at,
    };
}

/* Those under way just now are a few of the queued ones. */
static bool is_asked_for(const struct accounting_show_mails *query,
                         const struct accounting_mail *mail)
{
    return !query->has_state || mail->state == query->state;
}

/* Refuses: INVALID_ARGUMENT / FIELD_INVALID, field after. */
int accounting_answer_show_mails(struct ates_call *call, const void *body, void *result)
{
    const struct accounting_show_mails *query = body;
    struct accounting_show_mails_result *mails = result;
    const uint64_t limit = query->has_limit ? query->limit : ATES_PAGE_LIMIT;
    const int row_state =
        query->state == ACCOUNTING_MAIL_SENDING ? ACCOUNTING_MAIL_QUEUED : query->state;
    struct accounting_mail *items = ates_arena_alloc(call->arena, limit * sizeof *items);
    struct accounting_mail_row row;
    struct ates_scan scan;
    uint64_t id = 0, from_id = 0, last_id = 0;
    size_t count = 0;

    int r = ates_page_begin(call, query->has_after, query->after, query->newest_first, &from_id);
    if (r == 0) {
        r = accounting_mail_scan_open(&scan, call->txn, query->has_state ? &row_state : NULL,
                                      from_id, query->newest_first);
    }
    if (r != 0) {
        return r;
    }
    for (unsigned examined = 0; (r = accounting_mail_scan_next(&scan, &id, NULL)) == 0;
         examined++) {
        if (count == limit || count * ITEM_BYTES > ATES_PAGE_BYTES ||
            examined == ATES_PAGE_EXAMINED) {
            mails->has_next = true;
            mails->next = ates_page_next(call->arena, last_id);
            break;
        }
        r = accounting_mail_get(call->txn, id, &row);
        if (r != 0) {
            r = -EUCLEAN;
            break;
        }
        items[count] = show(call, &row);
        count += is_asked_for(query, &items[count]);
        last_id = id;
    }
    ates_scan_close(&scan);
    mails->items = (struct ates_list){items, count};
    return r == ATES_NOT_FOUND ? 0 : r;
}

static int find_mail(struct ates_call *call, uint64_t mail_id, struct accounting_mail_row *mail)
{
    int r = accounting_mail_get(call->txn, mail_id, mail);

    return r == ATES_NOT_FOUND ? ates_refuse(call, ATES_NOT_FOUND, "MAIL_UNKNOWN") : r;
}

/* Refuses: NOT_FOUND / MAIL_UNKNOWN. */
int accounting_answer_show_mail(struct ates_call *call, const void *body, void *result)
{
    const struct accounting_show_mail *query = body;
    struct accounting_show_mail_result *shown = result;
    struct accounting_letter letter;
    struct accounting_mail_row mail;

    int r = find_mail(call, query->mail_id, &mail);
    if (r == 0) {
        r = accounting_letter_write(call, &mail, &letter);
    }
    if (r == 0) {
        shown->mail = show(call, &mail);
        shown->text = letter.text;
    }
    return r;
}

/* Refuses: NOT_FOUND / MAIL_UNKNOWN; FAILED_PRECONDITION / MAIL_SENT. */
int accounting_handle_retry_mail(struct ates_call *call, const void *body)
{
    const struct accounting_retry_mail *command = body;
    const struct accounting_mail_retried retried = {.mail_id = command->mail_id};
    struct accounting_mail_row mail;

    int r = find_mail(call, command->mail_id, &mail);
    if (r != 0) {
        return r;
    }
    if (mail.state == ACCOUNTING_MAIL_SENT) {
        return ates_refuse(call, ATES_FAILED_PRECONDITION, "MAIL_SENT");
    }
    ates_wake(call);
    return ates_emit(call, &accounting_mail_retried_message, &retried);
}

int accounting_apply_mail_queued(struct ates_txn *txn, const struct ates_event *event,
                                 const void *data)
{
    const struct accounting_mail_queued *queued = data;
    const struct accounting_mail_row mail = {
        .id = queued->mail_id,
        .user_id = queued->user_id,
        .to = queued->to,
        .business_date = queued->business_date,
        .paid_cents = queued->paid_cents,
        .state = ACCOUNTING_MAIL_QUEUED,
        .created_at = event->time,
        .queued_at = event->time,
        .next_attempt_at = event->time,
    };
    struct accounting_counters counters;

    int r = accounting_mail_put(txn, NULL, &mail);
    if (r == 0) {
        r = accounting_state_get_counters(txn, &counters);
    }
    if (r != 0) {
        return r;
    }
    counters.last_mail_id = mail.id;
    return accounting_state_put_counters(txn, &counters);
}

int accounting_apply_mail_failed(struct ates_txn *txn, const struct ates_event *event,
                                 const void *data)
{
    const struct accounting_mail_failed *failed = data;
    struct accounting_mail_row before, mail;

    (void)event;
    int r = accounting_mail_get(txn, failed->mail_id, &before);
    if (r != 0) {
        return r;
    }
    mail = before;
    mail.attempts++;
    mail.failures++;
    mail.has_last_error = true;
    mail.last_error = failed->error;
    mail.next_attempt_at = failed->next_attempt_at;
    return accounting_mail_put(txn, &before, &mail);
}

int accounting_apply_mail_sent(struct ates_txn *txn, const struct ates_event *event,
                               const void *data)
{
    const struct accounting_mail_sent *sent = data;
    struct accounting_mail_row before, mail;

    int r = accounting_mail_get(txn, sent->mail_id, &before);
    if (r != 0) {
        return r;
    }
    mail = before;
    mail.state = ACCOUNTING_MAIL_SENT;
    mail.to = sent->to;
    mail.attempts = sent->attempts;
    mail.has_sent_at = true;
    mail.sent_at = event->time;
    return accounting_mail_put(txn, &before, &mail);
}

int accounting_apply_mail_dead(struct ates_txn *txn, const struct ates_event *event,
                               const void *data)
{
    const struct accounting_mail_dead *dead = data;
    struct accounting_mail_row before, mail;

    (void)event;
    int r = accounting_mail_get(txn, dead->mail_id, &before);
    if (r != 0) {
        return r;
    }
    mail = before;
    mail.state = ACCOUNTING_MAIL_DEAD;
    mail.to = dead->to;
    mail.attempts = dead->attempts;
    mail.has_last_error = true;
    mail.last_error = dead->error;
    return accounting_mail_put(txn, &before, &mail);
}

int accounting_apply_mail_retried(struct ates_txn *txn, const struct ates_event *event,
                                  const void *data)
{
    const struct accounting_mail_retried *retried = data;
    struct accounting_mail_row before, mail;

    int r = accounting_mail_get(txn, retried->mail_id, &before);
    if (r != 0) {
        return r;
    }
    mail = before;
    mail.state = ACCOUNTING_MAIL_QUEUED;
    mail.failures = 0;
    mail.queued_at = mail.next_attempt_at = event->time;
    return accounting_mail_put(txn, &before, &mail);
}

/* Dead ones are looked through, but only so far as an operator cares. */
int accounting_mail_measure(struct ates_txn *txn, struct ates_figures *figures)
{
    static const struct ates_figure mails = {
        "ates_mails", ATES_GAUGE,
        "Mails that wait to be sent (queued) or were given up (dead, at most 1000 counted)."};
    static const int dead_state = ACCOUNTING_MAIL_DEAD;
    struct ates_scan scan;
    uint64_t queued, dead = 0, mail_id;
    int r = ates_count_rows(txn, ACCOUNTING_MAILS_DUE, &queued);

    if (r == 0) {
        r = accounting_mail_scan_open(&scan, txn, &dead_state, 0, false);
    }
    if (r != 0) {
        return r;
    }
    while (r == 0 && dead < DEAD_COUNTED_MAX) {
        r = accounting_mail_scan_next(&scan, &mail_id, NULL);
        dead += r == 0;
    }
    ates_scan_close(&scan);
    if (r < 0) {
        return r;
    }
    ates_figures_add(figures, &mails, (int64_t)queued, "state=\"queued\"");
    ates_figures_add(figures, &mails, (int64_t)dead, "state=\"dead\"");
    return 0;
}
