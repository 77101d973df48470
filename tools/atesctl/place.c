/* Places in a log; see place.h. */
#include "place.h"

#include <inttypes.h>
#include <string.h>

#include "refusal.h"
#include "remote.h"
#include "session_store.h"

static int try_read(struct ctl *ctl, const struct ates_service *service, uint64_t after_seq,
                    uint64_t limit, struct ates_arena *arena,
                    struct ates_read_events_result *result, struct ates_refusal *refusal)
{
    const struct ates_read_events body = {
        .after_seq = after_seq, .has_limit = true, .limit = limit};

    return ctl_try(ctl, service, ctl_command(service, "read_events"), NULL, &body, arena, result,
                   refusal);
}

static int said(const struct ates_service *service, const struct ates_refusal *refusal, int code)
{
    const struct ates_read_events body = {.after_seq = 0};

    return refusal->status == ATES_OK
               ? code
               : ctl_refused(service->name, ctl_command(service, "read_events"), &body, refusal);
}

int ctl_read_events(struct ctl *ctl, const struct ates_service *service, uint64_t after_seq,
                    uint64_t limit, struct ates_arena *arena,
                    struct ates_read_events_result *result)
{
    struct ates_refusal refusal = {.status = ATES_OK};
    const int code = try_read(ctl, service, after_seq, limit, arena, result, &refusal);

    return said(service, &refusal, code);
}

static void set_log(struct ates_position *place, struct ates_text log_id)
{
    const size_t size = log_id.size < sizeof place->log_id ? log_id.size : sizeof place->log_id - 1;

    place->known = true;
    memcpy(place->log_id, log_id.data, size);
    place->log_id[size] = '\0';
}

/* What was compacted away ends in a place that the snapshot tells. */
static int place_of_base(struct ctl *ctl, const struct ates_service *service, uint64_t seq,
                         struct ates_position *place)
{
    const struct ates_read_snapshot body = {.has_limit = true, .limit = 1};
    struct ates_read_snapshot_result page;

    const int code = ctl_query(ctl, service, "read_snapshot", &body, &page);
    if (code != CTL_OK) {
        return code;
    }
    if (page.seq + 1 != seq) {
        return ctl_fail(CTL_CONFLICT, NULL,
                        "%s has no events before %" PRIu64 ": they were compacted away",
                        service->name, page.seq + 1);
    }
    place->seq = page.seq;
    set_log(place, page.log_id);
    memcpy(place->hash, page.hash.data, sizeof place->hash);
    return CTL_OK;
}

int ctl_place_before(struct ctl *ctl, const struct ates_service *service, uint64_t seq,
                     struct ates_position *place)
{
    const uint64_t after_seq = seq > 1 ? seq - 2 : 0;
    struct ates_refusal refusal = {.status = ATES_OK};
    struct ates_read_events_result result;

    *place = (struct ates_position){.known = false};
    const int code = try_read(ctl, service, after_seq, 1, ctl->arena, &result, &refusal);
    if (strcmp(refusal.reason, "EVENTS_COMPACTED") == 0 && refusal.status != ATES_OK) {
        return place_of_base(ctl, service, seq, place);
    }
    if (code != CTL_OK || seq <= 1) {
        return said(service, &refusal, code);
    }
    if (result.events.count == 0) {
        return ctl_fail(CTL_NOT_FOUND, NULL, "%s has %" PRIu64 " events so far, not %" PRIu64,
                        service->name, result.head_seq, seq);
    }
    const struct ates_bytes *event = result.events.items;
    place->seq = seq - 1;
    set_log(place, result.log_id);
    ates_envelope_hash(event->data, event->size, place->hash);
    return CTL_OK;
}

bool ctl_may_read_logs(struct ctl *ctl)
{
    const struct ates_service *service;
    struct ates_read_events_result result;
    struct ates_refusal refusal;

    if (ctl_connect(ctl) != CTL_OK || ctl->session->token[0] == '\0') {
        return false;
    }
    for (size_t i = 0; (service = ctl_service_at(i)) != NULL; i++) {
        if (ctl_is_served(ctl, service->name)) {
            return try_read(ctl, service, ATES_INTEGER_MAX, 1, ctl->arena, &result, &refusal) ==
                   CTL_OK;
        }
    }
    return false;
}
