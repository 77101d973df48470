/* What HTTP brings, beside the library: a target and a JSON body that become a command, and headers.
 * The first byte of an input chooses method and kind. A command that is made is valid by its table, and
 * the same when its bytes are decoded; whatever is refused names what is wrong. */
#include "fuzz.h"

#include <strings.h>

#include "core/message_json.h"
#include "core/text.h"
#include "tables.h"
#include "web/web_api.h"
#include "web/web_backend.h"
#include "web/web_call.h"
#include "web/web_etag.h"
#include "web/web_guard.h"
#include "web/web_mark.h"
#include "web/web_private.h"

#define API_SEGMENTS 2u /* api, v1 */
#define HEADERS_MAX 8u
#define VALUE_MAX 1024u /* bytes of a message's struct */

struct exchange {
    struct web_request request; /* first */
    struct web_header headers[HEADERS_MAX];
    size_t header_count;
};

static struct ates_arena *arena;
static struct ates_web web;

/* In the place of web_request.c and web_answer.c, which belong to the library's connections. */

const char *web_request_header(const struct web_request *request, const char *name)
{
    const struct exchange *exchange = (const struct exchange *)request;

    for (size_t i = 0; i < exchange->header_count; i++) {
        if (strcasecmp(exchange->headers[i].name, name) == 0) {
            return exchange->headers[i].value;
        }
    }
    return NULL;
}

struct ates_text web_request_cookie(const struct web_request *request, const char *name)
{
    (void)request, (void)name;
    return (struct ates_text){.size = 0};
}

void web_response_add(struct web_response *response, const char *name, const char *value)
{
    (void)response, (void)name, (void)value;
    abort(); /* nothing is answered here */
}

void web_respond(struct web_request *request, const struct web_response *response)
{
    (void)request, (void)response;
    abort();
}

void web_respond_stream(struct web_request *request, const struct web_response *head,
                        web_stream_read *read)
{
    (void)request, (void)head, (void)read;
    abort();
}

void web_stream_wake(struct web_request *request)
{
    (void)request;
    abort();
}

/* NUL-terminated, as the library gives headers. */
static const char *string_of(struct ates_bytes bytes)
{
    char *copy = ates_arena_alloc(arena, bytes.size + 1);

    memcpy(copy, bytes.data, bytes.size);
    return copy;
}

static void add_header(struct exchange *exchange, const char *name, struct ates_bytes value)
{
    exchange->headers[exchange->header_count++] = (struct web_header){name, string_of(value)};
}

static void check_text(struct ates_text text, struct ates_text target)
{
    size_t characters;

    fuzz_require(ates_text_scan(text, ATES_RULE_LINE, &characters) == NULL);
    fuzz_require(text.size <= target.size);
}

static void check_uri(const struct web_uri *uri, struct ates_text target)
{
    fuzz_require(uri->segment_count <= WEB_SEGMENTS_MAX && uri->pair_count <= WEB_PAIRS_MAX);
    for (size_t i = 0; i < uri->segment_count; i++) {
        const struct ates_text *segment = &uri->segments[i];

        check_text(*segment, target);
        fuzz_require(segment->size > 0 && memchr(segment->data, '/', segment->size) == NULL);
        fuzz_require(!ates_text_equal(*segment, ates_text_from(".")) &&
                     !ates_text_equal(*segment, ates_text_from("..")));
    }
    for (size_t i = 0; i < uri->pair_count; i++) {
        check_text(uri->pairs[i].name, target);
        check_text(uri->pairs[i].value, target);
        fuzz_require(uri->pairs[i].name.size > 0);
    }
}

/* A value that was taken: valid, and the same once it went to the service. */
static void check_value(const struct ates_message *message, const void *value)
{
    static struct ates_buffer bytes, again;
    uint64_t out[VALUE_MAX / sizeof(uint64_t)];
    struct ates_refusal refusal;

    bytes.size = again.size = 0;
    fuzz_require(ates_message_check(message, value, &refusal) == 0);
    ates_message_encode(message, value, &bytes);
    fuzz_require(ates_message_decode(message, bytes.data, bytes.size, ATES_UNKNOWN_REFUSED, arena,
                                     out, &refusal) == 0);
    ates_message_encode(message, out, &again);
    fuzz_require(bytes.size == again.size && memcmp(bytes.data, again.data, bytes.size) == 0);
}

static void run_command(struct exchange *exchange)
{
    struct web_request *request = &exchange->request;
    const struct web_uri *uri = &request->uri;
    struct ates_refusal refusal = {.status = ATES_OK};
    uint64_t value[VALUE_MAX / sizeof(uint64_t)];
    struct web_match match = {.route = NULL};
    bool is_media_type_wrong;

    if (uri->segment_count <= API_SEGMENTS) {
        return;
    }
    int r = web_route_match(request->method, uri->segments + API_SEGMENTS,
                            uri->segment_count - API_SEGMENTS, &match);
    if (r != 0) {
        fuzz_require(r == ATES_NOT_FOUND || (r == ATES_UNIMPLEMENTED && match.allow[0] != '\0'));
        return;
    }
    const struct ates_message *message = web_route_command(match.route)->body;
    fuzz_require(match.route->method == request->method && message->size <= sizeof value);
    r = web_api_read(request, &match, message, value, &is_media_type_wrong, &refusal);
    if (r == 0) {
        fuzz_require(!is_media_type_wrong);
        check_value(message, value);
    } else {
        fuzz_check_refusal(&refusal, r);
        fuzz_require(refusal.status == ATES_INVALID_ARGUMENT);
    }
}

/* Target, then body. */
static void run_request(struct fuzz_input *input, enum web_method method, bool is_json)
{
    static const char json[] = "application/json; charset=utf-8";
    struct exchange exchange = {.request = {.web = &web, .arena = arena, .method = method}};
    const struct ates_bytes bytes = fuzz_part(input);
    const struct ates_text target = {(const char *)bytes.data, bytes.size};
    struct ates_refusal refusal = {.status = ATES_OK};

    add_header(&exchange, "Content-Type",
               is_json ? (struct ates_bytes){(const uint8_t *)json, strlen(json)}
                       : fuzz_part(input));
    exchange.request.body = fuzz_bytes(input, input->left);
    const int r = web_uri_parse(target, arena, &exchange.request.uri, &refusal);
    if (r != 0) {
        fuzz_check_refusal(&refusal, r);
        fuzz_require(strcmp(refusal.reason, "URI_INVALID") == 0);
        return;
    }
    check_uri(&exchange.request.uri, target);
    run_command(&exchange);
}

/* JSON for any table, whatever route leads to it. */
static void run_table(struct fuzz_input *input)
{
    const struct ates_message *message = fuzz_table(fuzz_byte(input));
    uint64_t value[VALUE_MAX / sizeof(uint64_t)];
    struct ates_refusal refusal = {.status = ATES_OK};
    json_t *json = json_loadb((const char *)input->at, input->left, JSON_REJECT_DUPLICATES, NULL);

    if (json == NULL) {
        return;
    }
    const int r = ates_message_from_json(message, json, arena, value, &refusal);
    json_decref(json);
    if (r == 0) {
        check_value(message, value);
    } else {
        fuzz_check_refusal(&refusal, r);
    }
}

/* A field's name, then its text, as a query has them. */
static void run_field(struct fuzz_input *input)
{
    const struct ates_message *message = fuzz_table(fuzz_byte(input));
    const char *name = string_of(fuzz_bytes(input, fuzz_byte(input)));
    const char *text = string_of(fuzz_bytes(input, input->left));
    uint64_t value[VALUE_MAX / sizeof(uint64_t)] = {0};
    struct ates_refusal refusal = {.status = ATES_OK};

    const int r = ates_message_set_text(message, value, name, text, arena, &refusal);
    if (r != 0) {
        fuzz_check_refusal(&refusal, r);
        return;
    }
    const struct ates_field *field = ates_message_field(message, name, strlen(name));
    fuzz_require(field != NULL);
    fuzz_require(!field->optional || ((const bool *)value)[field->present]);
}

/* Headers that more is read from than their library does. */
static void run_headers(struct fuzz_input *input)
{
    struct exchange exchange = {.request = {.web = &web, .arena = arena, .method = WEB_POST}};
    struct ates_refusal refusal = {.status = ATES_OK};
    char tag[WEB_ETAG_SIZE], text[WEB_MARK_SIZE];
    struct web_mark mark;
    const char *key = NULL;

    const struct ates_bytes bytes = fuzz_part(input);
    if (web_mark_parse((struct ates_text){(const char *)bytes.data, bytes.size}, &mark) == 0) {
        fuzz_require(web_mark_format(&mark, text) == bytes.size);
        fuzz_require(memcmp(text, bytes.data, bytes.size) == 0);
    }
    web_etag_of(bytes, tag);
    fuzz_require(web_etag_matches(tag, tag) && !web_etag_matches(NULL, tag));
    const char *tags = string_of(fuzz_part(input));
    fuzz_require(!web_etag_matches(tags, tag) || strchr(tags, '*') != NULL ||
                 strstr(tags, tag) != NULL);

    add_header(&exchange, "Idempotency-Key", fuzz_part(input));
    add_header(&exchange, "Origin", fuzz_part(input));
    add_header(&exchange, "Host", fuzz_part(input));
    add_header(&exchange, "Sec-Fetch-Site", fuzz_part(input));
    add_header(&exchange, WEB_SESSION_HEADER, fuzz_part(input));
    int r = web_api_read_key(&exchange.request, &key, &refusal);
    if (r != 0) {
        fuzz_check_refusal(&refusal, r);
    } else {
        fuzz_require(key != NULL && strlen(key) >= 1 && strlen(key) <= 64);
    }
    r = web_guard_check(&exchange.request, &refusal);
    if (r == 0) {
        const char *origin = web_request_header(&exchange.request, "Origin");
        const char *host = web_request_header(&exchange.request, "Host");

        fuzz_require(web_guard_uses_cookie(&exchange.request));
        fuzz_require(strncmp(origin, "http://", 7) == 0 && strcmp(origin + 7, host) == 0);
    } else {
        fuzz_check_refusal(&refusal, r);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const unsigned choice = fuzz_byte(&input);
    const enum web_method method = (enum web_method)(choice % WEB_METHOD_COUNT);

    if (arena == NULL) {
        arena = ates_arena_new();
    }
    ates_arena_reset(arena);
    switch (choice / WEB_METHOD_COUNT % 8) {
    case 0:
        run_request(&input, method, false);
        break;
    case 1:
        run_table(&input);
        break;
    case 2:
        run_field(&input);
        break;
    case 3:
        run_headers(&input);
        break;
    default:
        run_request(&input, method, true);
    }
    return 0;
}
