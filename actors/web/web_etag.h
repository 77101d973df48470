/* Entity tags (RFC 9110, section 8.8.3) of bytes. */
#ifndef WEB_ETAG_H
#define WEB_ETAG_H

#include <stdbool.h>

#include <ates/message.h>

#define WEB_ETAG_SIZE 35u /* two quotes, 32 hex digits, a NUL */

/* A tag that changes with the bytes. */
void web_etag_of(struct ates_bytes bytes, char out[WEB_ETAG_SIZE]);

/* Whether an If-None-Match (NULL: none) names the tag, by the weak comparison, or is "*". */
bool web_etag_matches(const char *if_none_match, const char *etag);

#endif
