/* Refusals in words; see refusal.h. Invariant: what a reason means to people stands in one table;
 * a reason that is not in it is told as the service told it. */
#include "refusal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ates/service.h>

struct words {
    const char *reason;
    const char *command; /* NULL: whichever was refused */
    const char *subject; /* the body's id or date whose place '#' in the words is; NULL: none */
    const char *words;
    const char *advice; /* NULL: none */
};

/* The first that fits is taken. */
static const struct words table[] = {
    {"TASK_UNKNOWN", NULL, "task_id", "there is no task #", "atesctl task mine"},
    {"NOT_ASSIGNEE", NULL, "task_id",
     "task # is assigned to somebody else: only the assignee can complete it", "atesctl task mine"},
    {"NOT_YOUR_TASK", NULL, "task_id", "task # is neither assigned to you nor created by you",
     "atesctl task mine"},
    {"ALREADY_FINISHED", NULL, "task_id", "task # is finished already", "atesctl task show #"},
    {"NO_ASSIGNEES", NULL, NULL, "there is nobody to whom a task could be assigned",
     "an administrator types: atesctl user add LOGIN --email EMAIL --role developer"},
    {"USER_UNKNOWN", NULL, "user_id", "there is no user #", "atesctl user ls"},
    {"USER_DISABLED", NULL, NULL, "this user is disabled",
     "ask an administrator: atesctl user enable USER"},
    {"LAST_ADMINISTRATOR", NULL, "user_id", "user # is the last enabled administrator",
     "make another administrator first: atesctl user set-role USER administrator"},
    {"LOGIN_TAKEN", NULL, NULL, "another user has this login", "another one"},
    {"BAD_CREDENTIALS", "change_password", NULL, "the present password is wrong", NULL},
    {"BAD_CREDENTIALS", NULL, NULL, "the login or the password is wrong",
     "check both; capital letters count in passwords"},
    {"DATE_IN_FUTURE", NULL, "business_date",
     "# is in the future: a date can be paid once it has begun", NULL},
    {"NO_TRANSFERS", NULL, "business_date",
     "there is nothing to pay for #: up to its end no money was moved", "atesctl account income"},
    {"NO_TRANSFERS", NULL, NULL, "there is nothing to pay: no money was moved yet",
     "atesctl account income"},
    {"PAYOUT_RUNNING", NULL, NULL, "another payout is being made", "again in a while"},
    {"TASKS_UNREACHABLE", NULL, NULL,
     "accounting cannot learn from tasks whether all that happened on this date has arrived",
     "again in a while; is tasks running?"},
    {"TASKS_BEHIND", NULL, NULL, "not all that tasks has said has been booked yet",
     "again in a while"},
    {"ACCOUNTING_UNREACHABLE", NULL, NULL, "payment cannot reach accounting",
     "again in a while; is accounting running?"},
    {"MAIL_UNKNOWN", NULL, "mail_id", "there is no mail #", "atesctl mail ls"},
    {"MAIL_SENT", NULL, "mail_id", "mail # was sent already", "atesctl mail show #"},
    {"TASK_NAME_PENDING", NULL, NULL, "analytics has not heard yet what a task is called",
     "again in a while"},
    {"TOKEN_MISSING", NULL, NULL, "you are not signed in", "atesctl login"},
    {"TOKEN_EXPIRED", NULL, NULL, "your session is over", "atesctl login"},
    {"TOKEN_REVOKED", NULL, NULL, "your session was ended", "atesctl login"},
    {"TOKEN_INVALID", NULL, NULL, "this service does not know your session", "atesctl login"},
    {"SESSION_EXPIRED", NULL, NULL, "your session is over", "atesctl login"},
};

static enum ctl_exit exit_code(enum ates_status status)
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

/* The words with what they are about in place of their '#'. */
static void put_subject(const char *words, const char *subject, char *out, size_t size)
{
    const size_t before = strcspn(words, "#");

    snprintf(out, size, "%.*s%s%s", (int)before, words, words[before] == '#' ? subject : "",
             words[before] == '#' ? words + before + 1 : "");
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
    char advice[64];

    snprintf(advice, sizeof advice, "again in %u s", (refusal->retry_after_ms + 999) / 1000);
    return ctl_fail(
        exit_code(refusal->status),
        refusal->retry_after_ms > 0               ? advice
        : refusal->status == ATES_UNAUTHENTICATED ? "atesctl login"
        : refusal->status == ATES_UNAVAILABLE     ? "again in a while"
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

/* The words for this refusal, with what they are about in subject. NULL: the table has none. */
static const struct words *find_words(const struct ates_command *command, const void *body,
                                      const struct ates_refusal *refusal, char subject[24])
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct words *row = &table[i];

        subject[0] = '\0';
        if (strcmp(refusal->reason, row->reason) == 0 &&
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
    const struct words *row = find_words(command, body, refusal, subject);

    if (row != NULL) {
        put_subject(row->words, subject, out, CTL_REFUSAL_WORDS_SIZE);
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
    const struct words *row = find_words(command, body, refusal, subject);
    if (row == NULL) {
        return refused_otherwise(service, command, refusal);
    }
    put_subject(row->words, subject, words, sizeof words);
    put_subject(row->advice != NULL ? row->advice : "", subject, advice, sizeof advice);
    return ctl_fail(exit_code(refusal->status), row->advice != NULL ? advice : NULL, "%s", words);
}
