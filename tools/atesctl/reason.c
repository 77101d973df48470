/* The one table of reasons; see reason.h. Invariant: it has every reason that a service may give, and
 * none that no service gives (a test reads the sources). */
#include "reason.h"

#include <stdio.h>
#include <string.h>

#include "ctl.h"

#define AGAIN "again in a while"
#define LOGIN "atesctl login"
#define ADD_DEVELOPER                                                                              \
    "an administrator types: atesctl user add LOGIN --email EMAIL --role developer"
#define REPORT "tell whoever runs aTES: the service's log says more"
#define CLIENT "mend the client: PROTOCOL.md says what is expected"

const struct ctl_reason ctl_reasons[] = {
    /* tasks */
    {"TASK_UNKNOWN", ATES_NOT_FOUND, "there is no task #", "atesctl task mine", "task_id"},
    {"NOT_ASSIGNEE", ATES_PERMISSION_DENIED,
     "task # is assigned to somebody else: only the assignee can complete it", "atesctl task mine",
     "task_id"},
    {"NOT_YOUR_TASK", ATES_PERMISSION_DENIED,
     "task # is neither assigned to you nor created by you", "atesctl task mine", "task_id"},
    {"ALREADY_FINISHED", ATES_FAILED_PRECONDITION, "task # is finished already",
     "atesctl task show #", "task_id"},
    {"NO_ASSIGNEES", ATES_FAILED_PRECONDITION, "there is nobody to whom a task could be assigned",
     ADD_DEVELOPER},
    {"REASSIGNMENTS_PENDING", ATES_RESOURCE_EXHAUSTED, "too many reassignments wait for their turn",
     AGAIN, .is_quoted = true},

    /* users and sessions */
    {"USER_UNKNOWN", ATES_NOT_FOUND, "there is no user #", "atesctl user ls", "user_id"},
    {"USER_DISABLED", ATES_UNAUTHENTICATED, "this user is disabled",
     "ask an administrator: atesctl user enable USER"},
    {"USER_DISABLED", ATES_PERMISSION_DENIED, "the password is right, but the user is disabled",
     "ask an administrator: atesctl user enable USER"},
    {"LAST_ADMINISTRATOR", ATES_FAILED_PRECONDITION, "user # is the last enabled administrator",
     "make another administrator first: atesctl user set-role USER administrator", "user_id"},
    {"LOGIN_TAKEN", ATES_ALREADY_EXISTS, "another user has this login", "another one"},
    {"PASSWORD_GUESSABLE", ATES_INVALID_ARGUMENT, "this password is one of the first to be guessed",
     "a longer one, as four words that have nothing to do with each other"},
    {"BAD_CREDENTIALS", ATES_UNAUTHENTICATED, "the present password is wrong", NULL, NULL,
     "change_password"},
    {"BAD_CREDENTIALS", ATES_UNAUTHENTICATED, "the login or the password is wrong",
     "check both; capital letters count in passwords"},
    {"TOO_MANY_ATTEMPTS", ATES_RESOURCE_EXHAUSTED,
     "too many wrong passwords for this login, or from this place", AGAIN, .is_quoted = true},
    {"ROLE_NOT_ALLOWED", ATES_PERMISSION_DENIED, "your role may not do this", "atesctl whoami"},
    {"TOKEN_MISSING", ATES_UNAUTHENTICATED, "you are not signed in", LOGIN},
    {"TOKEN_EXPIRED", ATES_UNAUTHENTICATED, "your session is over", LOGIN},
    {"TOKEN_REVOKED", ATES_UNAUTHENTICATED, "your session was ended", LOGIN},
    {"KEY_REVOKED", ATES_UNAUTHENTICATED, "this machine's CURVE key may no longer connect there",
     "ask who runs aTES there: atesctl admin keys allow"},
    {"TOKEN_INVALID", ATES_UNAUTHENTICATED, "this service does not know your session", LOGIN},
    {"SESSION_EXPIRED", ATES_UNAUTHENTICATED, "your session is over", LOGIN},
    {"NO_SESSION", ATES_FAILED_PRECONDITION, "a service's own token has no session to renew",
     CLIENT, .is_quoted = true},

    /* money and mails */
    {"DATE_IN_FUTURE", ATES_INVALID_ARGUMENT,
     "# is in the future: a date can be paid once it has begun", NULL, "business_date"},
    {"NO_TRANSFERS", ATES_FAILED_PRECONDITION,
     "there is nothing to pay for #: up to its end no money was moved", "atesctl account income",
     "business_date"},
    {"NO_TRANSFERS", ATES_FAILED_PRECONDITION, "there is nothing to pay: no money was moved yet",
     "atesctl account income"},
    {"PAYOUT_RUNNING", ATES_UNAVAILABLE, "another payout is being made", AGAIN},
    {"TASKS_UNREACHABLE", ATES_UNAVAILABLE,
     "accounting cannot learn from tasks whether all that happened on this date has arrived",
     AGAIN "; is tasks running?"},
    {"TASKS_BEHIND", ATES_UNAVAILABLE, "not all that tasks has said has been booked yet", AGAIN},
    {"ACCOUNTING_UNREACHABLE", ATES_UNAVAILABLE, "payment cannot reach accounting",
     AGAIN "; is accounting running?"},
    {"MAIL_UNKNOWN", ATES_NOT_FOUND, "there is no mail #", "atesctl mail ls", "mail_id"},
    {"MAIL_SENT", ATES_FAILED_PRECONDITION, "mail # was sent already", "atesctl mail show #",
     "mail_id"},
    {"TASK_NAME_PENDING", ATES_UNAVAILABLE, "analytics has not heard yet what a task is called",
     AGAIN},

    /* what was asked for */
    {"FIELD_MISSING", ATES_INVALID_ARGUMENT, "a field that is needed was not given",
     CTL_REASON_FIELDS, .is_quoted = true},
    {"FIELD_INVALID", ATES_INVALID_ARGUMENT, "a field's value is not one of those it may have",
     CTL_REASON_FIELDS, .is_quoted = true},
    {"FIELD_UNKNOWN", ATES_INVALID_ARGUMENT, "the command has no such field", CTL_REASON_FIELDS,
     .is_quoted = true},
    {"FIELD_DUPLICATE", ATES_INVALID_ARGUMENT, "a field was given twice", "once",
     .is_quoted = true},
    {"QUERY_TOO_BROAD", ATES_INVALID_ARGUMENT,
     "too many different words begin with the query's longest one", "more letters of it",
     .is_quoted = true},
    {"REQUEST_ID_REUSED", ATES_FAILED_PRECONDITION,
     "this request id was used for something else before", "another request id", .is_quoted = true},
    {"EVENTS_COMPACTED", ATES_FAILED_PRECONDITION,
     "the events asked for were compacted away: only what they came to is kept",
     "a follower begins from that", .is_quoted = true},
    {"DEAD_LETTER_UNKNOWN", ATES_NOT_FOUND, "the service keeps no such event",
     "atesctl events dead"},
    {"STILL_DEAD", ATES_FAILED_PRECONDITION, "the event still cannot be applied",
     "mend what the service says of it", .is_quoted = true},
    {"EVENT_NOT_NEXT", ATES_FAILED_PRECONDITION,
     "the event is not the one at which its stream has stopped", "atesctl events dead"},
    {"EVENT_TOO_EARLY", ATES_UNAVAILABLE, "something else has to come before this event", AGAIN},
    {"NOT_COMPACTED", ATES_FAILED_PRECONDITION,
     "there is no snapshot, as the log has all its events", "read the events", .is_quoted = true},
    {"SNAPSHOT_OUTDATED", ATES_FAILED_PRECONDITION,
     "the log's snapshot has an older form than the service's", "compact the log again",
     .is_quoted = true},
    {"SNAPSHOT_NOT_TAKEN", ATES_FAILED_PRECONDITION,
     "the producer's log was compacted, and no snapshot stands in for what is lost here",
     "restore this service from a backup", .is_quoted = true},
    {"NAME_UNKNOWN", ATES_NOT_FOUND,
     "the service has no command, event or snapshot item of this name",
     "atesctl admin describe SERVICE"},
    {"COMMAND_UNKNOWN", ATES_UNIMPLEMENTED, "the service has no such command",
     "is it of another version of aTES?", .is_quoted = true},
    {"VERSION_UNSUPPORTED", ATES_UNIMPLEMENTED, "the service speaks another protocol version",
     "is it of another version of aTES?", .is_quoted = true},
    {"FRAMES_INVALID", ATES_INVALID_ARGUMENT, "the message was not of four frames", CLIENT,
     .is_quoted = true},
    {"BODY_INVALID", ATES_INVALID_ARGUMENT, "the body is no map, or nothing like what it should be",
     CLIENT, .is_quoted = true},

    /* limits and faults */
    {"WORKERS_BUSY", ATES_RESOURCE_EXHAUSTED, "too many passwords wait to be checked", AGAIN,
     .is_quoted = true},
    {"WAITERS_FULL", ATES_RESOURCE_EXHAUSTED, "too many wait for this service's jobs", AGAIN,
     .is_quoted = true},
    {"TOO_MANY_IN_FLIGHT", ATES_RESOURCE_EXHAUSTED,
     "this client has thousands of requests waiting already", AGAIN, .is_quoted = true},
    {"STORE_FULL", ATES_RESOURCE_EXHAUSTED, "the disk or the store is full: nothing is written",
     "whoever runs aTES makes room, or raises store/map_gigabytes"},
    {"REPLY_TOO_LARGE", ATES_RESOURCE_EXHAUSTED, "the reply would not fit a frame",
     "ask for less: a smaller limit", .is_quoted = true},
    {"INTERNAL", ATES_INTERNAL, "a fault of the service", REPORT, .is_quoted = true},

    /* between services: such an event is a dead letter, see atesctl events dead */
    {"TASK_ALREADY_PRICED", ATES_ALREADY_EXISTS, "the task has its prices already", REPORT,
     .is_quoted = true},
    {"TASK_MISSING", ATES_INVALID_ARGUMENT, "a reward names no task", REPORT, .is_quoted = true},
    {"TIME_OUT_OF_RANGE", ATES_INVALID_ARGUMENT, "an event's time is of no day from 1970 to 9999",
     REPORT, .is_quoted = true},
    {"BALANCE_OUT_OF_RANGE", ATES_FAILED_PRECONDITION,
     "a balance would be larger than a number on the wire can be", REPORT, .is_quoted = true},
    {"INCOME_OUT_OF_RANGE", ATES_INVALID_ARGUMENT,
     "a day's income would be larger than a number on the wire can be", REPORT, .is_quoted = true},

    /* the web service's own */
    {"ROUTE_UNKNOWN", ATES_NOT_FOUND, "nothing is served at this address",
     "/api/v1/openapi.json has those there are", .is_quoted = true},
    {"METHOD_NOT_ALLOWED", ATES_UNIMPLEMENTED, "the address does not serve this method",
     "the methods of the reply's Allow", .is_quoted = true},
    {"METHOD_UNKNOWN", ATES_UNIMPLEMENTED, "no address serves this method", CLIENT,
     .is_quoted = true},
    {"URI_INVALID", ATES_INVALID_ARGUMENT, "the address is not one that can be read in one way",
     CLIENT, .is_quoted = true},
    {"HEAD_INVALID", ATES_INVALID_ARGUMENT, "the request's head can be read in more than one way",
     CLIENT, .is_quoted = true},
    {"BODY_TOO_LARGE", ATES_INVALID_ARGUMENT, "the request's body is larger than 256 KiB", "less",
     .is_quoted = true},
    {"MEDIA_TYPE_UNSUPPORTED", ATES_INVALID_ARGUMENT, "the request's body is not said to be JSON",
     "Content-Type: application/json", .is_quoted = true},
    {"CROSS_SITE", ATES_PERMISSION_DENIED,
     "a request with a session's cookie came from another site, or without ATES-Session",
     "SECURITY.md; behind a proxy: web.origin", .is_quoted = true},
    {"SESSION_UNKNOWN", ATES_UNAUTHENTICATED, "the cookie's session is over or was never one",
     "sign in", .is_quoted = true},
    {"SESSION_OVER", ATES_UNAUTHENTICATED, "an event stream ended with its session", "sign in",
     .is_quoted = true},
    {"USER_CHANGED", ATES_UNAUTHENTICATED,
     "an event stream ended, as its user's role or sessions changed", "sign in", .is_quoted = true},
    {"TOO_MANY_STREAMS", ATES_RESOURCE_EXHAUSTED, "one user's event streams are too many",
     "close some of them", .is_quoted = true},
    {"WEB_BUSY", ATES_RESOURCE_EXHAUSTED, "too many requests are under way", AGAIN,
     .is_quoted = true},
    {"TOO_BUSY", ATES_UNAVAILABLE, "the web service has no room for the request", AGAIN,
     .is_quoted = true},
    {"NO_REPLY", ATES_UNAVAILABLE,
     "a service gave no reply in time: whether the command had its effect is unknown",
     "the same again with the same Idempotency-Key", .is_quoted = true},
};
const size_t ctl_reason_count = sizeof ctl_reasons / sizeof ctl_reasons[0];

const struct ctl_reason *ctl_reason_find(const char *reason)
{
    for (size_t i = 0; i < ctl_reason_count; i++) {
        if (strcmp(ctl_reasons[i].reason, reason) == 0) {
            return &ctl_reasons[i];
        }
    }
    return NULL;
}

const char *ctl_reason_subject(const struct ctl_reason *reason)
{
    return reason->subject != NULL && strstr(reason->subject, "date") != NULL ? "DATE" : "ID";
}

void ctl_reason_words(const char *words, const char *subject, char *out, size_t size)
{
    const size_t before = strcspn(words, "#");

    snprintf(out, size, "%.*s%s%s", (int)before, words, words[before] == '#' ? subject : "",
             words[before] == '#' ? words + before + 1 : "");
}
