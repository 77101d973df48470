/* Refusals in words; see refusal.h. Invariant: what a reason means to people stands in reason.c's
 * table; where its words say less than the service's, those are quoted. */
#include "refusal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ates/service.h>

#include "reason.h"

enum ctl_exit ctl_exit_of(enum ates_status status)
{
    switch (status) {
    case ATES_OK:
        return CTL_OK;
    case ATES_UNAUTHENTICATED:
        return CTL_NOT_SIGNED_IN;
    case ATES_PERMISSION_DENIED:
        return CTL_FORBIDDEN;
    case ATES_NOT_FOUND:
        return CTL_NOT_FOUND;
    case ATES_ALREADY_EXISTS:
    case ATES_FAILED_PRECONDITION:
        return CTL_CONFLICT;
    case ATES_DEADLINE_EXCEEDED:
    case ATES_UNAVAILABLE:
        return CTL_UNREACHABLE;
    default:
        return CTL_REFUSED;
    }
}

/* The body's id or date of this name, as text; false where the command has none or it is absent. */
static bool find_subject(const struct ates_command *command, const void *body, const char *name,
                         char out[24])
{
    const struct ates_field *field =
        body != NULL ? ates_message_field(command->body, name, strlen(name)) : NULL;

    if (field == NULL ||
        (field->optional && !*(const bool *)((const char *)body + field->present))) {
        return false;
    }
    const void *value = (const char *)body + field->offset;
    if (field->type == ATES_UINT) {
        snprintf(out, 24, "%" PRIu64, *(const uint64_t *)value);
    } else if (field->type == ATES_TEXT && field->rule == ATES_RULE_DATE) {
        const struct ates_text *date = value;

        snprintf(out, 24, "%.*s", (int)date->size, date->data);
    }
    return out[0] != '\0';
}

void ctl_roles(unsigned callers, char *out, size_t size)
{
    unsigned left = callers & ATES_ANY_ROLE & ~ATES_ROLE(ATES_INTERNALSERVICE);
    size_t used = 0;

    out[0] = '\0';
    for (int role = 0; left != 0 && used < size; role++) {
        if (left & ATES_ROLE(role)) {
            left &= ~ATES_ROLE(role);
            used += (size_t)snprintf(out + used, size - used, "%s%s",
                                     used == 0   ? ""
                                     : left == 0 ? " or "
                                                 : ", ",
                                     ates_role_names[role]);
        }
    }
}

static int refused_role(const struct ates_command *command, const struct ates_refusal *refusal)
{
    const bool of_others = strcmp(refusal->field, "user_id") == 0;
    char roles[160];

    ctl_roles(of_others ? command->others : command->callers, roles, sizeof roles);
    if (roles[0] == '\0') {
        snprintf(roles, sizeof roles, "a service");
    }
    return ctl_fail(CTL_FORBIDDEN, "atesctl whoami",
                    of_others ? "your role may not do this for another user; who may: %s"
                              : "your role may not do this; who may: %s",
                    roles);
}

static int refused_otherwise(const char *service, const struct ates_command *command,
                             const struct ates_refusal *refusal)
{
    const struct ctl_reason *row = ctl_reason_find(refusal->reason);
    const bool is_of_fields =
        row != NULL && row->advice != NULL && strcmp(row->advice, CTL_REASON_FIELDS) == 0;
    char advice[128];

    if (is_of_fields) {
        snprintf(advice, sizeof advice, "atesctl call %s.%s --help", service, command->name);
    } else {
        snprintf(advice, sizeof advice, "again in %u s", (refusal->retry_after_ms + 999) / 1000);
    }
    return ctl_fail(
        ctl_exit_of(refusal->status),
        refusal->retry_after_ms > 0 || is_of_fields ? advice
        : row != NULL && row->is_quoted             ? row->advice
        : refusal->status == ATES_UNAUTHENTICATED   ? "atesctl login"
        : refusal->status == ATES_UNAVAILABLE       ? "again in a while"
                                                    : NULL,
        "%s.%s refused: %s (%s)", service, command->name,
        refusal->message[0] != '\0' ? refusal->message : ates_status_name(refusal->status),
        refusal->reason[0] != '\0' ? refusal->reason : ates_status_name(refusal->status));
}

/* Whether it is a service that could not sign in to another one: no fault of the user's. */
static bool is_between_services(const struct ates_refusal *refusal)
{
    return refusal->status == ATES_UNAVAILABLE &&
           (strncmp(refusal->reason, "TOKEN_", 6) == 0 ||
            strcmp(refusal->reason, "ROLE_NOT_ALLOWED") == 0);
}

/* The row for this refusal, with what it is about in subject. NULL: the service is quoted. */
static const struct ctl_reason *find_words(const struct ates_command *command, const void *body,
                                           const struct ates_refusal *refusal, char subject[24])
{
    for (size_t i = 0; i < ctl_reason_count; i++) {
        const struct ctl_reason *row = &ctl_reasons[i];

        subject[0] = '\0';
        if (!row->is_quoted && strcmp(refusal->reason, row->reason) == 0 &&
            (row->command == NULL || strcmp(row->command, command->name) == 0) &&
            (row->subject == NULL || find_subject(command, body, row->subject, subject))) {
            return row;
        }
    }
    return NULL;
}

const char *ctl_refusal_words(const struct ates_command *command, const void *body,
                              const struct ates_refusal *refusal, char out[CTL_REFUSAL_WORDS_SIZE])
{
    char subject[24];
    const struct ctl_reason *row = find_words(command, body, refusal, subject);

    if (row != NULL) {
        ctl_reason_words(row->words, subject, out, CTL_REFUSAL_WORDS_SIZE);
    } else {
        snprintf(out, CTL_REFUSAL_WORDS_SIZE, "%s",
                 refusal->message[0] != '\0' ? refusal->message
                                             : ates_status_name(refusal->status));
    }
    return out;
}

int ctl_refused(const char *service, const struct ates_command *command, const void *body,
                const struct ates_refusal *refusal)
{
    char subject[24], words[CTL_REFUSAL_WORDS_SIZE], advice[256];

    if (is_between_services(refusal)) {
        return refused_otherwise(service, command, refusal);
    }
    if (strcmp(refusal->reason, "ROLE_NOT_ALLOWED") == 0) {
        return refused_role(command, refusal);
    }
    const struct ctl_reason *row = find_words(command, body, refusal, subject);
    if (row == NULL) {
        return refused_otherwise(service, command, refusal);
    }
    ctl_reason_words(row->words, subject, words, sizeof words);
    ctl_reason_words(row->advice != NULL ? row->advice : "", subject, advice, sizeof advice);
    return ctl_fail(ctl_exit_of(refusal->status), row->advice != NULL ? advice : NULL, "%s", words);
}
