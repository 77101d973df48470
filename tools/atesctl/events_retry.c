/* events retry: dead letters taken up again. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "events.h"
#include "output.h"
#include "refusal.h"
#include "remote.h"

#define PRODUCER_SIZE 65u

/* What came of one event. */
struct row {
    struct ates_text producer;
    uint64_t seq;
    bool is_applied;
    bool has_reason;
    struct ates_text reason;
};
static const struct ates_field row_fields[] = {
    {ATES_FIELD(row, producer), .type = ATES_TEXT},
    {ATES_FIELD(row, seq), .type = ATES_UINT},
    {ATES_FIELD(row, is_applied), .type = ATES_BOOL},
    {ATES_OPTIONAL(row, reason), .type = ATES_TEXT, .summary = "why it was not"},
};
static ATES_MESSAGE(row, "retry");

static int retry(struct ctl *ctl, const struct ates_service *service, struct ates_text producer,
                 uint64_t seq, struct ctl_listing *listing)
{
    const struct ates_retry_event body = {producer, seq};
    const struct ates_command *command = ctl_command(service, "retry_event");
    struct ates_refusal refusal = {.status = ATES_OK};
    struct ates_empty result;
    char request_id[37];

    ates_request_id_new(request_id);
    const int code =
        ctl_try(ctl, service, command, request_id, &body, ctl->arena, &result, &refusal);
    if (code != CTL_OK && refusal.status == ATES_OK) {
        return code;
    }
    const size_t size = sizeof refusal.message + sizeof refusal.reason + 2;
    char *why = ates_arena_alloc(ctl->arena, size);
    snprintf(why, size, "%s: %s", refusal.reason, refusal.message);
    const struct row row = {.producer = producer,
                            .seq = seq,
                            .is_applied = code == CTL_OK,
                            .has_reason = code != CTL_OK,
                            .reason = ates_text_from(why)};
    ctl_listing_add(listing, NULL, &row);
    return code == CTL_OK ? CTL_OK : ctl_refused(service->name, command, &body, &refusal);
}

/* One after the other: those of one producer in their order. Goes on after one that stays. */
static int retry_all(struct ctl *ctl, const struct ates_service *service,
                     struct ctl_listing *listing)
{
    struct ates_show_dead_letters body = {.has_after = false};
    struct ates_show_dead_letters_result page = {.has_next = false};
    int code = CTL_OK, first = CTL_OK;

    do {
        body.has_after = page.has_next;
        body.after = page.next;
        code = ctl_query(ctl, service, "show_dead_letters", &body, &page);
        const struct ates_dead_letter *letters = page.items.items;
        for (size_t i = 0; code == CTL_OK && i < page.items.count; i++) {
            const int r = retry(ctl, service, letters[i].producer, letters[i].seq, listing);

            first = first != CTL_OK ? first : r;
            code = r == CTL_UNREACHABLE ? r : CTL_OK;
        }
    } while (code == CTL_OK && page.has_next);
    return first != CTL_OK ? first : code;
}

static const struct ctl_option options[] = {
    {"all", NULL, "every dead letter of the service"},
    {NULL, NULL, NULL},
};

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    const bool all = ctl_value(input, "all") != NULL;
    const struct ates_service *service;
    uint64_t seq = 0;

    if (input->count != (all ? 1 : 3)) {
        return ctl_fail(CTL_USAGE, "atesctl events dead", "give PRODUCER and SEQ, or --all");
    }
    int code = events_service(input->arguments[0], &service);
    if (code == CTL_OK && !all) {
        code = ctl_parse_number(input->arguments[2], "sequence number", 1, ATES_INTEGER_MAX, &seq);
    }
    struct ctl_listing *listing = code == CTL_OK ? ctl_listing_new(ctl, &row_message, NULL) : NULL;
    if (listing == NULL) {
        return code != CTL_OK ? code : ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    code = all ? retry_all(ctl, service, listing)
               : retry(ctl, service, ates_text_from(input->arguments[1]), seq, listing);
    const int ended = ctl_listing_end(listing, all ? "no dead letters" : NULL);
    ctl_listing_free(&listing);
    return code != CTL_OK ? code : ended;
}

const struct ctl_command events_retry_command = {
    .name = "retry",
    .arguments = "SERVICE [PRODUCER SEQ]",
    .summary = "Have a service apply events that it could not apply",
    .notes = "\nA service that went on without the event applies it now; one whose stream stopped "
             "at it goes\n"
             "on behind it. Look first at why it was not applied, and mend that.\n",
    .examples = "atesctl events dead\n"
                "atesctl events retry analytics accounting 1207\n"
                "atesctl events retry analytics --all",
    .look = "atesctl events dead",
    .options = options,
    .min = 1,
    .max = 3,
    .run = run,
    .words = events_tell_services,
};
