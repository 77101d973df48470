/* The routes; see web_route.h. */
#include "web/web_route.h"

#include <stdio.h>
#include <string.h>

#include <ates/accounting.h>
#include <ates/analytics.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#include "web/web_hub.h"
#include "web/web_messages.h"
#include "web/web_session.h"
#include "web/web_settings.h"

#define ROUTE(METHOD, PATH, SERVICE, COMMAND, SUCCESS, TAG)                                        \
    .method = WEB_##METHOD, .path = PATH, .service = &SERVICE##_service, .command = COMMAND,       \
    .success = SUCCESS, .tag = TAG

/* A path of fixed words stands before one with a {field} in their place. */
const struct web_route web_routes[] = {
    {ROUTE(GET, "/session", web, "show_session", 200, "session"), .handle = web_handle_session},
    {ROUTE(POST, "/session", auth, "auth_user", 200, "session"), .handle = web_handle_sign_in,
     .result = &web_auth_user_result_message},
    {ROUTE(PUT, "/session", auth, "renew_token", 200, "session"), .handle = web_handle_renew,
     .result = &web_renew_token_result_message},
    {ROUTE(DELETE, "/session", web, "sign_out", 204, "session"), .handle = web_handle_sign_out},
    {ROUTE(POST, "/session/password", auth, "change_password", 204, "session")},
    {ROUTE(GET, "/settings", web, "show_settings", 200, "session"), .handle = web_handle_settings},
    {ROUTE(GET, "/events", web, "follow_events", 200, "events"), .handle = web_handle_events},

    {ROUTE(POST, "/users", auth, "register_user", 201, "users")},
    {ROUTE(GET, "/users", auth, "show_all_users", 200, "users")},
    {ROUTE(GET, "/users/me", auth, "show_user", 200, "users"), .is_mine = true,
     .operation = "show_me"},
    {ROUTE(POST, "/users/me/revoke", auth, "revoke_sessions", 204, "users"), .is_mine = true,
     .operation = "revoke_my_sessions"},
    {ROUTE(GET, "/users/logins", auth, "show_logins", 200, "users")},
    {ROUTE(GET, "/users/find", auth, "find_logins", 200, "users")},
    {ROUTE(GET, "/users/{user_id}", auth, "show_user", 200, "users")},
    {ROUTE(POST, "/users/{user_id}/role", auth, "change_role", 204, "users")},
    {ROUTE(POST, "/users/{user_id}/disable", auth, "disable_user", 204, "users")},
    {ROUTE(POST, "/users/{user_id}/enable", auth, "enable_user", 204, "users")},
    {ROUTE(POST, "/users/{user_id}/password", auth, "reset_password", 204, "users")},
    {ROUTE(POST, "/users/{user_id}/revoke", auth, "revoke_sessions", 204, "users")},

    {ROUTE(POST, "/tasks", tasks, "create_task", 201, "tasks")},
    {ROUTE(GET, "/tasks", tasks, "show_all_assigned_tasks", 200, "tasks")},
    {ROUTE(GET, "/tasks/mine", tasks, "show_my_assigned_tasks", 200, "tasks")},
    {ROUTE(POST, "/tasks/reassign", tasks, "reassign_tasks", 200, "tasks")},
    {ROUTE(GET, "/tasks/{task_id}", tasks, "show_task", 200, "tasks")},
    {ROUTE(GET, "/tasks/{task_id}/log", tasks, "show_task_log", 200, "tasks")},
    {ROUTE(POST, "/tasks/{task_id}/complete", tasks, "complete_task", 200, "tasks")},

    {ROUTE(GET, "/accounts/me", accounting, "show_balance", 200, "accounting"), .is_mine = true,
     .operation = "show_my_balance"},
    {ROUTE(GET, "/accounts/me/transfers", accounting, "show_account_transfers", 200, "accounting"),
     .is_mine = true, .operation = "show_my_transfers"},
    {ROUTE(GET, "/accounts/{user_id}", accounting, "show_balance", 200, "accounting")},
    {ROUTE(GET, "/accounts/{user_id}/transfers", accounting, "show_account_transfers", 200,
           "accounting")},
    {ROUTE(GET, "/transfers", accounting, "show_all_account_transfers", 200, "accounting")},
    {ROUTE(POST, "/payouts", accounting, "pay_to_workers", 200, "accounting")},
    {ROUTE(GET, "/income", accounting, "show_income", 200, "accounting")},
    {ROUTE(GET, "/mails", accounting, "show_mails", 200, "accounting")},
    {ROUTE(GET, "/mails/{mail_id}", accounting, "show_mail", 200, "accounting")},
    {ROUTE(POST, "/mails/{mail_id}/retry", accounting, "retry_mail", 204, "accounting")},

    {ROUTE(GET, "/analytics/income/today", analytics, "today_income", 200, "analytics")},
    {ROUTE(GET, "/analytics/income", analytics, "show_income", 200, "analytics"),
     .operation = "show_analytics_income"},
    {ROUTE(GET, "/analytics/negative-balances", analytics, "negative_balances", 200, "analytics")},
    {ROUTE(GET, "/analytics/most-expensive-task", analytics, "show_the_most_expensive_task", 200,
           "analytics")},

    {ROUTE(GET, "/payment/schedule", payment, "show_schedule", 200, "payment")},
    {ROUTE(POST, "/payment/run", payment, "run_payment", 200, "payment")},
};
const size_t web_route_count = sizeof web_routes / sizeof web_routes[0];

static const char *const method_names[] = {
    [WEB_GET] = "GET", [WEB_POST] = "POST", [WEB_PUT] = "PUT", [WEB_DELETE] = "DELETE"};

const struct ates_command *web_route_command(const struct web_route *route)
{
    return ates_service_command(route->service, route->command, strlen(route->command));
}

/* Whether the segments are those of path; parameters then holds what stands for its {fields}. */
static bool fits(const char *path, const struct ates_text *segments, size_t count,
                 struct web_match *match)
{
    match->parameter_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (*path != '/') {
            return false;
        }
        const char *word = path + 1;
        const size_t size = strcspn(word, "/");

        if (word[0] == '{') {
            match->parameters[match->parameter_count++] =
                (struct web_pair){.name = {word + 1, size - 2}, .value = segments[i]};
        } else if (!ates_text_equal((struct ates_text){word, size}, segments[i])) {
            return false;
        }
        path = word + size;
    }
    return *path == '\0';
}

int web_route_match(enum web_method method, const struct ates_text *segments, size_t count,
                    struct web_match *match)
{
    struct web_match found = {.route = NULL};
    const char *path = NULL; /* the one that fits, with other methods */
    size_t used = 0;

    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *route = &web_routes[i];

        /* /users/{user_id} fits what /users/me does: only the first path that fits counts. */
        if (path != NULL ? strcmp(path, route->path) != 0
                         : !fits(route->path, segments, count, &found)) {
            continue;
        }
        path = route->path;
        if (route->method == method) {
            found.route = route;
            *match = found;
            return 0;
        }
        used += (size_t)snprintf(found.allow + used, sizeof found.allow - used, "%s%s%s",
                                 used > 0 ? ", " : "", method_names[route->method],
                                 route->method == WEB_GET ? ", HEAD" : "");
    }
    if (path == NULL) {
        return ATES_NOT_FOUND;
    }
    memcpy(match->allow, found.allow, sizeof match->allow);
    return ATES_UNIMPLEMENTED;
}
