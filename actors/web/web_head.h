/* The head of a request, looked at before anything of it is believed: what makes it unclear where a
 * request ends, or what it says, is refused rather than interpreted (RFC 9112, sections 5 and 6). */
#ifndef WEB_HEAD_H
#define WEB_HEAD_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include <ates/status.h>

struct web_head {
    uint64_t length; /* Content-Length; 0 where it is not given */
    bool is_chunked;
    bool expects_continue;     /* holds its body back until it is asked for it */
    const char *forwarded_for; /* X-Forwarded-For, the last one of several, or NULL; mhd's */
};

/* Reads the headers of mhd's request. Returns 0, or the HTTP status of a request that must not be
 * followed by another on its connection, with refusal filled. */
unsigned web_head_read(struct MHD_Connection *mhd, const char *version, struct web_head *head,
                       struct ates_refusal *refusal);

#endif
