/* What has become of the mails; see payday.h. */
#include "support/payday.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include <ates/accounting.h>

#include "accounting/accounting_mail.h"

bool payday_is_mailed(struct flow *flow)
{
    static const int states[] = {ACCOUNTING_MAIL_QUEUED, ACCOUNTING_MAIL_SENDING};
    struct accounting_show_mails body = {.has_state = true, .has_limit = true, .limit = 1};
    struct accounting_show_mails_result page;
    size_t count = 0;

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        body.state = states[i];
        flow_do(flow, FLOW_ACCOUNTANT, &accounting_service, "show_mails", &body, &page);
        count += page.items.count + page.has_next;
    }
    ates_arena_reset(flow->arena);
    return count == 0;
}

/* What the server says of one employee's messages. */
struct told {
    size_t messages, accepted, lost, undue; /* undue: copies for which there was no reason */
    json_t *last;
    uint8_t hash[32]; /* of the first copy */
};

struct survey {
    const struct smtp_server *server;
    const json_t *closes; /* connections that the script closed */
    struct told *told;    /* by user id */
    size_t user_count;
    bool crashed;
};

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));

    return text != NULL ? text : "";
}

static bool outcome_is(const json_t *entry, const char *outcome)
{
    return strcmp(text_of(entry, "outcome"), outcome) == 0;
}

static uint64_t user_of(const char *address)
{
    unsigned long user = 0;

    cr_assert_eq(sscanf(address, "popug%lu@example.org", &user), 1, "%s", address);
    return user;
}

static void hash_copy(const struct survey *survey, const json_t *entry, uint64_t user,
                      uint8_t hash[32])
{
    unsigned number = 0;
    char mark[64];

    cr_assert_eq(sscanf(text_of(entry, "file"), "%u.eml", &number), 1);
    struct ates_buffer message = smtp_server_message(survey->server, number);
    snprintf(mark, sizeof mark, ".%lu.", (unsigned long)user);
    const char *id = memmem(message.data, message.size, "\r\nMessage-ID: <payout.", 22);
    const char *end = id != NULL ? strstr(id + 2, "\r\n") : NULL;
    cr_assert(end != NULL && memmem(id, (size_t)(end - id), mark, strlen(mark)) != NULL,
              "the Message-ID of %s does not name user %lu", text_of(entry, "file"),
              (unsigned long)user);
    crypto_generichash(hash, 32, message.data, message.size, NULL, 0);
    ates_buffer_release(&message);
}

static json_int_t connection_of(const json_t *entries, size_t index)
{
    return json_integer_value(json_object_get(json_array_get(entries, index), "connection"));
}

/* Whether the answer may be in no log: it was lost with the connection, which was closed and brought no
 * later message; or the sender crashed between reading it and writing it down. In that time come no
 * more messages by the connection than others were under way, as a mail is until its end is
 * committed. */
static bool was_cut_off(const struct survey *survey, const json_t *entries, size_t index)
{
    const json_int_t connection = connection_of(entries, index);
    bool cut = survey->crashed;
    size_t later = 0;

    for (size_t i = index + 1; i < json_array_size(entries); i++) {
        later += connection_of(entries, i) == connection;
    }
    if (later > (survey->crashed ? ACCOUNTING_SENDERS - 1 : 0)) {
        return false;
    }
    for (size_t i = 0; !cut && i < json_array_size(survey->closes); i++) {
        cut = connection_of(survey->closes, i) == connection;
    }
    return cut;
}

/* The entry's message comes after another copy of it: the one before must have been lost. */
static void take_copy(struct survey *survey, struct told *told, const json_t *entries, size_t index,
                      uint64_t user)
{
    const json_t *entry = json_array_get(entries, index);
    uint8_t hash[32];

    hash_copy(survey, entry, user, hash);
    if (told->accepted + told->lost == 0) {
        memcpy(told->hash, hash, sizeof hash);
    }
    cr_assert_arr_eq(told->hash, hash, sizeof hash, "user %lu was sent two different mails",
                     (unsigned long)user);
    if (outcome_is(entry, "lost")) {
        told->lost++;
    } else {
        told->accepted++;
        told->undue += !was_cut_off(survey, entries, index);
    }
}

static void take_log(struct survey *survey, const json_t *entries)
{
    json_t *entry;
    size_t i;

    json_array_foreach(entries, i, entry)
    {
        const json_t *to = json_array_get(json_object_get(entry, "to"), 0);

        if (to == NULL) {
            continue; /* it ended before it was told for whom: nothing hangs on it */
        }
        const uint64_t user = user_of(json_string_value(to));

        if (user >= survey->user_count) {
            const size_t count = 2 * (size_t)user + 1000;

            survey->told = realloc(survey->told, count * sizeof *survey->told);
            cr_assert_not_null(survey->told);
            memset(survey->told + survey->user_count, 0,
                   (count - survey->user_count) * sizeof *survey->told);
            survey->user_count = count;
        }
        struct told *told = &survey->told[user];
        told->messages++;
        told->last = entry;
        if (outcome_is(entry, "accepted") || outcome_is(entry, "lost")) {
            take_copy(survey, told, entries, i, user);
        }
    }
}

static void check_mail(const struct survey *survey, const struct accounting_mail *mail,
                       struct payday_mails *mails)
{
    char to[256] = "", words[1024] = "";

    memcpy(to, mail->to.data, mail->to.size);
    if (mail->has_last_error) {
        memcpy(words, mail->last_error.data, mail->last_error.size);
    }
    cr_assert_lt(user_of(to), survey->user_count, "nothing came for %s", to);
    const struct told *told = &survey->told[user_of(to)];

    cr_assert_geq(mail->attempts, 1);
    if (mail->state == ACCOUNTING_MAIL_SENT) {
        cr_assert(told->last != NULL && outcome_is(told->last, "accepted"),
                  "%s is said to be sent, and was not accepted", to);
        cr_assert(mail->has_sent_at);
        mails->sent++;
    } else {
        cr_assert_eq(mail->state, ACCOUNTING_MAIL_DEAD, "%s is neither sent nor dead", to);
        cr_assert(told->last != NULL && outcome_is(told->last, "refused") &&
                      text_of(told->last, "answer")[0] == '5',
                  "%s is dead, and was not refused for good", to);
        cr_assert_str_eq(words, text_of(told->last, "answer"), "the server's words are shown");
        mails->dead++;
    }
    cr_assert_leq(told->undue, 1, "%s got %zu copies that the server had answered", to,
                  told->undue);
    const size_t copies = told->accepted + told->lost;
    mails->duplicates += copies > 1 ? copies - 1 : 0;
    mails->attempts += mail->attempts;
}

struct payday_mails payday_check_mails(struct flow *flow, const struct smtp_server *server,
                                       bool crashed)
{
    json_t *closes = smtp_server_log(server, "close");
    struct survey survey = {.server = server, .closes = closes, .crashed = crashed};
    struct accounting_show_mails body = {.has_limit = true, .limit = 1000};
    struct accounting_show_mails_result page;
    struct payday_mails mails = {0};
    json_t *entries = smtp_server_log(server, "message");

    take_log(&survey, entries);
    do {
        flow_do(flow, FLOW_ACCOUNTANT, &accounting_service, "show_mails", &body, &page);
        for (size_t i = 0; i < page.items.count; i++) {
            check_mail(&survey, &((const struct accounting_mail *)page.items.items)[i], &mails);
        }
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    cr_assert_eq(smtp_server_count(server, "fault"), 0);
    free(survey.told);
    json_decref(entries);
    json_decref(closes);
    ates_arena_reset(flow->arena);
    return mails;
}
