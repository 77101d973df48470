/* Status names and refusals. Invariant: a refusal's strings always end with a NUL and, where they
 * had to be cut, are cut between characters, so that they stay valid UTF-8 on the wire. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <ates/status.h>

static const char *const names[ATES_STATUS_COUNT] = {
    [ATES_OK] = "OK",
    [ATES_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
    [ATES_UNAUTHENTICATED] = "UNAUTHENTICATED",
    [ATES_PERMISSION_DENIED] = "PERMISSION_DENIED",
    [ATES_NOT_FOUND] = "NOT_FOUND",
    [ATES_ALREADY_EXISTS] = "ALREADY_EXISTS",
    [ATES_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
    [ATES_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
    [ATES_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
    [ATES_UNAVAILABLE] = "UNAVAILABLE",
    [ATES_UNIMPLEMENTED] = "UNIMPLEMENTED",
    [ATES_INTERNAL] = "INTERNAL",
    [ATES_DATA_LOSS] = "DATA_LOSS",
};

const char *ates_status_name(enum ates_status status)
{
    return (unsigned)status < ATES_STATUS_COUNT ? names[status] : "INTERNAL";
}

int ates_status_parse(const char *name, size_t size)
{
    for (int i = 0; i < ATES_STATUS_COUNT; i++) {
        if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0) {
            return i;
        }
    }
    return -EINVAL;
}

/* Drops a last character of which only a part is left. */
static void trim(char *text)
{
    const size_t size = strlen(text);
    size_t start = size;

    while (start > 0 && size - start < 3 && ((uint8_t)text[start - 1] & 0xc0u) == 0x80u) {
        start--;
    }
    if (start == 0) {
        return;
    }
    const uint8_t lead = (uint8_t)text[start - 1];
    const size_t length = lead >= 0xf0u ? 4 : lead >= 0xe0u ? 3 : lead >= 0xc0u ? 2 : 1;
    if (length > size - start + 1) {
        text[start - 1] = '\0';
    }
}

int ates_refusal_set(struct ates_refusal *refusal, enum ates_status status, const char *reason,
                     const char *field, const char *format, ...)
{
    if (refusal == NULL) {
        return (int)status;
    }
    /* Made aside, as the arguments may be the refusal's own earlier strings. */
    struct ates_refusal made = {.status = status};
    va_list arguments;

    (void)snprintf(made.reason, sizeof made.reason, "%s", reason);
    (void)snprintf(made.field, sizeof made.field, "%s", field != NULL ? field : "");
    va_start(arguments, format);
    (void)vsnprintf(made.message, sizeof made.message, format, arguments);
    va_end(arguments);
    trim(made.reason);
    trim(made.field);
    trim(made.message);
    *refusal = made;
    return (int)status;
}
