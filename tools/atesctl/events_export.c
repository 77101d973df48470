/* events export: a service's log as lines. Invariant: every line is whole, and the lines are the
 * log's events in order: each is checked to follow on the one before. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "event_lines.h"
#include "events.h"
#include "output.h"
#include "place.h"
#include "progress.h"
#include "remote.h"

#define PAGE 1000u

struct export
{
    struct ctl *ctl;
    const struct ates_service *service;
    uint64_t to; /* UINT64_MAX: to the head, as it was at first */
    struct ates_position place;
    FILE *out;
    const char *file; /* NULL: stdout */
    struct ates_arena *arena;
};

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

/* The next event: of this log, and chained to the one before. */
static int take(struct export *self, const struct ates_bytes *bytes)
{
    struct ates_position *place = &self->place;
    struct ates_envelope envelope;

    if (ates_message_decode(&ates_envelope_message, bytes->data, bytes->size, ATES_UNKNOWN_IGNORED,
                            self->arena, &envelope, NULL) != 0 ||
        envelope.seq != place->seq + 1 || envelope.log_id.size >= sizeof place->log_id ||
        (place->known && !ates_text_equal(envelope.log_id, ates_text_from(place->log_id))) ||
        memcmp(envelope.prev.data, place->hash, ATES_HASH_SIZE) != 0) {
        return ctl_fail(CTL_REFUSED, "sudo atesctl admin check, with the services stopped",
                        "%s sent something that does not follow on its event %" PRIu64,
                        self->service->name, place->seq);
    }
    ctl_event_write(self->ctl, self->out, &envelope);
    place->known = true;
    place->seq = envelope.seq;
    memcpy(place->log_id, envelope.log_id.data, envelope.log_id.size);
    place->log_id[envelope.log_id.size] = '\0';
    ates_envelope_hash(bytes->data, bytes->size, place->hash);
    return CTL_OK;
}

static int take_page(struct export *self, const struct ates_read_events_result *page)
{
    const struct ates_bytes *events = page->events.items;
    int code = CTL_OK;

    for (size_t i = 0; i < page->events.count && self->place.seq < self->to && code == CTL_OK;
         i++) {
        code = take(self, &events[i]);
    }
    if (fflush(self->out) != 0 && code == CTL_OK) {
        code = errno == EPIPE
                   ? CTL_INTERRUPTED
                   : ctl_fail(CTL_REFUSED, NULL, "%s: %s",
                              self->file != NULL ? self->file : "cannot write", strerror(errno));
    }
    return code;
}

static int export_pages(struct export *self)
{
    struct ates_read_events_result page;
    struct ctl_progress progress;
    const uint64_t begun = self->place.seq;
    bool is_begun = false;
    int code = CTL_OK;

    while (code == CTL_OK && self->place.seq < self->to) {
        ates_arena_reset(self->arena);
        ctl_renew(self->ctl);
        code = is_interrupted ? CTL_INTERRUPTED
                              : ctl_read_events(self->ctl, self->service, self->place.seq, PAGE,
                                                self->arena, &page);
        if (code != CTL_OK) {
            break;
        }
        self->to = page.head_seq < self->to && !is_begun ? page.head_seq : self->to;
        if (!is_begun) {
            ctl_progress_begin(&progress, "events", self->to > begun ? self->to - begun : 0, 0);
            is_begun = true;
        }
        code = take_page(self, &page);
        if (code == CTL_OK && page.events.count == 0 && self->place.seq < self->to) {
            code = ctl_fail(CTL_REFUSED, NULL, "%s sent no event after %" PRIu64,
                            self->service->name, self->place.seq);
        }
        ctl_progress_show(&progress, self->place.seq - begun);
    }
    if (is_begun) {
        ctl_progress_end(&progress, self->place.seq - begun);
    }
    return code;
}

static int open_file(struct export *self, bool append)
{
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_EXCL);
    const int file = open(self->file, flags, 0600);

    self->out = file >= 0 ? fdopen(file, append ? "a" : "w") : NULL;
    if (self->out != NULL) {
        return CTL_OK;
    }
    const int fault = errno;
    if (file >= 0) {
        close(file);
    }
    return ctl_fail(fault == EEXIST ? CTL_CONFLICT : CTL_REFUSED,
                    fault == EEXIST ? "another file, or --append" : NULL, "%s: %s", self->file,
                    strerror(fault));
}

static int close_file(struct export *self, int code)
{
    int r = fflush(self->out) == 0 && fsync(fileno(self->out)) == 0 ? 0 : -errno;

    if (fclose(self->out) != 0 && r == 0) {
        r = -errno;
    }
    return r == 0 || code != CTL_OK
               ? code
               : ctl_fail(CTL_REFUSED, NULL, "%s: %s", self->file, strerror(-r));
}

static int export_to(struct export *self, uint64_t from, bool append)
{
    const struct sigaction ending = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    struct sigaction before;

    int code = ctl_place_before(self->ctl, self->service, from, &self->place);
    if (code == CTL_OK && self->file != NULL) {
        code = open_file(self, append);
    }
    if (code != CTL_OK) {
        return code;
    }
    /* The second time it ends atesctl at once. */
    sigaction(SIGINT, &ending, &before);
    if (!append) {
        ctl_event_begin(self->ctl, self->out);
    }
    code = export_pages(self);
    sigaction(SIGINT, &before, NULL);
    if (self->file != NULL) {
        code = close_file(self, code);
    }
    if (code == CTL_OK) {
        ctl_say("%s: %" PRIu64 " events, up to %" PRIu64, self->service->name,
                self->place.seq + 1 - from, self->place.seq);
    } else if (self->file != NULL) {
        ctl_say("%s holds the events up to %" PRIu64
                "; to go on: atesctl events export %s --from %" PRIu64 " --file %s --append",
                self->file, self->place.seq, self->service->name, self->place.seq + 1, self->file);
    }
    return code;
}

static const struct ctl_option options[] = {
    {"from", "SEQ", "begin with this event (default: 1)"},
    {"to", "SEQ", "end with this one (default: the last one there is)"},
    {"file", "FILE", "write there, not to stdout; it must not be there yet"},
    {"append", NULL, "add to the file"},
    {NULL, NULL, NULL},
};

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    const char *from = ctl_value(input, "from"), *to = ctl_value(input, "to");
    struct export self = {
        .ctl = ctl, .to = UINT64_MAX, .out = stdout, .file = ctl_value(input, "file")};
    uint64_t first = 1;

    int code = events_service(input->arguments[0], &self.service);
    if (code == CTL_OK && from != NULL) {
        code = ctl_parse_number(from, "--from", 1, ATES_INTEGER_MAX, &first);
    }
    if (code == CTL_OK && to != NULL) {
        code = ctl_parse_number(to, "--to", first, ATES_INTEGER_MAX, &self.to);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (ctl->format == CTL_TABLE) {
        ctl->format = CTL_NDJSON; /* there is no form of it for people */
    }
    self.arena = ates_arena_new();
    code = export_to(&self, first, ctl_value(input, "append") != NULL);
    ates_arena_free(&self.arena);
    return code;
}

const struct ctl_command events_export_command = {
    .name = "export",
    .arguments = "SERVICE",
    .summary = "Write a service's published events as lines of JSON, as an administrator",
    .notes = "\nThe events are those that services publish: no secret is among them. Each is "
             "checked to\n"
             "follow on the one before by its hash. -o cloudevents and -o csv are other forms.\n",
    .examples = "atesctl events export tasks > tasks.ndjson\n"
                "atesctl events export accounting --from 1 --to 5000 --file part1.ndjson\n"
                "atesctl events export auth -o cloudevents --file auth.json",
    .options = options,
    .min = 1,
    .max = 1,
    .tells_events = true,
    .run = run,
    .words = events_tell_services,
};
