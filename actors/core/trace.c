/* W3C Trace Context: version "-" trace-id "-" parent-id "-" trace-flags, in lower-case hex. */
#include <string.h>

#include "core/trace.h"

#define VERSION_SIZE 2u
#define TRACE_AT 3u
#define PARENT_AT 36u
#define FLAGS_AT 53u
#define VERSION_0_SIZE 55u
#define SAMPLED 1u

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether these are hex digits, and, where they may not be, not all of them 0. */
static bool is_hex(const char *text, size_t size, bool may_be_zero)
{
    bool is_zero = true;

    for (size_t i = 0; i < size; i++) {
        const int value = digit(text[i]);

        if (value < 0) {
            return false;
        }
        is_zero &= value == 0;
    }
    return may_be_zero || !is_zero;
}

/* A later version may go on behind another dash (section 3.2.4); "ff" is no version. */
static bool is_known_form(struct ates_text text)
{
    if (memcmp(text.data, "00", VERSION_SIZE) == 0) {
        return text.size == VERSION_0_SIZE;
    }
    return is_hex(text.data, VERSION_SIZE, true) && memcmp(text.data, "ff", VERSION_SIZE) != 0 &&
           (text.size == VERSION_0_SIZE || text.data[VERSION_0_SIZE] == '-');
}

bool ates_trace_is_valid(struct ates_text text)
{
    return text.size >= VERSION_0_SIZE && is_known_form(text) && text.data[TRACE_AT - 1] == '-' &&
           text.data[PARENT_AT - 1] == '-' && text.data[FLAGS_AT - 1] == '-' &&
           is_hex(text.data + TRACE_AT, PARENT_AT - TRACE_AT - 1, false) &&
           is_hex(text.data + PARENT_AT, FLAGS_AT - PARENT_AT - 1, false) &&
           is_hex(text.data + FLAGS_AT, VERSION_0_SIZE - FLAGS_AT, true);
}

bool ates_trace_id(struct ates_text traceparent, char out[ATES_TRACE_ID_SIZE])
{
    const bool is_valid = ates_trace_is_valid(traceparent);

    out[0] = '\0';
    if (is_valid) {
        memcpy(out, traceparent.data + TRACE_AT, ATES_TRACE_ID_SIZE - 1);
        out[ATES_TRACE_ID_SIZE - 1] = '\0';
    }
    return is_valid;
}

bool ates_trace_is_sampled(struct ates_text traceparent)
{
    return ates_trace_is_valid(traceparent) &&
           ((unsigned)digit(traceparent.data[VERSION_0_SIZE - 1]) & SAMPLED) != 0;
}
