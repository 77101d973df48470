/* Listings that follow `next` (PROTOCOL.md section 6). Invariant: a page's memory is gone before
 * the page after the next is asked for. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "remote.h"

#define PAGE_MAX 1000u

static const struct ates_field *field_of(const struct ates_message *message, const char *name)
{
    const struct ates_field *field = ates_message_field(message, name, strlen(name));

    assert(field != NULL);
    return field;
}

const struct ates_message *ctl_item_message(const struct ates_command *command)
{
    return field_of(command->result, "items")->message;
}

int ctl_parse_limit(const char *limit, uint64_t *left)
{
    if (limit == NULL) {
        *left = UINT64_MAX;
        return CTL_OK;
    }
    return ctl_parse_number(limit, "limit", 1, ATES_INTEGER_MAX, left);
}

/* The values of a command's body and result that every listing has. */
struct page {
    uint64_t *limit;
    bool *has_limit;
    struct ates_text *after;
    bool *has_after;
    const struct ates_list *items;
    const struct ates_text *next;
    const bool *has_next;
};

static struct page page_of(const struct ates_command *command, char *body, char *result)
{
    const struct ates_field *limit = field_of(command->body, "limit");
    const struct ates_field *after = field_of(command->body, "after");
    const struct ates_field *next = field_of(command->result, "next");

    return (struct page){
        .limit = (uint64_t *)(body + limit->offset),
        .has_limit = (bool *)(body + limit->present),
        .after = (struct ates_text *)(body + after->offset),
        .has_after = (bool *)(body + after->present),
        .items = (struct ates_list *)(result + field_of(command->result, "items")->offset),
        .next = (struct ates_text *)(result + next->offset),
        .has_next = (bool *)(result + next->present),
    };
}

int ctl_list_pages(struct ctl *ctl, const struct ates_service *service,
                   const struct ates_command *command, void *body, const char *label_value,
                   struct ctl_listing *listing, uint64_t *left)
{
    struct ates_arena *arena = ates_arena_new();
    char *result = calloc(1, command->result->size);
    char after[1024];
    int code = CTL_OK;

    if (arena == NULL || result == NULL) {
        ates_arena_free(&arena);
        free(result);
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    const struct page page = page_of(command, body, result);
    const size_t item_size = ctl_item_message(command)->size;
    do {
        *page.has_limit = true;
        *page.limit = *left < PAGE_MAX ? *left : PAGE_MAX;
        ates_arena_reset(arena);
        code = ctl_call(ctl, service, command, NULL, body, arena, result);
        if (code != CTL_OK) {
            break;
        }
        for (size_t i = 0; i<page.items->count && * left> 0; i++, --*left) {
            ctl_listing_add(listing, label_value, (char *)page.items->items + i * item_size);
        }
        *page.has_after = *page.has_next;
        if (*page.has_next) {
            assert(page.next->size <= sizeof after);
            memcpy(after, page.next->data, page.next->size);
            *page.after = (struct ates_text){after, page.next->size};
        }
    } while (*page.has_next && *left > 0 && !ctl_listing_is_over(listing));
    ates_arena_free(&arena);
    free(result);
    return code;
}

static int set_order(struct ctl *ctl, const struct ctl_input *input,
                     const struct ates_command *command, void *body)
{
    const char *field = "newest_first", *option = "newest-first";

    return ates_message_field(command->body, field, strlen(field)) != NULL &&
                   ctl_value(input, option) != NULL
               ? ctl_set(ctl, command, body, field, "true", option)
               : CTL_OK;
}

int ctl_list(struct ctl *ctl, const struct ctl_input *input, const struct ates_service *service,
             const char *name, void *body, const char *nothing)
{
    const struct ates_command *command = ctl_command(service, name);
    uint64_t left;

    int code = ctl_parse_limit(ctl_value(input, "limit"), &left);
    if (code == CTL_OK) {
        code = set_order(ctl, input, command, body);
    }
    if (code != CTL_OK) {
        return code;
    }
    struct ctl_listing *listing = ctl_listing_new(ctl, ctl_item_message(command), NULL);
    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    code = ctl_list_pages(ctl, service, command, body, NULL, listing, &left);
    if (code == CTL_OK) {
        code = ctl_listing_end(listing, nothing);
    }
    ctl_listing_free(&listing);
    return code;
}

void ctl_listing_add_income(struct ctl_listing *self, const struct ates_message *message,
                            const struct ates_list *days, bool whole)
{
    const uint32_t offset = field_of(message, "income_cents")->offset;
    const char *items = days->items;
    size_t i = 0;

    while (!whole && i + 1 < days->count &&
           *(const int64_t *)(items + i * message->size + offset) == 0) {
        i++;
    }
    for (; i < days->count; i++) {
        ctl_listing_add(self, NULL, items + i * message->size);
    }
}
