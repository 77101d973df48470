/* Watching a query; see watch.h. */
#include "watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/message_json.h"
#include "core/random.h"
#include "listen.h"
#include "output.h"
#include "remote.h"
#include "screen.h"
#include "session_store.h"

#define PAUSE_MS 200  /* between two looks at least, however much happens */
#define WAIT_MS 60000 /* heads come every second; without any there is a look all the same */

struct watcher {
    struct ctl *ctl;
    const struct ctl_watch *watch;
    const struct ates_command *command;
    struct ctl_screen screen;
    struct ctl_listener *listener;
    struct ctl_listing *lines; /* NULL on a terminal */
    struct ates_arena *arena;
    json_t *known; /* of lines: id -> what was told of it */
    uint64_t seq;  /* of the service's log, as far as heard of; 0: nothing was yet */
    bool is_stale; /* something may have changed since the last look */
    bool is_redrawn;
};

bool ctl_concerns(const struct ates_envelope *envelope, uint64_t user_id)
{
    static const char *const names[] = {"user_id", "assigned_to", "from_user_id", "created_by",
                                        "completed_by"};
    json_t *json = ates_message_to_json_public(&ates_envelope_message, envelope);
    json_t *data = json_object_get(json, "data"), *value;
    const char *key;
    bool found = false;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        found = found || (uint64_t)json_integer_value(json_object_get(data, names[i])) == user_id;
        json_object_foreach(data, key, value)
        {
            found =
                found || (uint64_t)json_integer_value(json_object_get(value, names[i])) == user_id;
        }
    }
    json_decref(json);
    return found;
}

int ctl_own_id(struct ctl *ctl, uint64_t *user_id)
{
    const int code = ctl_connect(ctl);

    if (code == CTL_OK && ctl->session->token[0] == '\0') {
        return ctl_fail(CTL_NOT_SIGNED_IN, "atesctl login", "you are not signed in");
    }
    *user_id = code == CTL_OK ? ctl->session->user_id : 0;
    return code;
}

static bool hear_event(void *context, const struct ates_envelope *envelope)
{
    struct watcher *self = context;
    const uint64_t user_id = self->watch->user_id;

    /* Where one is missing before it, that may have been about the user. */
    self->is_stale = self->is_stale || envelope->seq != self->seq + 1 || user_id == 0 ||
                     ctl_concerns(envelope, user_id);
    self->seq = envelope->seq;
    return true;
}

static void hear_head(void *context, const char *producer, const struct ates_head *head)
{
    struct watcher *self = context;

    (void)producer;
    self->is_stale = self->is_stale || head->seq != self->seq;
    self->seq = head->seq;
}

/* The items of the query's result. */
static int ask(struct watcher *self, struct ates_list *items)
{
    const struct ates_field *field = ates_message_field(self->command->result, "items", 5);
    void *result;

    ates_arena_reset(self->arena);
    ctl_renew(self->ctl);
    result = ates_arena_alloc(self->arena, self->command->result->size);
    const int code = ctl_call(self->ctl, self->watch->service, self->command, NULL,
                              self->watch->body, self->arena, result);
    if (code == CTL_OK) {
        *items = *(const struct ates_list *)((const char *)result + field->offset);
    }
    return code;
}

static const void *item_at(const struct ates_message *message, const struct ates_list *items,
                           size_t index)
{
    return (const char *)items->items + index * message->size;
}

static int draw(struct watcher *self, const struct ates_list *items)
{
    const struct ates_message *message = ctl_item_message(self->command);
    struct ctl_listing *listing = ctl_listing_new(self->ctl, message, NULL);
    char time[CTL_TIME_SIZE], footer[CTL_TIME_SIZE + 64];

    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    int code =
        self->watch->head != NULL ? self->watch->head(self->ctl, self->watch->context) : CTL_OK;
    for (size_t i = 0; i < items->count; i++) {
        ctl_listing_add(listing, NULL, item_at(message, items, i));
    }
    if (code == CTL_OK) {
        code = ctl_listing_end(listing, NULL);
    }
    ctl_listing_free(&listing);
    const struct ates_source source = ates_source_system();
    ctl_format_moment(ates_now_ms(&source), time);
    snprintf(footer, sizeof footer, "%zu %s%s, %s; Ctrl-C ends", items->count, self->watch->noun,
             items->count == 1 ? "" : "s", time);
    return code != CTL_OK ? code : ctl_screen_show(&self->screen, footer);
}

/* The oldest of what is new or has changed first. */
static int tell_changes(struct watcher *self, const struct ates_list *items)
{
    const struct ates_message *message = ctl_item_message(self->command);

    for (size_t i = items->count; i > 0; i--) {
        const void *item = item_at(message, items, i - 1);
        json_t *json = ates_message_to_json_public(message, item);
        char *text = json_dumps(json, JSON_COMPACT), id[32];
        const char *before;

        snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(json_object_get(json, message->fields[0].name)));
        before = json_string_value(json_object_get(self->known, id));
        if (text != NULL && (before == NULL || strcmp(before, text) != 0)) {
            ctl_listing_add(self->lines, NULL, item);
            json_object_set_new(self->known, id, json_string(text));
        }
        free(text);
        json_decref(json);
    }
    return ctl_flush();
}

static int look(struct watcher *self)
{
    struct ates_list items = {.count = 0};

    self->is_stale = self->is_redrawn = false;
    const int code = ask(self, &items);
    if (code != CTL_OK) {
        return code;
    }
    return self->lines != NULL ? tell_changes(self, &items) : draw(self, &items);
}

/* Listens until it is time for another look. */
static int listen_on(struct watcher *self, int64_t looked_us)
{
    int code = CTL_OK;

    do {
        const int64_t now_us = ates_monotonic_us();
        const int64_t pause_ms = PAUSE_MS - (now_us - looked_us) / 1000;
        zmq_pollitem_t item = ctl_screen_item(&self->screen);
        bool heard;

        if (self->is_redrawn || (self->is_stale && pause_ms <= 0)) {
            break;
        }
        code = ctl_listener_turn(self->listener, self->is_stale ? pause_ms : WAIT_MS, &item, 1,
                                 &heard);
        const enum ctl_screen_news news = ctl_screen_look(&self->screen);
        self->is_redrawn = news == CTL_SCREEN_DISTURBED && self->screen.is_terminal;
        if (news == CTL_SCREEN_END && code == CTL_OK) {
            code = CTL_INTERRUPTED;
        }
        self->is_stale = self->is_stale || ates_monotonic_us() - now_us >= WAIT_MS * 1000;
    } while (code == CTL_OK && !ferror(stdout));
    return code;
}

static int run(struct watcher *self)
{
    const struct ctl_hearer hearer = {self, hear_event, hear_head};
    char prefix[64];

    snprintf(prefix, sizeof prefix, "%s.", self->watch->service->name);
    int code = ctl_listener_open(self->ctl, &hearer, prefix, &self->listener);
    while (code == CTL_OK && !ferror(stdout)) {
        code = look(self);
        if (code == CTL_OK) {
            code = listen_on(self, ates_monotonic_us());
        }
    }
    ctl_listener_close(&self->listener);
    return code;
}

int ctl_watch(struct ctl *ctl, const struct ctl_watch *watch)
{
    struct watcher self = {
        .ctl = ctl, .watch = watch, .command = ctl_command(watch->service, watch->query)};

    int code = ctl_connect(ctl);
    if (code == CTL_OK) {
        code = ctl_screen_open(&self.screen, ctl->format == CTL_TABLE);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (!self.screen.is_terminal) {
        if (ctl->format == CTL_TABLE) {
            ctl->format = CTL_NDJSON; /* lines as they come: a table would have an end */
        }
        self.lines = ctl_listing_new(ctl, ctl_item_message(self.command), NULL);
        self.known = json_object();
    }
    self.arena = ates_arena_new();
    code = self.screen.is_terminal || self.lines != NULL
               ? run(&self)
               : ctl_fail(CTL_REFUSED, NULL, "out of memory");
    ctl_screen_close(&self.screen);
    if (self.lines != NULL) {
        ctl_listing_end(self.lines, NULL);
    }
    ctl_listing_free(&self.lines);
    json_decref(self.known);
    ates_arena_free(&self.arena);
    return code;
}
