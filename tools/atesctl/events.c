/* What the services publish, and what they could not apply. */
#include "events.h"

#include <string.h>

#include "output.h"
#include "remote.h"
#include "suggest.h"

int events_service(const char *name, const struct ates_service **out)
{
    *out = ctl_service(name, strlen(name));
    struct ctl_nearest nearest = ctl_nearest_to(name);
    if (*out != NULL) {
        return CTL_OK;
    }
    ctl_tell_services(ctl_nearest_hear, &nearest);
    return ctl_fail(CTL_USAGE, nearest.candidate, "there is no service '%.40s'%s%s%s", name,
                    nearest.candidate != NULL ? ": did you mean '" : "",
                    nearest.candidate != NULL ? nearest.candidate : "",
                    nearest.candidate != NULL ? "'?" : "");
}

void events_tell_services(const struct ctl_input *input, ctl_word_fn *tell, void *context)
{
    (void)input;
    ctl_tell_services(tell, context);
}

/* A dead letter as show_dead_letters gives it, but that the event, which is a map of its own, is shown
 * as what it says. */
static const struct ates_field dead_fields[] = {
    {ATES_FIELD(ates_dead_letter, id), .type = ATES_UINT},
    {ATES_FIELD(ates_dead_letter, dead_at), .type = ATES_INT},
    {ATES_FIELD(ates_dead_letter, producer), .type = ATES_TEXT},
    {ATES_FIELD(ates_dead_letter, seq), .type = ATES_UINT},
    {ATES_FIELD(ates_dead_letter, event_name), .type = ATES_TEXT},
    {ATES_FIELD(ates_dead_letter, reason), .type = ATES_TEXT},
    {ATES_FIELD(ates_dead_letter, message), .type = ATES_TEXT},
    {.name = "event", .offset = offsetof(struct ates_dead_letter, envelope), .type = ATES_RAW},
};
static const struct ates_message dead_message = {
    .name = "dead_letter",
    .fields = dead_fields,
    .count = sizeof dead_fields / sizeof dead_fields[0],
    .size = sizeof(struct ates_dead_letter),
};

static int run_dead(struct ctl *ctl, const struct ctl_input *input)
{
    const char *only = input->count > 0 ? input->arguments[0] : NULL;
    const struct ates_command *command = ctl_command(&ates_common_service, "show_dead_letters");
    const struct ates_service *service;
    int code = only != NULL ? events_service(only, &service) : CTL_OK;

    if (code != CTL_OK) {
        return code;
    }
    struct ctl_listing *listing = ctl_listing_new(ctl, &dead_message, "service");
    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    for (size_t i = 0;
         (code == CTL_OK || code == CTL_UNREACHABLE) && (service = ctl_service_at(i)) != NULL;
         i++) {
        struct ates_show_dead_letters body = {.has_after = false};
        uint64_t left = UINT64_MAX;

        if (only == NULL || strcmp(only, service->name) == 0) {
            /* The others are shown also where one is not there. */
            const int r =
                ctl_list_pages(ctl, service, command, &body, service->name, listing, &left);
            code = code != CTL_OK ? code : r;
        }
    }
    const int ended = code == CTL_OK || code == CTL_UNREACHABLE
                          ? ctl_listing_end(listing, "no dead letters")
                          : CTL_OK;
    ctl_listing_free(&listing);
    return code != CTL_OK ? code : ended;
}

static const struct ctl_command dead_command = {
    .name = "dead",
    .arguments = "[SERVICE]",
    .summary = "List the events that services could not apply",
    .notes = "\nThe events themselves are shown in -o json, ndjson and csv.\n",
    .examples = "atesctl events dead\n"
                "atesctl events dead accounting -o json",
    .max = 1,
    .run = run_dead,
    .words = events_tell_services,
};

static const struct ctl_command *const commands[] = {&events_tail_command,   &events_wait_command,
                                                     &events_export_command, &dead_command,
                                                     &events_retry_command,  NULL};
const struct ctl_group events_group = {.name = "events", .summary = "Events", .commands = commands};
