/* Statuses of PROTOCOL.md section 4, and the refusal that carries one to a client. */
#ifndef ATES_STATUS_H
#define ATES_STATUS_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default)

/* gRPC's canonical names. Functions that may refuse return one of these; see "Errors by sign" in
 * CONTRIBUTING.md: 0 done, > 0 a refusal from this enum, < 0 a fault (-errno). */
enum ates_status {
    ATES_OK,
    ATES_INVALID_ARGUMENT,
    ATES_UNAUTHENTICATED,
    ATES_PERMISSION_DENIED,
    ATES_NOT_FOUND,
    ATES_ALREADY_EXISTS,
    ATES_FAILED_PRECONDITION,
    ATES_RESOURCE_EXHAUSTED,
    ATES_DEADLINE_EXCEEDED,
    ATES_UNAVAILABLE,
    ATES_UNIMPLEMENTED,
    ATES_INTERNAL,
    ATES_DATA_LOSS,
    ATES_STATUS_COUNT
};

/* Why a command was refused. Strings are NUL-terminated and cut, never overrun; an empty field
 * means that no single field is at fault; retry_after_ms 0 means that no time is advised. */
struct ates_refusal {
    enum ates_status status;
    char reason[48];
    char message[256];
    char field[96];
    uint32_t retry_after_ms;
};

/* The status's name on the wire, for example "NOT_FOUND". Never NULL. */
const char *ates_status_name(enum ates_status status);

/* The status with this wire name (not NUL-terminated); -EINVAL where there is none. */
int ates_status_parse(const char *name, size_t size);

/* Fills refusal (if not NULL) with printf-formatted message; field may be NULL. Returns
 * (int)status. */
__attribute__((format(printf, 5, 6))) int ates_refusal_set(struct ates_refusal *refusal,
                                                           enum ates_status status,
                                                           const char *reason, const char *field,
                                                           const char *format, ...);

#pragma GCC visibility pop

#endif
