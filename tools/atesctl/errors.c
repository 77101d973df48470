/* What the reasons of refusals mean. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "manual.h"
#include "output.h"
#include "reason.h"
#include "refusal.h"
#include "suggest.h"

#define WORDS_SIZE 256u

struct reason_row {
    struct ates_text reason;
    struct ates_text means;
    bool has_try;
    struct ates_text try;
    struct ates_text status;
    int64_t exit_code;
};
static const struct ates_field reason_row_fields[] = {
    {ATES_FIELD(reason_row, reason), .type = ATES_TEXT, .max = 32},
    {ATES_FIELD(reason_row, means), .type = ATES_TEXT},
    {ATES_OPTIONAL(reason_row, try), .type = ATES_TEXT, .summary = "what may help"},
    {ATES_FIELD(reason_row, status), .type = ATES_TEXT, .max = 24},
    {ATES_FIELD(reason_row, exit_code), .type = ATES_INT, .summary = "atesctl's"},
};
static ATES_MESSAGE(reason_row, "reason");

/* One reason: a line a field in a table; in other formats a list, as it may mean two things. */
static void tell(const struct ctl *ctl, struct ctl_listing *listing,
                 const struct ctl_reason *reason)
{
    const char *subject = ctl_reason_subject(reason);
    char means[WORDS_SIZE], advice[WORDS_SIZE];
    struct reason_row row = {
        .reason = ates_text_from(reason->reason),
        .has_try = reason->advice != NULL,
        .status = ates_text_from(ates_status_name(reason->status)),
        .exit_code = ctl_exit_of(reason->status),
    };

    ctl_reason_words(reason->words, subject, means, sizeof means);
    ctl_reason_words(reason->advice != NULL ? reason->advice : "", subject, advice, sizeof advice);
    row.means = ates_text_from(means);
    row.try = ates_text_from(advice);
    if (listing != NULL) {
        ctl_listing_add(listing, NULL, &row);
    } else {
        ctl_print(ctl, &reason_row_message, &row);
    }
}

static int refuse(const char *word)
{
    struct ctl_nearest nearest = ctl_nearest_to(word);
    char advice[64];

    for (size_t i = 0; i < ctl_reason_count; i++) {
        ctl_nearest_consider(&nearest, ctl_reasons[i].reason);
    }
    snprintf(advice, sizeof advice, "atesctl errors%s%s", nearest.candidate != NULL ? " " : "",
             nearest.candidate != NULL ? nearest.candidate : "");
    return ctl_fail(CTL_NOT_FOUND, advice, "there is no reason '%.40s'%s%s%s", word,
                    nearest.candidate != NULL ? ": did you mean '" : "",
                    nearest.candidate != NULL ? nearest.candidate : "",
                    nearest.candidate != NULL ? "'?" : "");
}

static int run_errors(struct ctl *ctl, const struct ctl_input *input)
{
    const bool is_one = input->count > 0;
    char word[40] = "";

    for (size_t i = 0; is_one && i + 1 < sizeof word && input->arguments[0][i] != '\0'; i++) {
        word[i] = (char)toupper((unsigned char)input->arguments[0][i]);
        word[i] = (char)(word[i] == '-' ? '_' : word[i]);
    }
    if (is_one && ctl_reason_find(word) == NULL) {
        return refuse(word);
    }
    struct ctl_listing *listing = NULL;
    if (!is_one || ctl->format != CTL_TABLE) {
        listing = ctl_listing_new(ctl, &reason_row_message, NULL);
        if (listing == NULL) {
            return ctl_fail(CTL_REFUSED, NULL, "out of memory");
        }
    }
    bool is_first = true;
    for (size_t i = 0; i < ctl_reason_count; i++) {
        if (is_one && strcmp(word, ctl_reasons[i].reason) != 0) {
            continue;
        }
        fputs(listing == NULL && !is_first ? "\n" : "", stdout);
        tell(ctl, listing, &ctl_reasons[i]);
        is_first = false;
    }
    const int code = listing != NULL ? ctl_listing_end(listing, NULL) : ctl_flush();
    ctl_listing_free(&listing);
    return code;
}

static void tell_reasons(const struct ctl_input *input, ctl_word_fn *tell_word, void *context)
{
    for (size_t i = 0; input->count == 0 && i < ctl_reason_count; i++) {
        if (i == 0 || strcmp(ctl_reasons[i - 1].reason, ctl_reasons[i].reason) != 0) {
            tell_word(context, ctl_reasons[i].reason, ctl_reasons[i].words);
        }
    }
}

const struct ctl_command ctl_errors_command = {
    .name = "errors",
    .arguments = "[REASON]",
    .summary = "Tell what the reason of a refusal means, and what to do",
    .notes = "\nA service's refusal has a reason, as NOT_ASSIGNEE. Without one, all are listed.\n",
    .examples = "atesctl errors NOT_ASSIGNEE\n"
                "atesctl errors -o csv",
    .is_local = true,
    .max = 1,
    .run = run_errors,
    .words = tell_reasons,
};
