/* Payouts; see payout.h. Invariant: however often it is asked for, a payout has one request id. */
#include "payout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/calendar.h"
#include "core/random.h"
#include "output.h"
#include "refusal.h"
#include "remote.h"

static int64_t now_ms(void)
{
    return ates_monotonic_us() / 1000;
}

static void wait_ms(int64_t duration_ms)
{
    const struct timespec duration = {.tv_sec = (time_t)(duration_ms / 1000),
                                      .tv_nsec = (long)(duration_ms % 1000 * 1000000)};

    nanosleep(&duration, NULL);
}

/* Tells what is waited for: again only where that is another thing than before. */
static void tell(const struct ates_command *command, const void *body,
                 const struct ates_refusal *refusal, int64_t left_ms, struct ates_refusal *told)
{
    char words[CTL_REFUSAL_WORDS_SIZE];

    if (strcmp(told->reason, refusal->reason) != 0) {
        *told = *refusal;
        ctl_say("%s; asking again, for up to %" PRId64 " s",
                ctl_refusal_words(command, body, refusal, words), (left_ms + 999) / 1000);
    }
}

int ctl_change_patiently(struct ctl *ctl, const struct ates_service *service, const char *name,
                         const void *body, void *result)
{
    const struct ates_command *command = ctl_command(service, name);
    const int64_t deadline_ms = now_ms() + ctl->timeout_ms;
    struct ates_refusal refusal = {.status = ATES_OK}, told = {.status = ATES_OK};
    char request_id[37];
    int code = CTL_OK;

    ates_request_id_new(request_id);
    for (;;) {
        code = ctl_try(ctl, service, command, request_id, body, ctl->arena, result, &refusal);
        const int64_t left_ms = deadline_ms - now_ms();
        const int64_t pause_ms = (int64_t)refusal.retry_after_ms;

        if (refusal.status != ATES_UNAVAILABLE || pause_ms == 0 || pause_ms >= left_ms) {
            break;
        }
        tell(command, body, &refusal, left_ms, &told);
        wait_ms(pause_ms);
        ates_client_set_timeout(ctl->client, left_ms - pause_ms);
    }
    if (ctl->client != NULL) {
        ates_client_set_timeout(ctl->client, ctl->timeout_ms);
    }
    return refusal.status == ATES_OK ? code : ctl_refused(service->name, command, body, &refusal);
}

const char *ctl_payout_words(uint64_t paid_count, int64_t total_cents,
                             char out[CTL_PAYOUT_WORDS_SIZE])
{
    char total[CTL_TIME_SIZE];

    ctl_format_cents(total_cents, total);
    if (paid_count == 0) {
        snprintf(out, CTL_PAYOUT_WORDS_SIZE, "nobody");
    } else {
        snprintf(out, CTL_PAYOUT_WORDS_SIZE, "%" PRIu64 " employee%s %s%s", paid_count,
                 paid_count == 1 ? "" : "s", total, paid_count == 1 ? "" : " in all");
    }
    return out;
}

/* A date that is today is not over: the rest of the day is left to the next one. */
static void warn_early(const struct ctl_payout *payout)
{
    const struct ates_source source = ates_source_system();

    if (ates_day_of(payout->business_date) == ates_day_at(ates_now_ms(&source))) {
        ctl_say("%.*s is not over: what comes later today will count for the next date",
                (int)payout->business_date.size, payout->business_date.data);
    }
}

int ctl_payout_confirm(struct ctl *ctl, const struct ctl_payout *preview)
{
    const int date_size = (int)preview->business_date.size;
    const char *date = preview->business_date.data;
    char question[192], words[CTL_PAYOUT_WORDS_SIZE];

    if (preview->already_closed) {
        return CTL_OK;
    }
    if (preview->paid_count == 0) {
        snprintf(question, sizeof question,
                 "Nobody has a positive balance for %.*s. Close this date all the same?", date_size,
                 date);
    } else {
        snprintf(question, sizeof question, "Pay %s for %.*s?",
                 ctl_payout_words(preview->paid_count, preview->total_cents, words), date_size,
                 date);
    }
    warn_early(preview);
    const int code = ctl_confirm(ctl, question, "nobody was paid");
    if (code == CTL_OK) {
        ctl_renew(ctl); /* the answer may have taken its time */
    }
    return code;
}

void ctl_payout_say(const struct ctl_payout *payout, bool is_dry)
{
    static const char mails[] = "; their mails: atesctl mail ls";
    const int date_size = (int)payout->business_date.size;
    const char *date = payout->business_date.data;
    char words[CTL_PAYOUT_WORDS_SIZE];

    ctl_payout_words(payout->paid_count, payout->total_cents, words);
    if (payout->already_closed) {
        ctl_say("%.*s is closed, it paid %s%s", date_size, date, words,
                payout->paid_count > 0 ? mails : "");
        return;
    }
    ctl_say("%.*s: %s %s%s", date_size, date, is_dry ? "would pay" : "paid", words,
            !is_dry && payout->paid_count > 0 ? mails : "");
    if (is_dry) {
        warn_early(payout);
    }
}
