/* Work beside the loop, as the engine sees it: begun within a batch, run elsewhere once the batch is
 * committed, told to the domain within a later batch. Invariant: nothing is run for a batch that was
 * undone, and what has ended is told until a batch that holds it is committed. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine_private.h"

static void release(struct ates_begun *begun)
{
    if (begun->input != NULL) {
        explicit_bzero(begun->input, begun->input_size);
    }
    if (begun->output != NULL) {
        explicit_bzero(begun->output, begun->work->output_size);
    }
    free(begun->input);
    free(begun->output);
    *begun = (struct ates_begun){.state = ATES_BEGUN_FREE};
}

static struct ates_begun *find(struct ates_engine *self, enum ates_begun_state state)
{
    for (size_t i = 0; i < ATES_BEGUN_MAX; i++) {
        if (self->begun[i].state == state) {
            return &self->begun[i];
        }
    }
    return NULL;
}

void ates_begin(struct ates_call *call, const struct ates_work *work, uint64_t id,
                const void *input, size_t input_size)
{
    struct ates_begun *begun = find(call->engine, ATES_BEGUN_FREE);

    assert(begun != NULL && !ates_is_under_way(call, work, id) && input_size > 0);
    *begun = (struct ates_begun){.state = ATES_BEGUN_FRESH,
                                 .work = work,
                                 .id = id,
                                 .input = malloc(input_size),
                                 .input_size = input_size};
    if (begun->input == NULL) {
        abort();
    }
    memcpy(begun->input, input, input_size);
}

/* What was told needs only the commit: to the domain it is over. */
static bool is_under_way(const struct ates_begun *begun, const struct ates_work *work)
{
    return begun->state != ATES_BEGUN_FREE && begun->state != ATES_BEGUN_TOLD &&
           begun->work == work;
}

bool ates_is_under_way(const struct ates_call *call, const struct ates_work *work, uint64_t id)
{
    for (size_t i = 0; i < ATES_BEGUN_MAX; i++) {
        const struct ates_begun *begun = &call->engine->begun[i];

        if (is_under_way(begun, work) && begun->id == id) {
            return true;
        }
    }
    return false;
}

size_t ates_under_way(const struct ates_call *call, const struct ates_work *work)
{
    size_t count = 0;

    for (size_t i = 0; i < ATES_BEGUN_MAX; i++) {
        count += is_under_way(&call->engine->begun[i], work);
    }
    return count;
}

struct ates_begun *ates_engine_take_begun(struct ates_engine *self)
{
    struct ates_begun *begun = find(self, ATES_BEGUN_WAITING);

    if (begun != NULL) {
        begun->state = ATES_BEGUN_RUNNING;
    }
    return begun;
}

bool ates_engine_is_begun(const struct ates_engine *self, const void *owner)
{
    for (size_t i = 0; i < ATES_BEGUN_MAX; i++) {
        if (owner == &self->begun[i]) {
            return true;
        }
    }
    return false;
}

void ates_engine_end_begun(struct ates_engine *self, struct ates_begun *begun, const void *output)
{
    assert(ates_engine_is_begun(self, begun) && begun->state == ATES_BEGUN_RUNNING);
    begun->state = ATES_BEGUN_ENDED;
    if (output != NULL) {
        begun->output = malloc(begun->work->output_size);
        if (begun->output == NULL) {
            abort();
        }
        memcpy(begun->output, output, begun->work->output_size);
    }
}

bool ates_engine_has_ended(const struct ates_engine *self)
{
    for (size_t i = 0; i < ATES_BEGUN_MAX; i++) {
        if (self->begun[i].state == ATES_BEGUN_ENDED) {
            return true;
        }
    }
    return false;
}

struct ates_begun *engine_next_ended(struct ates_engine *self)
{
    return find(self, ATES_BEGUN_ENDED);
}

void engine_settle_call(struct ates_engine *self, bool done)
{
    for (size_t i = 0; i < ATES_BEGUN_MAX; i++) {
        struct ates_begun *begun = &self->begun[i];

        if (begun->state == ATES_BEGUN_FRESH && done) {
            begun->state = ATES_BEGUN_STAGED;
        } else if (begun->state == ATES_BEGUN_FRESH) {
            release(begun);
        }
    }
}

void engine_settle_batch(struct ates_engine *self, bool done)
{
    for (size_t i = 0; i < ATES_BEGUN_MAX; i++) {
        struct ates_begun *begun = &self->begun[i];

        if (begun->state == ATES_BEGUN_STAGED && done) {
            begun->state = ATES_BEGUN_WAITING;
        } else if (begun->state == ATES_BEGUN_TOLD && !done) {
            begun->state = ATES_BEGUN_ENDED;
        } else if (begun->state == ATES_BEGUN_STAGED || begun->state == ATES_BEGUN_TOLD) {
            release(begun);
        }
    }
}

void engine_release_begun(struct ates_engine *self)
{
    for (size_t i = 0; i < ATES_BEGUN_MAX; i++) {
        release(&self->begun[i]);
    }
}
