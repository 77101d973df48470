/* Commands over HTTP: what they are made of, and how their replies are told. */
#include <inttypes.h>

#include "core/message_json.h"
#include "core/message_schema.h"
#include "support/schema_values.h"
#include "support/web_request_fixture.h"
#include "web/web_api.h"

static struct asked asked;
static struct ates_arena *arena;

static void set_up(void)
{
    arena = ates_arena_new();
    asked_open(&asked, WEB_GET, "/");
}

static void tear_down(void)
{
    for (size_t i = 0; i < UNDER_WAY_MAX; i++) {
        ates_buffer_release(&under_way[i].body);
    }
    asked_close(&asked);
    ates_arena_free(&arena);
}

TestSuite(web_api, .init = set_up, .fini = tear_down);

static void begin(enum web_method method, const char *target)
{
    asked_close(&asked);
    asked_open(&asked, method, target);
    asked_send(&asked, "Authorization", "Bearer a-token");
}

/* Has it passed on by its route. */
static void pass(void)
{
    struct web_match match;
    const struct web_uri *uri = &asked.request.uri;

    cr_assert_eq(web_route_match(asked.request.method, uri->segments, uri->segment_count, &match),
                 0);
    web_api_pass(&asked.request, &match);
}

static void ask(enum web_method method, const char *target, const char *json)
{
    begin(method, target);
    if (json != NULL) {
        asked_send_json(&asked, json);
    }
    pass();
}

/* What the service has of the command that is under way, as JSON. */
static json_t *passed_on(const struct web_pending *pending)
{
    const struct ates_message *message = pending->command.command->body;
    struct ates_refusal refusal = {.status = ATES_OK};
    void *value = ates_arena_alloc(arena, message->size);

    cr_assert_eq(ates_message_decode(message, pending->body.data, pending->body.size,
                                     ATES_UNKNOWN_REFUSED, arena, value, &refusal),
                 0, "%s: %s", pending->command.command->name, refusal.message);
    return ates_message_to_json(message, value);
}

static void expect_passed_on(const char *command, const char *json)
{
    struct web_pending *pending = find_under_way(command);
    json_t *passed = passed_on(pending);
    json_t *expected = json_loads(json, 0, NULL);

    cr_assert_not_null(expected, "%s", json);
    cr_expect(json_equal(passed, expected), "%s: %s", command, json_dumps(passed, 0));
    json_decref(passed);
    json_decref(expected);
}

/* A value as a query has it. */
static struct ates_text text_of(const json_t *json)
{
    char text[1024] = "";
    size_t size = 0;

    switch (json_typeof(json)) {
    case JSON_STRING:
        return (struct ates_text){json_string_value(json), json_string_length(json)};
    case JSON_INTEGER:
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        break;
    case JSON_ARRAY:
        for (size_t i = 0; i < json_array_size(json); i++) {
            const struct ates_text item = text_of(json_array_get(json, i));
            size += (size_t)snprintf(text + size, sizeof text - size, "%s%.*s", i > 0 ? "," : "",
                                     (int)item.size, item.data);
            cr_assert_lt(size, sizeof text);
        }
        break;
    default:
        snprintf(text, sizeof text, "%s", json_is_true(json) ? "true" : "false");
    }
    return ates_text_from(ates_arena_copy(arena, text, strlen(text) + 1));
}

/* The path of a route with fields taken out of json. */
static void make_target(const char *path, json_t *json, char *out)
{
    *out = '\0';
    for (const char *at = path; *at != '\0'; at++) {
        if (*at != '{') {
            sprintf(out + strlen(out), "%c", *at);
            continue;
        }
        const size_t size = strcspn(at + 1, "}");
        json_t *value = json_object_getn(json, at + 1, size);
        cr_assert_not_null(value, "%s", path);
        const struct ates_text text = text_of(value);
        sprintf(out + strlen(out), "%.*s", (int)text.size, text.data);
        json_object_deln(json, at + 1, size);
        at += size + 1;
    }
}

/* Every field of the command reaches the service, from the place where the route takes it. */
static void judge_body(const struct web_route *route)
{
    const struct ates_command *command = web_route_command(route);
    json_t *schema = ates_message_schema(command->body, ATES_UNKNOWN_REFUSED);
    json_t *most = schema_most(schema);
    const char *key;
    json_t *value;
    char target[256];

    if (route->is_mine) {
        json_object_del(most, "user_id");
    }
    json_t *rest = json_deep_copy(most);
    make_target(route->path, rest, target);
    begin(route->method, target);
    if (route->method == WEB_GET) {
        json_object_foreach(rest, key, value)
        {
            asked.request.uri.pairs[asked.request.uri.pair_count++] =
                (struct web_pair){ates_text_from(key), text_of(value)};
        }
        pass();
    } else {
        char *text = json_dumps(rest, 0);
        asked_send_json(&asked, text);
        pass();
        free(text);
    }
    cr_assert_eq(asked.response.status, 0, "%s: %s", target, asked.body);
    const struct web_pending *pending = find_under_way(route->command);
    json_t *passed = passed_on(pending);
    cr_expect(json_equal(passed, most), "%s: %s", target, json_dumps(passed, 0));
    cr_expect_eq(pending->command.service, route->service);
    cr_expect_str_eq(pending->token, "a-token");
    cr_expect_str_eq(pending->client, "192.0.2.1");
    cr_expect_eq(pending->request_id[0] == '\0', command->is_query, "%s", target);
    json_decref(passed);
    json_decref(rest);
    json_decref(most);
    json_decref(schema);
}

/* The reply's result comes back as it is. */
static void judge_result(const struct web_route *route)
{
    const struct ates_message *message = web_route_command(route)->result;
    json_t *schema = ates_message_schema(message, ATES_UNKNOWN_IGNORED);
    json_t *most = schema_most(schema);
    struct ates_refusal refusal;
    void *value = ates_arena_alloc(arena, message->size);

    cr_assert_eq(ates_message_from_json(message, most, arena, value, &refusal), 0);
    reply_result(route->command, value);
    cr_expect_eq(asked.response.status, route->success, "%s: %s", route->path, asked.body);
    cr_expect_str_eq(asked_header(&asked, "ATES-Seq"), "7");
    cr_expect_str_eq(asked_header(&asked, "Idempotent-Replayed"), "");
    cr_expect_str_eq(asked_header(&asked, "Cache-Control"),
                     route->method == WEB_GET ? "private, no-cache" : "no-store");
    cr_expect_eq(asked_header(&asked, "ETag")[0] != '\0', route->method == WEB_GET);
    cr_expect_eq(asked_header(&asked, "Location")[0] != '\0', route->success == 201);
    if (route->success == 204) {
        cr_expect_null(asked.response.content_type);
        cr_expect_str_eq(asked.body, "");
    } else {
        cr_expect_str_eq(asked.response.content_type, "application/json");
        cr_expect(json_equal(asked.json, most), "%s: %s", route->path, asked.body);
    }
    json_decref(most);
    json_decref(schema);
}

Test(web_api, every_command_reaches_its_service_and_back)
{
    size_t count = 0;

    for (size_t i = 0; i < web_route_count; i++) {
        if (web_routes[i].handle == NULL) {
            judge_body(&web_routes[i]);
            judge_result(&web_routes[i]);
            count++;
        }
    }
    cr_expect_gt(count, 30);
}

Test(web_api, what_was_made_has_a_place)
{
    const struct auth_register_user_result user = {.user_id = 42};
    struct tasks_task_result task = {.task = {.id = 12}};

    ask(WEB_POST, "/users",
        "{\"login\":\"ann\",\"email\":\"a@b\",\"password\":\"long enough\",\"role\":\"other\"}");
    reply_result("register_user", &user);
    cr_expect_eq(asked.response.status, 201);
    cr_expect_str_eq(asked_header(&asked, "Location"), "/api/v1/users/42");
    cr_expect_str_eq(asked.body, "{\"user_id\":42}");

    ask(WEB_POST, "/tasks", "{\"name\":\"a\",\"description\":\"\"}");
    task.task.name = ates_text_from("a");
    task.task.description = ates_text_from("");
    task.task.assigned_to = task.task.created_by = 1;
    reply_result("create_task", &task);
    cr_expect_eq(asked.response.status, 201, "%s", asked.body);
    cr_expect_str_eq(asked_header(&asked, "Location"), "/api/v1/tasks/12");
}

Test(web_api, no_body_stands_for_an_empty_one)
{
    ask(WEB_POST, "/tasks/12/complete", NULL);
    expect_passed_on("complete_task", "{\"task_id\":12}");
}

Test(web_api, media_types)
{
    static const struct {
        const char *type;
        bool is_right;
    } rows[] = {
        {"application/json", true},
        {"Application/JSON", true},
        {"application/json; charset=utf-8", true},
        {"application/jsonp", false},
        {"application/json-patch+json", false},
        {"text/plain", false},
        {"application/x-www-form-urlencoded", false},
        {"", false},
        {NULL, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(WEB_POST, "/tasks/12/complete");
        asked.request.body = (struct ates_bytes){(const uint8_t *)"{}", 2};
        if (rows[i].type != NULL) {
            asked_send(&asked, "Content-Type", rows[i].type);
        }
        pass();
        if (rows[i].is_right) {
            expect_passed_on("complete_task", "{\"task_id\":12}");
            reply_nothing("complete_task");
        } else {
            expect_problem(&asked, 415, "MEDIA_TYPE_UNSUPPORTED");
        }
    }
}

Test(web_api, bodies_that_are_none)
{
    static const struct {
        const char *body, *reason, *field;
    } rows[] = {
        {"[]", "BODY_INVALID", ""},
        {"null", "BODY_INVALID", ""},
        {"{", "BODY_INVALID", ""},
        {"{} {}", "BODY_INVALID", ""},
        {"{\"name\":\"a\",\"name\":\"b\",\"description\":\"\"}", "BODY_INVALID", ""},
        {"{\"name\":\"a\\u0000b\",\"description\":\"\"}", "BODY_INVALID", ""},
        {"{\"name\":\"\xff\",\"description\":\"\"}", "BODY_INVALID", ""},
        {"{\"name\":99999999999999999999,\"description\":\"\"}", "BODY_INVALID", ""},
        {"{\"name\":1e999,\"description\":\"\"}", "BODY_INVALID", ""},
        {"{\"name\":1,\"description\":\"\"}", "FIELD_INVALID", "name"},
        {"{\"name\":null,\"description\":\"\"}", "FIELD_INVALID", "name"},
        {"{\"name\":\"a\"}", "FIELD_MISSING", "description"},
        {"{\"name\":\"a\",\"description\":\"\",\"price\":1}", "FIELD_UNKNOWN", "price"},
        {"{\"name\":\"\\u0007\",\"description\":\"\"}", "FIELD_INVALID", "name"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ask(WEB_POST, "/tasks", rows[i].body);
        expect_problem(&asked, 400, rows[i].reason);
        cr_expect_str_eq(asked_text(&asked, "field"), rows[i].field, "%s", rows[i].body);
    }
    cr_expect_eq(calls, 0);
    ask(WEB_POST, "/tasks", "{\"name\":\n  oops}");
    cr_expect_not_null(strstr(asked_text(&asked, "detail"), "line 2"), "%s", asked.body);
    cr_expect_null(strstr(asked.body, "oops"), "a body may hold a password: %s", asked.body);
}

/* The parser's own limit keeps it from taking the stack. */
Test(web_api, a_body_is_not_nested_without_end)
{
    char *deep = malloc(WEB_BODY_MAX + 1);

    memset(deep, '[', WEB_BODY_MAX);
    deep[WEB_BODY_MAX] = '\0';
    ask(WEB_POST, "/tasks", deep);
    expect_problem(&asked, 400, "BODY_INVALID");
    for (size_t i = 0; i + 5 <= WEB_BODY_MAX; i += 5) {
        memcpy(deep + i, "{\"a\":", 5);
    }
    ask(WEB_POST, "/tasks", deep);
    expect_problem(&asked, 400, "BODY_INVALID");
    free(deep);
}

Test(web_api, a_field_has_one_place)
{
    static const struct {
        enum web_method method;
        const char *target, *body, *reason, *field;
    } rows[] = {
        {WEB_GET, "/tasks/1?task_id=2", NULL, "FIELD_UNKNOWN", "task_id"},
        {WEB_POST, "/tasks/1/complete", "{\"task_id\":1}", "FIELD_UNKNOWN", "task_id"},
        {WEB_POST, "/tasks/1/complete?task_id=1", NULL, "FIELD_UNKNOWN", "task_id"},
        {WEB_POST, "/tasks?name=a&description=b", NULL, "FIELD_UNKNOWN", "name"},
        {WEB_GET, "/accounts/me?user_id=2", NULL, "FIELD_UNKNOWN", "user_id"},
        {WEB_GET, "/accounts/me/transfers?limit=1&user_id=2", NULL, "FIELD_UNKNOWN", "user_id"},
        {WEB_POST, "/users/me/revoke", "{\"user_id\":2}", "FIELD_UNKNOWN", "user_id"},
        {WEB_GET, "/tasks?colour=red", NULL, "FIELD_UNKNOWN", "colour"},
        {WEB_GET, "/tasks?limit=", NULL, "FIELD_INVALID", "limit"},
        {WEB_GET, "/tasks?limit=0", NULL, "FIELD_INVALID", "limit"},
        {WEB_GET, "/users/logins", NULL, "FIELD_MISSING", "user_ids"},
        {WEB_GET, "/users/logins?user_ids=", NULL, "FIELD_INVALID", "user_ids"},
        {WEB_GET, "/users/logins?user_ids=1,x", NULL, "FIELD_INVALID", "user_ids[1]"},
        {WEB_GET, "/users/abc", NULL, "FIELD_INVALID", "user_id"},
        {WEB_GET, "/users/0", NULL, "FIELD_INVALID", "user_id"},
        {WEB_GET, "/analytics/income?to_date=2024-01-01", NULL, "FIELD_MISSING", "from_date"},
        {WEB_GET, "/users/9007199254740992", NULL, "FIELD_INVALID", "user_id"},
        {WEB_GET, "/users/99999999999999999999999999", NULL, "FIELD_INVALID", "user_id"},
        {WEB_POST, "/users/abc/disable", NULL, "FIELD_INVALID", "user_id"},
        {WEB_POST, "/users/0/disable", NULL, "FIELD_INVALID", "user_id"},
        {WEB_POST, "/users/9007199254740992/disable", NULL, "FIELD_INVALID", "user_id"},
        {WEB_POST, "/users/18446744073709551617/disable", NULL, "FIELD_INVALID", "user_id"},
        {WEB_POST, "/users/99999999999999999999999999/disable", NULL, "FIELD_INVALID", "user_id"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ask(rows[i].method, rows[i].target, rows[i].body);
        expect_problem(&asked, 400, rows[i].reason);
        cr_expect_str_eq(asked_text(&asked, "field"), rows[i].field, "%s", rows[i].target);
    }
    cr_expect_eq(calls, 0);
    ask(WEB_GET, "/users/logins?user_ids=3,1", NULL);
    expect_passed_on("show_logins", "{\"user_ids\":[3,1]}");
}

Test(web_api, a_gets_body_is_not_looked_at)
{
    begin(WEB_GET, "/tasks/1");
    asked.request.body = (struct ates_bytes){(const uint8_t *)"{\"task_id\":2}", 13};
    pass();
    expect_passed_on("show_task", "{\"task_id\":1}");
}

/* Who asks comes first: a stranger learns nothing of what a body should be. */
Test(web_api, strangers_are_refused_before_their_fields_are)
{
    asked_close(&asked);
    asked_open(&asked, WEB_POST, "/tasks");
    asked_send_json(&asked, "{\"oops\"");
    pass();
    expect_problem(&asked, 401, "TOKEN_MISSING");
    asked_close(&asked);
    asked_open(&asked, WEB_POST, "/users");
    asked_send_json(&asked, "{\"oops\"");
    pass();
    expect_problem(&asked, 400, "BODY_INVALID");
    cr_expect_eq(calls, 0);
}

static void ask_with_key(enum web_method method, const char *target, const char *key)
{
    begin(method, target);
    asked_send(&asked, "Idempotency-Key", key);
    pass();
}

Test(web_api, a_change_has_the_clients_key_or_one_of_its_own)
{
    static const char longest[] =
        "0123456789012345678901234567890123456789012345678901234567890123";
    static const char *const wrong[] = {
        "", "01234567890123456789012345678901234567890123456789012345678901234", "a\tb", "\xd0\xb6",
        "a\x7f"};
    char first[40];

    ask_with_key(WEB_POST, "/tasks/1/complete", longest);
    cr_expect_str_eq(find_under_way("complete_task")->request_id, longest);
    reply_nothing("complete_task");
    ask_with_key(WEB_POST, "/tasks/1/complete", "a b");
    cr_expect_str_eq(find_under_way("complete_task")->request_id, "a b");
    reply_nothing("complete_task");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ask_with_key(WEB_POST, "/tasks/1/complete", wrong[i]);
        expect_problem(&asked, 400, "FIELD_INVALID");
        cr_expect_str_eq(asked_text(&asked, "field"), "Idempotency-Key");
    }
    ask_with_key(WEB_GET, "/tasks/1", "");
    cr_expect_str_eq(find_under_way("show_task")->request_id, "");
    reply_nothing("show_task");
    ask(WEB_POST, "/tasks/1/complete", NULL);
    strcpy(first, find_under_way("complete_task")->request_id);
    cr_expect_eq(strlen(first), 36);
    reply_nothing("complete_task");
    ask(WEB_POST, "/tasks/1/complete", NULL);
    cr_expect_str_neq(find_under_way("complete_task")->request_id, first);
}

Test(web_api, a_repeated_command_says_so)
{
    struct ates_reply told = {.status = ATES_OK, .seq = 9, .replayed = true};
    static const uint8_t nothing[] = {0x80};

    ask(WEB_POST, "/users/3/disable", NULL);
    told.body = (struct ates_bytes){nothing, sizeof nothing};
    reply(find_under_way("disable_user"), &told);
    cr_expect_eq(asked.response.status, 204);
    cr_expect_str_eq(asked_header(&asked, "Idempotent-Replayed"), "true");
    cr_expect_str_eq(asked_header(&asked, "ATES-Seq"), "9");
}

static void ask_balance(const char *tag)
{
    const struct accounting_show_balance_result balance = {.user_id = 3, .balance_cents = -5};

    begin(WEB_GET, "/accounts/me");
    if (tag != NULL) {
        asked_send(&asked, "If-None-Match", tag);
    }
    pass();
    reply_result("show_balance", &balance);
}

Test(web_api, what_the_client_has_is_not_sent_again)
{
    char tag[64], list[160];

    ask_balance(NULL);
    cr_expect_eq(asked.response.status, 200);
    strcpy(tag, asked_header(&asked, "ETag"));
    cr_expect_str_eq(asked_header(&asked, "Vary"), "Authorization, Cookie");
    ask_balance(tag);
    cr_expect_eq(asked.response.status, 304);
    cr_expect_str_eq(asked_header(&asked, "ETag"), tag);
    cr_expect_str_eq(asked.body, "");
    cr_expect_null(asked.response.content_type);
    sprintf(list, "\"other\", W/%s", tag);
    ask_balance(list);
    cr_expect_eq(asked.response.status, 304);
    ask_balance("\"other\"");
    cr_expect_eq(asked.response.status, 200);
}

Test(web_api, refusals_and_silence_are_told)
{
    ask(WEB_POST, "/tasks/1/complete", NULL);
    reply_refusal("complete_task", ATES_PERMISSION_DENIED, "NOT_ASSIGNEE");
    expect_problem(&asked, 403, "NOT_ASSIGNEE");
    ask(WEB_GET, "/tasks/1", NULL);
    reply_nothing("show_task");
    expect_problem(&asked, 503, "NO_REPLY");
    room = 0;
    ask(WEB_GET, "/tasks/1", NULL);
    expect_problem(&asked, 429, "WEB_BUSY");
}

Test(web_api, a_reply_that_is_none)
{
    static const uint8_t wrong[] = {0x81, 0xa1, 'x'};
    const struct ates_reply told = {.status = ATES_OK, .body = {wrong, sizeof wrong}};

    ask(WEB_GET, "/tasks/1", NULL);
    reply(find_under_way("show_task"), &told);
    expect_problem(&asked, 500, "INTERNAL");
}

Test(web_api, a_request_that_is_gone_takes_its_command_along)
{
    ask(WEB_GET, "/tasks/1", NULL);
    cr_expect_eq(count_under_way(), 1);
    asked_close(&asked);
    cr_expect_eq(count_under_way(), 0);
    asked_open(&asked, WEB_GET, "/");
}
