/* The matrix; see access_matrix.h. Columns: nobody, administrator, manager, developer, boss,
 * accountant, internalservice, other, and a service itself. */
#include "flow/access_matrix.h"

#include <ates/accounting.h>
#include <ates/analytics.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

// clang-format off
/*                     nobody  admin  manager     developer   boss        accountant  internal    other       service */
#define EVERYBODY     {YES,    YES,   YES,        YES,        YES,        YES,        YES,        YES,        YES}
#define ANY           {TOKEN,  YES,   YES,        YES,        YES,        YES,        YES,        YES,        YES}
#define USERS_ONLY    {TOKEN,  YES,   YES,        YES,        YES,        YES,        YES,        YES,        ROLE}
#define ANY_USER      {TOKEN,  YES,   YES,        YES,        YES,        YES,        YES,        YES,        NO_USER}
#define ANY_NAMED     {TOKEN,  YES,   YES,        YES,        YES,        YES,        YES,        YES,        NEVER}
#define ANY_SESSION   {TOKEN,  YES,   YES,        YES,        YES,        YES,        YES,        YES,        NO_SESSION}
#define OPERATORS     {TOKEN,  YES,   ROLE,       ROLE,       ROLE,       ROLE,       YES,        ROLE,       YES}
#define OPERATORS_CUT {TOKEN,  UNCUT, ROLE,       ROLE,       ROLE,       ROLE,       UNCUT,      ROLE,       UNCUT}
#define OPERATORS_DEAD {TOKEN, NOT_DEAD, ROLE,    ROLE,       ROLE,       ROLE,       NOT_DEAD,   ROLE,       NOT_DEAD}
#define OPEN_ROLE     {YES,    YES,   ROLE,       ROLE,       ROLE,       ROLE,       YES,        ROLE,       YES}
#define CLOSED_ROLE   {NOT_AS, YES,   ROLE,       ROLE,       ROLE,       ROLE,       YES,        ROLE,       YES}
#define ADMINISTRATOR {TOKEN,  YES,   ROLE,       ROLE,       ROLE,       ROLE,       ROLE,       ROLE,       ROLE}
#define ADMIN_NAMED   {TOKEN,  YES,   ROLE,       ROLE,       ROLE,       ROLE,       ROLE,       ROLE,       NEVER}
#define OVERSEERS     {TOKEN,  YES,   YES,        ROLE,       ROLE,       ROLE,       ROLE,       ROLE,       ROLE}
#define FINDERS       {TOKEN,  YES,   YES,        ROLE,       ROLE,       YES,        ROLE,       ROLE,       ROLE}
#define ACCOUNTANT    {TOKEN,  ROLE,  ROLE,       ROLE,       ROLE,       YES,        ROLE,       ROLE,       ROLE}
#define ACCOUNTANT_ME {TOKEN,  ROLE,  ROLE,       ROLE,       ROLE,       YES,        ROLE,       ROLE,       NEVER}
#define MONEY         {TOKEN,  YES,   ROLE,       ROLE,       ROLE,       YES,        ROLE,       ROLE,       ROLE}
#define MONEY_MAIL    {TOKEN,  NO_MAIL, ROLE,     ROLE,       ROLE,       NO_MAIL,    ROLE,       ROLE,       ROLE}
#define MONEY_EARLY   {TOKEN,  UNBOOKED, ROLE,    ROLE,       ROLE,       UNBOOKED,   ROLE,       ROLE,       ROLE}
#define PAYERS        {TOKEN,  ROLE,  ROLE,       ROLE,       ROLE,       YES,        YES,        ROLE,       YES}
#define PAYERS_EARLY  {TOKEN,  ROLE,  ROLE,       ROLE,       ROLE,       UNBOOKED,   UNBOOKED,   ROLE,       UNBOOKED}
#define OTHERS_ADMIN  {TOKEN,  YES,   NOT_OTHERS, NOT_OTHERS, NOT_OTHERS, NOT_OTHERS, NOT_OTHERS, NOT_OTHERS, NOT_OTHERS}
#define OTHERS_SEEN   {TOKEN,  YES,   YES,        NOT_OTHERS, NOT_OTHERS, NOT_OTHERS, NOT_OTHERS, NOT_OTHERS, NOT_OTHERS}
#define OTHERS_MONEY  {TOKEN,  YES,   NOT_OTHERS, NOT_OTHERS, NOT_OTHERS, YES,        NOT_OTHERS, NOT_OTHERS, NOT_OTHERS}
#define ASSIGNEE      {TOKEN,  NEVER, NEVER,      YES,        YES,        YES,        NEVER,      YES,        NEVER}
#define ASSIGNEE_DONE {TOKEN,  NEVER, NEVER,      FINISHED,   FINISHED,   FINISHED,   NEVER,      FINISHED,   NEVER}
#define NOT_MINE      {TOKEN,  NO_ASSIGNEE, NO_ASSIGNEE, NO_ASSIGNEE, NO_ASSIGNEE, NO_ASSIGNEE, NO_ASSIGNEE, NO_ASSIGNEE, NO_ASSIGNEE}
#define CREATOR       {TOKEN,  NO_ASSIGNEE, NO_ASSIGNEE, NO_ASSIGNEE, NO_ASSIGNEE, NO_ASSIGNEE, NO_ASSIGNEE, NO_ASSIGNEE, NEVER}
#define SEEN_TASK     {TOKEN,  YES,   YES,        NOT_YOURS,  NOT_YOURS,  NOT_YOURS,  NOT_YOURS,  NOT_YOURS,  NOT_YOURS}
// clang-format on

#define COMMON(SERVICE)                                                                            \
    {.service = &SERVICE, .command = "health", .outcomes = EVERYBODY},                             \
        {.service = &SERVICE, .command = "describe", .outcomes = EVERYBODY},                       \
        {.service = &SERVICE, .command = "metrics", .outcomes = OPERATORS},                        \
        {.service = &SERVICE,                                                                      \
         .command = "read_events",                                                                 \
         .fields = "after_seq",                                                                    \
         .outcomes = OPERATORS},                                                                   \
        {.service = &SERVICE, .command = "read_snapshot", .outcomes = OPERATORS_CUT},              \
        {.service = &SERVICE,                                                                      \
         .command = "retry_event",                                                                 \
         .fields = "producer seq",                                                                 \
         .outcomes = OPERATORS_DEAD},                                                              \
    {                                                                                              \
        .service = &SERVICE, .command = "show_dead_letters", .outcomes = OPERATORS                 \
    }

#define REGISTER(ROLE, OUTCOMES)                                                                   \
    {                                                                                              \
        &auth_service, "register_user", OF_NOBODY, "login email password role", OUTCOMES,          \
            .role = ROLE                                                                           \
    }

const struct access_row access_matrix[] = {
    COMMON(auth_service),
    REGISTER(ATES_ADMINISTRATOR, CLOSED_ROLE),
    REGISTER(ATES_MANAGER, CLOSED_ROLE),
    REGISTER(ATES_DEVELOPER, OPEN_ROLE),
    REGISTER(ATES_BOSS, CLOSED_ROLE),
    REGISTER(ATES_ACCOUNTANT, CLOSED_ROLE),
    REGISTER(ATES_INTERNALSERVICE, CLOSED_ROLE),
    REGISTER(ATES_OTHER, OPEN_ROLE),
    /* Nobody needs to be signed in for it, and nobody is kept from it. */
    {&auth_service, "auth_user", OF_NOBODY, "known_login password", .outcomes = EVERYBODY},
    {&auth_service, "renew_token", OF_NOBODY, "", .outcomes = ANY_SESSION, .signs_in = true},
    {&auth_service, "revoke_sessions", OF_SELF, "", .outcomes = ANY_USER},
    {&auth_service, "revoke_sessions", OF_SELF_NAMED, "user_id", .outcomes = ANY_NAMED},
    {&auth_service, "revoke_sessions", OF_ANOTHER, "user_id", .outcomes = OTHERS_ADMIN},
    {&auth_service, "change_password", OF_SELF, "old_password new_password", .outcomes = ANY_USER},
    {&auth_service, "reset_password", OF_SELF_NAMED, "user_id new_password",
     .outcomes = ADMIN_NAMED},
    {&auth_service, "reset_password", OF_ANOTHER, "user_id new_password",
     .outcomes = ADMINISTRATOR},
    {&auth_service, "change_role", OF_SELF_NAMED, "user_id role", .outcomes = ADMIN_NAMED,
     .role = ATES_OTHER, .spoils = true},
    {&auth_service, "change_role", OF_ANOTHER, "user_id role", .outcomes = ADMINISTRATOR,
     .role = ATES_BOSS, .spoils = true},
    {&auth_service, "disable_user", OF_SELF_NAMED, "user_id", .outcomes = ADMIN_NAMED,
     .spoils = true},
    {&auth_service, "disable_user", OF_ANOTHER, "user_id", .outcomes = ADMINISTRATOR,
     .spoils = true},
    {&auth_service, "enable_user", OF_SELF_NAMED, "user_id", .outcomes = ADMIN_NAMED},
    {&auth_service, "enable_user", OF_ANOTHER, "user_id", .outcomes = ADMINISTRATOR},
    {&auth_service, "show_user", OF_SELF, "", .outcomes = ANY_USER},
    {&auth_service, "show_user", OF_SELF_NAMED, "user_id", .outcomes = ANY_NAMED},
    {&auth_service, "show_user", OF_ANOTHER, "user_id", .outcomes = OTHERS_SEEN},
    {&auth_service, "show_all_users", OF_NOBODY, "", .outcomes = OVERSEERS},
    {&auth_service, "show_logins", OF_NOBODY, "user_ids", .outcomes = ANY},
    {&auth_service, "find_logins", OF_NOBODY, "prefix", .outcomes = FINDERS},

    COMMON(tasks_service),
    {&tasks_service, "create_task", OF_NOBODY, "name description", .outcomes = USERS_ONLY},
    {&tasks_service, "reassign_tasks", OF_NOBODY, "", .outcomes = OVERSEERS},
    {&tasks_service, "reassign_tasks", OF_NOBODY, "dry_run", .outcomes = OVERSEERS},
    {&tasks_service, "complete_task", TASK_ASSIGNED, "task_id", .outcomes = ASSIGNEE},
    {&tasks_service, "complete_task", TASK_FINISHED, "task_id", .outcomes = ASSIGNEE_DONE},
    {&tasks_service, "complete_task", TASK_CREATED, "task_id", .outcomes = CREATOR},
    {&tasks_service, "complete_task", TASK_OF_OTHERS, "task_id", .outcomes = NOT_MINE},
    {&tasks_service, "show_my_assigned_tasks", OF_NOBODY, "", .outcomes = ANY},
    {&tasks_service, "show_all_assigned_tasks", OF_NOBODY, "", .outcomes = OVERSEERS},
    {&tasks_service, "show_all_assigned_tasks", OF_ANOTHER, "assigned_to", .outcomes = OVERSEERS},
    {&tasks_service, "show_task", TASK_ASSIGNED, "task_id", .outcomes = ASSIGNEE},
    {&tasks_service, "show_task", TASK_CREATED, "task_id", .outcomes = ANY_NAMED},
    {&tasks_service, "show_task", TASK_OF_OTHERS, "task_id", .outcomes = SEEN_TASK},
    {&tasks_service, "show_task_log", TASK_ASSIGNED, "task_id", .outcomes = ASSIGNEE},
    {&tasks_service, "show_task_log", TASK_CREATED, "task_id", .outcomes = ANY_NAMED},
    {&tasks_service, "show_task_log", TASK_OF_OTHERS, "task_id", .outcomes = SEEN_TASK},

    COMMON(accounting_service),
    {&accounting_service, "show_balance", OF_SELF, "", .outcomes = ANY_USER},
    {&accounting_service, "show_balance", OF_SELF_NAMED, "user_id", .outcomes = ANY_NAMED},
    {&accounting_service, "show_balance", OF_ANOTHER, "user_id", .outcomes = OTHERS_MONEY},
    {&accounting_service, "show_account_transfers", OF_SELF, "", .outcomes = ANY_USER},
    {&accounting_service, "show_account_transfers", OF_SELF_NAMED, "user_id",
     .outcomes = ANY_NAMED},
    {&accounting_service, "show_account_transfers", OF_ANOTHER, "user_id",
     .outcomes = OTHERS_MONEY},
    {&accounting_service, "show_all_account_transfers", OF_NOBODY, "", .outcomes = ACCOUNTANT},
    {&accounting_service, "show_all_account_transfers", OF_SELF_NAMED, "user_id",
     .outcomes = ACCOUNTANT_ME},
    {&accounting_service, "show_all_account_transfers", OF_ANOTHER, "user_id",
     .outcomes = ACCOUNTANT},
    {&accounting_service, "pay_to_workers", OF_NOBODY, "dry_run", .outcomes = PAYERS},
    {&accounting_service, "pay_to_workers", OF_NOBODY, "business_date", .outcomes = PAYERS_EARLY},
    {&accounting_service, "show_income", OF_NOBODY, "", .outcomes = MONEY},
    {&accounting_service, "show_mails", OF_NOBODY, "", .outcomes = MONEY},
    {&accounting_service, "show_mail", OF_NOBODY, "mail_id", .outcomes = MONEY_MAIL},
    {&accounting_service, "retry_mail", OF_NOBODY, "mail_id", .outcomes = MONEY_MAIL},

    COMMON(analytics_service),
    {&analytics_service, "today_income", OF_NOBODY, "", .outcomes = ADMINISTRATOR},
    {&analytics_service, "show_income", OF_NOBODY, "from_date to_date", .outcomes = ADMINISTRATOR},
    {&analytics_service, "negative_balances", OF_NOBODY, "", .outcomes = ADMINISTRATOR},
    {&analytics_service, "show_the_most_expensive_task", OF_NOBODY, "from_date to_date",
     .outcomes = ADMINISTRATOR},

    COMMON(payment_service),
    {&payment_service, "show_schedule", OF_NOBODY, "", .outcomes = MONEY},
    {&payment_service, "run_payment", OF_NOBODY, "business_date", .outcomes = MONEY_EARLY},
    {&payment_service, "run_payment", OF_NOBODY, "dry_run", .outcomes = MONEY},
    /* The last two: they close the day. */
    {&payment_service, "run_payment", OF_NOBODY, "", .outcomes = MONEY},
    {&accounting_service, "pay_to_workers", OF_NOBODY, "", .outcomes = PAYERS},
};

const size_t access_matrix_rows = sizeof access_matrix / sizeof access_matrix[0];
