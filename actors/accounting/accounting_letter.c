/* What a payout's mail says; see accounting_letter.h. */
#include "accounting/accounting_letter.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "accounting/accounting_ledger.h"
#include "core/users.h"

/* A letter's list of transfers ends here: 64 KiB of text are a thousand of them. */
#define LIST_BYTES (64u * 1024u)
#define SHORT_SIZE 64u /* of a formatted date, time or sum */

/* Everything that depends on the language. */
struct wording {
    const char *language;
    const char *subject;  /* date, sum */
    const char *greeting; /* login */
    const char *nameless;
    const char *paid;     /* date, sum */
    const char *day;      /* date */
    const char *kinds[2]; /* by enum accounting_kind; task id, name */
    const char *more;
    const char *carried, *day_total, *paid_total;
    const char *farewell;
    const char *date, *time; /* for strftime */
    char decimal_point;
};

static const struct wording wordings[] = {
    {
        .language = "en",
        .subject = "aTES: paid for %s: %s",
        .greeting = "Hello, %.*s!",
        .nameless = "Hello!",
        .paid = "For %s you are paid %s.",
        .day = "Booked for %s:",
        .kinds = {"Task %" PRIu64 " was assigned to you: %.*s",
                  "You completed task %" PRIu64 ": %.*s"},
        .more = "More was booked than fits here; aTES shows it all.",
        .carried = "Carried over from the days before",
        .day_total = "The day in all",
        .paid_total = "Paid",
        .farewell = "UberPopug Inc. This mail was written by a program; please do not answer it.",
        .date = "%Y-%m-%d",
        .time = "%m-%d %H:%M",
        .decimal_point = '.',
    },
    {
        .language = "ru",
        .subject = "aTES: выплата за %s: %s",
        .greeting = "Здравствуйте, %.*s!",
        .nameless = "Здравствуйте!",
        .paid = "За %s вам выплачено %s.",
        .day = "Операции за %s:",
        .kinds = {"Вам назначена задача %" PRIu64 ": %.*s",
                  "Вы выполнили задачу %" PRIu64 ": %.*s"},
        .more = "Здесь поместилось не всё; полный список есть в aTES.",
        .carried = "Перенесено с прошлых дней",
        .day_total = "Итого за день",
        .paid_total = "Выплачено",
        .farewell = "UberPopug Inc. Это письмо составила программа, отвечать на него не нужно.",
        .date = "%d.%m.%Y",
        .time = "%d.%m %H:%M",
        .decimal_point = ',',
    },
};

static const struct wording *wording_of(const struct ates_call *call)
{
    const struct wording *found = &wordings[0];

    for (size_t i = 0; i < sizeof wordings / sizeof wordings[0]; i++) {
        if (strcmp(wordings[i].language, call->config->mail_language) == 0) {
            found = &wordings[i];
        }
    }
    return found;
}

static void format_cents(const struct wording *words, int64_t cents, bool with_sign,
                         char out[SHORT_SIZE])
{
    const uint64_t size = cents < 0 ? -(uint64_t)cents : (uint64_t)cents;

    snprintf(out, SHORT_SIZE, "%s%" PRIu64 "%c%02u",
             cents < 0                ? "-"
             : with_sign && cents > 0 ? "+"
                                      : "",
             size / 100, words->decimal_point, (unsigned)(size % 100));
}

static void format_date(const struct wording *words, struct ates_text date, char out[SHORT_SIZE])
{
    const time_t midnight = (time_t)ates_day_of(date) * 86400;
    struct tm parts;

    gmtime_r(&midnight, &parts);
    strftime(out, SHORT_SIZE, words->date, &parts);
}

/* A letter in the making: the same in both forms. */
struct writing {
    struct ates_call *call;
    const struct wording *words;
    struct ates_buffer text, html;
    int64_t day_cents;
    bool is_cut;
};

static void escape(struct ates_buffer *html, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char *entity = text[i] == '&'   ? "&amp;"
                             : text[i] == '<' ? "&lt;"
                             : text[i] == '>' ? "&gt;"
                             : text[i] == '"' ? "&quot;"
                                              : NULL;

        ates_buffer_append(html, entity != NULL ? entity : &text[i],
                           entity != NULL ? strlen(entity) : 1);
    }
}

static void append(struct ates_buffer *buffer, const char *text)
{
    ates_buffer_append(buffer, text, strlen(text));
}

/* A formatted line in the call's arena: names in it are bounded by their messages. */
__attribute__((format(printf, 2, 3))) static struct ates_text line(struct ates_call *call,
                                                                   const char *format, ...)
{
    enum { LINE_SIZE = 2048 };
    char *out = ates_arena_alloc(call->arena, LINE_SIZE);
    va_list arguments;

    va_start(arguments, format);
    const int size = vsnprintf(out, LINE_SIZE, format, arguments);
    va_end(arguments);
    return (struct ates_text){out, size < LINE_SIZE ? (size_t)size : LINE_SIZE - 1};
}

static void paragraph(struct writing *self, struct ates_text words)
{
    ates_buffer_append(&self->text, words.data, words.size);
    append(&self->text, "\n\n");
    append(&self->html, "<p>");
    escape(&self->html, words.data, words.size);
    append(&self->html, "</p>\n");
}

/* Characters that would break a line, or change the order in which it is read, as spaces: what
 * people call their tasks must not look like rows of the letter. name is valid UTF-8. */
static struct ates_text one_line(struct ates_call *call, struct ates_text name)
{
    char *out = ates_arena_alloc(call->arena, name.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < name.size; i++) {
        const uint8_t *at = (const uint8_t *)name.data + i;
        const bool has_three = name.size - i >= 3;

        if (*at < 0x20 || *at == 0x7f) {
            out[size++] = ' ';
        } else if (has_three && at[0] == 0xe2 &&
                   ((at[1] == 0x80 && (at[2] == 0x8e || at[2] == 0x8f ||     /* U+200E, U+200F */
                                       (at[2] >= 0xa8 && at[2] <= 0xae))) || /* U+2028 - U+202E */
                    (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9))) {    /* U+2066 - U+2069 */
            out[size++] = ' ';
            i += 2;
        } else {
            out[size++] = (char)*at;
        }
    }
    return (struct ates_text){out, size};
}

/* One row: when, how much, why. */
static void row(struct writing *self, const char *when, int64_t cents, struct ates_text why,
                bool is_sum)
{
    char sum[SHORT_SIZE];

    format_cents(self->words, cents, true, sum);
    const struct ates_text words =
        line(self->call, "  %-11s %11s  %.*s\n", when, sum, (int)why.size, why.data);
    ates_buffer_append(&self->text, words.data, words.size);
    append(&self->html, is_sum ? "<tr style=\"font-weight:bold\"><td>" : "<tr><td>");
    escape(&self->html, when, strlen(when));
    append(&self->html, "</td><td style=\"text-align:right\">");
    append(&self->html, sum);
    append(&self->html, "</td><td>");
    escape(&self->html, why.data, why.size);
    append(&self->html, "</td></tr>\n");
}

static int write_transfer(struct writing *self, const struct accounting_transfer *transfer)
{
    struct accounting_task task;
    char when[SHORT_SIZE];
    const time_t time = transfer->timestamp / 1000;
    struct tm local;

    int r = accounting_state_get_task(self->call->txn, transfer->task_id, &task);
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r; /* every fee and reward is a task's */
    }
    const struct ates_text name = one_line(self->call, task.name);
    localtime_r(&time, &local);
    strftime(when, sizeof when, self->words->time, &local);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    row(self, when, transfer->delta_cents,
        line(self->call, self->words->kinds[transfer->kind], transfer->task_id, (int)name.size,
             name.data),
        false);
#pragma GCC diagnostic pop
    return 0;
}

/* The fees and rewards that were booked to the date, in the order of their times. */
static int write_transfers(struct writing *self, const struct accounting_mail_row *mail)
{
    /* None is later than the payout, nor than the day; the zone may be another since. */
    const int64_t day_end = ates_day_start(ates_day_of(mail->business_date) + 1);
    const int64_t end = mail->created_at < day_end ? day_end : mail->created_at + 1;
    struct ates_txn *txn = self->call->txn;
    struct accounting_transfer transfer;
    struct accounting_place place;
    struct ates_scan scan;
    struct accounting_place from = {.id = 0};
    size_t row_size;

    int r = accounting_state_get_date(txn, mail->business_date, &from.timestamp);
    if (r != 0) {
        return r == ATES_NOT_FOUND ? 0 : r;
    }
    r = accounting_scan_open(&scan, txn, &mail->user_id, &from, false);
    if (r != 0) {
        return r;
    }
    while ((r = accounting_scan_next(&scan, &place)) == 0 && place.timestamp < end) {
        if (place.kind == ACCOUNTING_PAYOUT) {
            continue;
        }
        r = accounting_state_get_transfer(txn, &place, &transfer, &row_size);
        if (r != 0) {
            break;
        }
        if (ates_text_equal(transfer.business_date, mail->business_date)) {
            self->is_cut = self->text.size > LIST_BYTES;
            r = self->is_cut ? ATES_NOT_FOUND : write_transfer(self, &transfer);
        }
        if (r != 0) {
            break;
        }
    }
    ates_scan_close(&scan);
    return r < 0 ? r : 0;
}

static int write_sums(struct writing *self, const struct accounting_mail_row *mail)
{
    int64_t carried_cents;

    if (accounting_add(mail->paid_cents, -self->day_cents, &carried_cents) != 0) {
        return -EUCLEAN;
    }
    row(self, "", self->day_cents, ates_text_from(self->words->day_total), true);
    row(self, "", carried_cents, ates_text_from(self->words->carried), true);
    row(self, "", mail->paid_cents, ates_text_from(self->words->paid_total), true);
    append(&self->text, "\n");
    append(&self->html, "</table>\n");
    return 0;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the table above, and nothing else */

struct ates_text accounting_letter_subject(struct ates_call *call,
                                           const struct accounting_mail_row *mail)
{
    const struct wording *words = wording_of(call);
    char date[SHORT_SIZE], sum[SHORT_SIZE];

    format_date(words, mail->business_date, date);
    format_cents(words, mail->paid_cents, false, sum);
    return line(call, words->subject, date, sum);
}

static int write(struct writing *self, const struct accounting_mail_row *mail,
                 struct ates_text login)
{
    const struct wording *words = self->words;
    char date[SHORT_SIZE], sum[SHORT_SIZE];

    format_date(words, mail->business_date, date);
    format_cents(words, mail->paid_cents, false, sum);
    append(&self->html, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head><body>\n");
    paragraph(self, login.size > 0 ? line(self->call, words->greeting, (int)login.size, login.data)
                                   : ates_text_from(words->nameless));
    paragraph(self, line(self->call, words->paid, date, sum));
    paragraph(self, line(self->call, words->day, date));
    append(&self->html, "<table cellpadding=\"4\">\n");
    int r = write_transfers(self, mail);
    if (r == 0) {
        r = write_sums(self, mail);
    }
    if (r == 0 && self->is_cut) {
        paragraph(self, ates_text_from(words->more));
    }
    paragraph(self, ates_text_from(words->farewell));
    append(&self->html, "</body></html>\n");
    return r;
}

#pragma GCC diagnostic pop

static struct ates_text take(struct ates_call *call, struct ates_buffer *buffer)
{
    const struct ates_text text = {ates_arena_copy(call->arena, buffer->data, buffer->size),
                                   buffer->size};

    ates_buffer_release(buffer);
    return text;
}

int accounting_letter_write(struct ates_call *call, const struct accounting_mail_row *mail,
                            struct accounting_letter *letter)
{
    struct writing writing = {.call = call, .words = wording_of(call)};
    struct ates_user_changed user;

    int r = ates_users_get(call->txn, mail->user_id, &user);
    letter->to_name = r == 0 ? user.login : (struct ates_text){"", 0};
    if (r >= 0) {
        r = accounting_state_get_day_total(call->txn, mail->business_date, mail->user_id,
                                           &writing.day_cents);
    }
    if (r == 0) {
        r = write(&writing, mail, letter->to_name);
    }
    letter->subject = accounting_letter_subject(call, mail);
    letter->text = take(call, &writing.text);
    letter->html = take(call, &writing.html);
    return r;
}
