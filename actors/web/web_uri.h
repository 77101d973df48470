/* A request target, strictly decoded (RFC 3986): a path of segments and the pairs of a query. */
#ifndef WEB_URI_H
#define WEB_URI_H

#include <ates/message.h>

#define WEB_SEGMENTS_MAX 8u
#define WEB_PAIRS_MAX 32u

struct web_pair {
    struct ates_text name;
    struct ates_text value;
};

struct web_uri {
    struct ates_text raw; /* as it came */
    struct ates_text segments[WEB_SEGMENTS_MAX];
    size_t segment_count; /* of /api/v1/tasks: 3; of /: 0 */
    struct web_pair pairs[WEB_PAIRS_MAX];
    size_t pair_count;
};

/* Decodes target into uri, its texts taken from arena. In a query + is a space. Refuses, with what
 * is wrong in refusal (URI_INVALID): a target that does not begin with /, bad percent-encoding, an
 * encoded slash, NUL or control characters, bytes that are no UTF-8, segments that are empty or dot
 * or dot-dot (one slash at the end is let pass), too many segments or pairs, a name given twice. */
int web_uri_parse(struct ates_text target, struct ates_arena *arena, struct web_uri *uri,
                  struct ates_refusal *refusal);

#endif
