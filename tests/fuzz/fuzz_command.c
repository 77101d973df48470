/* Commands: the frames of requests, one after the other, to a real service. The first byte of an input chooses
 * the service; each request then says who sends it and which command, with its body as it is, or brings all its
 * frames. What replies must be like, and that refusals leave nothing, is seen to by service.c. */
#include "fuzz.h"

#include "service.h"
#include "support/sample.h"
#include "tables.h"

#define REQUESTS_MAX 6u
#define RAW 0x80u  /* of a request's first byte: all frames follow */
#define WITH_ID 8u /* of its second byte: a request id */
#define NAME_SIZE 128u

static void take_raw(struct fuzz_service *service, struct fuzz_input *input, size_t count)
{
    struct ates_bytes frames[ATES_REQUEST_FRAMES_MAX];

    for (size_t i = 0; i < count; i++) {
        frames[i] = fuzz_part(input);
    }
    fuzz_service_take(service, frames, count);
}

static void take_request(struct fuzz_service *service, struct fuzz_input *input)
{
    const unsigned choice = fuzz_byte(input);
    const unsigned caller = fuzz_byte(input);
    char name[NAME_SIZE];

    if ((choice & RAW) != 0) {
        take_raw(service, input, choice % ATES_REQUEST_FRAMES_MAX);
        return;
    }
    const struct actor_route *route = &service->actor.routes[choice % service->actor.route_count];
    const int size =
        snprintf(name, sizeof name, "%s.%s", service->actor.name, route->command->name);
    const struct ates_text id = {(caller & WITH_ID) != 0 ? "request-1" : "",
                                 (caller & WITH_ID) != 0 ? 9 : 0};
    service->passwords_match = (caller & 0x10) != 0;
    fuzz_service_call(service, (enum fuzz_user)(caller % FUZZ_CALLER_COUNT),
                      (struct ates_text){name, (size_t)size}, id, fuzz_part(input));
}

/* One more request behind what there is, whole as a client would send it. */
static size_t add_request(uint64_t *state, uint8_t *data, size_t size, size_t max_size)
{
    const struct fuzz_service *service = fuzz_service(data[0]);
    const uint8_t choice = (uint8_t)sample_below(state, service->actor.route_count);
    struct ates_buffer body = {0};

    fuzz_put_value(service->actor.routes[choice].command->body, sample_coin(state), &body);
    if (size + 4 + body.size <= max_size && body.size <= UINT16_MAX) {
        data[size++] = choice;
        data[size++] = (uint8_t)seed_next(state);
        size = fuzz_put_part(data, size, (struct ates_bytes){body.data, body.size});
    }
    ates_buffer_release(&body);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint64_t state = seed;

    return size > 0 && sample_below(&state, 16) == 0 ? add_request(&state, data, size, max_size)
                                                     : LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};

    if (size == 0) {
        return 0;
    }
    struct fuzz_service *service = fuzz_service(fuzz_byte(&input));
    for (unsigned i = 0; i < REQUESTS_MAX && input.left > 0; i++) {
        take_request(service, &input);
    }
    fuzz_service_end(service);
    return 0;
}
