/* A stream's position as the id of a server-sent event: TAG,auth:12,tasks:345,... - which logs, and
 * up to which event of each. Clients give it back as Last-Event-ID. */
#ifndef WEB_MARK_H
#define WEB_MARK_H

#include <ates/message.h>

#include "web/web_ring.h"

#define WEB_TAG_SIZE 9u /* 8 hex digits and a NUL */
#define WEB_MARK_NAME_MAX 31u
/* Of a written one, with its NUL. */
#define WEB_MARK_SIZE (WEB_TAG_SIZE + WEB_PRODUCERS_MAX * (WEB_MARK_NAME_MAX + 18u))

struct web_mark {
    char tag[WEB_TAG_SIZE];
    size_t count;
    struct {
        char producer[WEB_MARK_NAME_MAX + 1];
        uint64_t seq;
    } items[WEB_PRODUCERS_MAX];
};

/* Reads what a client gave, strictly. Returns 0, or ATES_INVALID_ARGUMENT with mark untouched: it is
 * none that was ever given out. */
int web_mark_parse(struct ates_text text, struct web_mark *mark);

/* Writes it; returns its length. */
size_t web_mark_format(const struct web_mark *mark, char out[WEB_MARK_SIZE]);

#endif
