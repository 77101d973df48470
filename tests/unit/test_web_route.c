/* The table of routes: every path leads to its own route, and every command for users has one. */
#include "core/domain.h"
#include "domains.h"
#include "support/web_request_fixture.h"
#include "web/web_messages.h"
#include "web/web_route.h"

static struct ates_text segments[WEB_SEGMENTS_MAX];

/* Of a path as it stands in the table or in a request; how many. */
static size_t split(const char *path)
{
    size_t count = 0;

    while (*path != '\0') {
        cr_assert_eq(*path, '/', "%s", path);
        const size_t size = strcspn(path + 1, "/");
        segments[count++] = (struct ates_text){path + 1, size};
        path += size + 1;
    }
    return count;
}

static int match(enum web_method method, const char *path, struct web_match *out)
{
    return web_route_match(method, segments, split(path), out);
}

/* path with each {field} taken by an id. */
static size_t fill(const char *path, char *out)
{
    size_t fields = 0;
    char *end = out;

    for (const char *at = path; *at != '\0'; at++) {
        if (*at == '{') {
            at = strchr(at, '}');
            end += sprintf(end, "%zu", ++fields);
        } else {
            *end++ = *at;
        }
    }
    *end = '\0';
    return fields;
}

Test(web_route, every_path_leads_to_its_route)
{
    char path[128], id[24];
    struct web_match found;

    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *route = &web_routes[i];
        const size_t fields = fill(route->path, path);

        cr_assert_eq(match(route->method, path, &found), 0, "%s", path);
        cr_expect_eq(found.route, route, "%s", path);
        cr_expect_eq(found.parameter_count, fields, "%s", path);
        for (size_t j = 0; j < fields; j++) {
            sprintf(id, "%zu", j + 1);
            cr_expect(ates_text_equal(found.parameters[j].value, ates_text_from(id)));
            cr_expect_not_null(ates_message_field(web_route_command(route)->body,
                                                  found.parameters[j].name.data,
                                                  found.parameters[j].name.size),
                               "%s: no such field", route->path);
        }
        strcat(path, "/even/more");
        cr_expect_eq(match(route->method, path, &found), ATES_NOT_FOUND, "%s", path);
    }
}

Test(web_route, other_methods_are_told)
{
    static const struct {
        enum web_method method;
        const char *path, *allow;
    } rows[] = {
        {WEB_DELETE, "/tasks", "POST, GET, HEAD"}, {WEB_PUT, "/tasks/7", "GET, HEAD"},
        {WEB_GET, "/tasks/7/complete", "POST"},    {WEB_GET, "/tasks/reassign", "POST"},
        {WEB_POST, "/users/me", "GET, HEAD"},      {WEB_GET, "/users/me/revoke", "POST"},
        {WEB_POST, "/tasks/mine", "GET, HEAD"},    {WEB_DELETE, "/session/password", "POST"},
    };
    struct web_match found;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(match(rows[i].method, rows[i].path, &found), ATES_UNIMPLEMENTED, "%s",
                     rows[i].path);
        cr_expect_str_eq(found.allow, rows[i].allow, "%s", rows[i].path);
    }
}

/* Every method has a route here: the longest list there is. */
Test(web_route, all_methods_are_told)
{
    bool seen[WEB_METHOD_COUNT] = {false};

    for (size_t i = 0; i < web_route_count; i++) {
        if (strcmp(web_routes[i].path, "/session") == 0) {
            seen[web_routes[i].method] = true;
        }
    }
    for (size_t i = 0; i < WEB_METHOD_COUNT; i++) {
        cr_expect(seen[i]);
    }
}

Test(web_route, paths_that_are_none)
{
    static const char *const paths[] = {"",          "/task",           "/tasks/7/log/1",
                                        "/Tasks",    "/tasks/7/comple", "/users/me/role/x",
                                        "/sessions", "/{user_id}",      "/users/7/me"};
    struct web_match found;

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        for (enum web_method method = WEB_GET; method < WEB_METHOD_COUNT; method++) {
            cr_expect_eq(match(method, paths[i], &found), ATES_NOT_FOUND, "%s", paths[i]);
        }
    }
}

/* "me" is nobody's id: what exists for an id only does not exist for it. */
Test(web_route, me_is_a_word)
{
    struct web_match found;

    cr_assert_eq(match(WEB_GET, "/accounts/me", &found), 0);
    cr_expect(found.route->is_mine && found.parameter_count == 0);
    cr_assert_eq(match(WEB_GET, "/accounts/12", &found), 0);
    cr_expect(!found.route->is_mine && found.parameter_count == 1);
    for (size_t i = 0; i < web_route_count; i++) {
        if (web_routes[i].is_mine) {
            cr_expect_not_null(strstr(web_routes[i].path, "/me"));
            const struct ates_field *field =
                ates_message_field(web_route_command(&web_routes[i])->body, "user_id", 7);
            cr_expect(field != NULL && field->optional, "%s", web_routes[i].path);
        }
    }
}

Test(web_route, statuses_fit_the_results)
{
    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *route = &web_routes[i];
        const struct ates_command *command = web_route_command(route);
        const struct ates_message *result = route->result != NULL ? route->result : command->result;

        cr_expect(route->success == 200 || route->success == 201 || route->success == 204);
        if (strcmp(route->command, "follow_events") != 0) {
            cr_expect_eq(route->success == 204, result == &ates_empty_message, "%s", route->path);
        }
        cr_expect(route->success != 201 || route->method == WEB_POST, "%s", route->path);
        /* A GET changes nothing, and whatever may change something is no GET. */
        cr_expect(route->method != WEB_GET || command->is_query, "%s", route->path);
        cr_expect_not_null(route->tag);
    }
}

Test(web_route, operations_have_names_of_their_own)
{
    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *one = &web_routes[i];
        for (size_t j = 0; j < i; j++) {
            const struct web_route *other = &web_routes[j];
            cr_expect_str_neq(one->operation != NULL ? one->operation : one->command,
                              other->operation != NULL ? other->operation : other->command);
            cr_expect(one->method != other->method || strcmp(one->path, other->path) != 0, "%s",
                      one->path);
        }
    }
}

/* Commands that users may call over the services' sockets alone. */
static bool is_elsewhere(const char *command)
{
    static const char *const names[] = {"health",      "describe",      "metrics",
                                        "read_events", "read_snapshot", "show_dead_letters"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(command, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static size_t routes_of(const struct ates_service *service, const char *command)
{
    size_t count = 0;

    for (size_t i = 0; i < web_route_count; i++) {
        count += web_routes[i].service == service && strcmp(web_routes[i].command, command) == 0 &&
                 !web_routes[i].is_mine;
    }
    return count;
}

static void expect_routes(const struct ates_service *service)
{
    const unsigned users =
        (ATES_ANY_ROLE | ATES_NO_TOKEN) & ~(unsigned)ATES_ROLE(ATES_INTERNALSERVICE);

    for (size_t i = 0; i < service->command_count; i++) {
        const struct ates_command *command = &service->commands[i];
        const bool is_for_users = (command->callers & users) != 0 && !is_elsewhere(command->name);

        cr_expect_eq(routes_of(service, command->name), is_for_users ? 1 : 0, "%s.%s",
                     service->name, command->name);
    }
}

Test(web_route, every_command_for_users_has_one_route)
{
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        expect_routes(ates_domains[i]->service);
    }
    expect_routes(&web_service);
}
