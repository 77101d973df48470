/* The reasons of refusals: what each means, and what to do. */
#ifndef CTL_REASON_H
#define CTL_REASON_H

#include <stdbool.h>
#include <stddef.h>

#include <ates/status.h>

struct ctl_reason {
    const char *reason;
    enum ates_status status;
    const char *words;   /* what it means; '#' stands for the subject */
    const char *advice;  /* likewise; NULL: none */
    const char *subject; /* the body's id or date that it is about; NULL: none */
    const char *command; /* means this where that was refused; NULL: whichever was */
    bool is_quoted; /* the service's own words tell more: of a refusal they are shown instead */
};

/* The advice about fields, where nothing was refused. */
#define CTL_REASON_FIELDS "atesctl call SERVICE.COMMAND --help"

/* Every reason there is; of one with more meanings, the first that fits counts. */
extern const struct ctl_reason ctl_reasons[];
extern const size_t ctl_reason_count;

/* The first row of a reason, NULL where there is none. */
const struct ctl_reason *ctl_reason_find(const char *reason);

/* What stands for its subject where nothing was refused: "ID", "DATE". */
const char *ctl_reason_subject(const struct ctl_reason *reason);

/* Puts words with the subject in place of their '#' into out. */
void ctl_reason_words(const char *words, const char *subject, char *out, size_t size);

#endif
