/* The head of a request. Invariant: what passes has one length, one host and one of everything that
 * says who asks, whoever reads it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web/web_head.h"

/* Headers that may stand once: a proxy in front might believe another one of two than we do. */
enum {
    AUTHORIZATION,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    COOKIE,
    EXPECT,
    HOST,
    IDEMPOTENCY_KEY,
    ORIGIN,
    SEC_FETCH_SITE,
    TRANSFER_ENCODING,
    SINGLE_COUNT
};
static const char *const singles[SINGLE_COUNT] = {
    "Authorization", "Content-Length",  "Content-Type", "Cookie",         "Expect",
    "Host",          "Idempotency-Key", "Origin",       "Sec-Fetch-Site", "Transfer-Encoding",
};

static const char forwarded_for[] = "X-Forwarded-For";

struct reading {
    const char *value[SINGLE_COUNT]; /* NULL: not seen */
    const char *forwarded_for;       /* the last one: some proxies add a line of their own */
    const char *wrong;               /* what is, or NULL */
};

/* RFC 9110, section 5.6.2. A name with a space before its colon is none: other servers may take it
 * for the header that we would not see. */
static bool is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && c != '-' && (c < '0' || c > '9') &&
            (c == '\0' || strchr("!#$%&'*+.^_`|~", c) == NULL)) {
            return false;
        }
    }
    return size > 0;
}

static bool is_value(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static enum MHD_Result read_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_size, const char *value, size_t value_size)
{
    struct reading *reading = context;

    (void)kind;
    if (!is_token(name, name_size)) {
        reading->wrong = "a header's name is none";
        return MHD_NO;
    }
    if (!is_value(value, value_size)) {
        reading->wrong = "a header's value holds a control character";
        return MHD_NO;
    }
    if (name_size == strlen(forwarded_for) && strncasecmp(name, forwarded_for, name_size) == 0) {
        reading->forwarded_for = value;
    }
    for (size_t i = 0; i < SINGLE_COUNT; i++) {
        const size_t size = strlen(singles[i]);
        if (strncasecmp(name, singles[i], size) != 0) {
            continue;
        }
        if (name_size != size) {
            /* A folded line, which HTTP has given up, the library puts behind the header's name (as
             * of 0.9.75): another reader would see a length where we see none. */
            if (i == CONTENT_LENGTH || i == TRANSFER_ENCODING) {
                reading->wrong = "a header that says how long a request is goes over two lines";
                return MHD_NO;
            }
            continue;
        }
        if (reading->value[i] != NULL) {
            reading->wrong = "a header that may stand once is there twice";
            return MHD_NO;
        }
        reading->value[i] = value;
        break;
    }
    return MHD_YES;
}

static unsigned refuse(struct ates_refusal *refusal, unsigned http_status, const char *why)
{
    ates_refusal_set(refusal, http_status == 501 ? ATES_UNIMPLEMENTED : ATES_INVALID_ARGUMENT,
                     "HEAD_INVALID", NULL, "the request's head: %s", why);
    return http_status;
}

unsigned web_head_read(struct MHD_Connection *mhd, const char *version, struct web_head *head,
                       struct ates_refusal *refusal)
{
    struct reading reading = {0};

    MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, read_header, &reading);
    if (reading.wrong != NULL) {
        return refuse(refusal, 400, reading.wrong);
    }
    const char *length = reading.value[CONTENT_LENGTH];
    const char *encoding = reading.value[TRANSFER_ENCODING];
    const char *expected = reading.value[EXPECT];
    if (length != NULL && encoding != NULL) {
        return refuse(refusal, 400, "both Content-Length and Transfer-Encoding are given");
    }
    if (encoding != NULL && strcmp(version, MHD_HTTP_VERSION_1_1) != 0) {
        return refuse(refusal, 400, "Transfer-Encoding is none of this version of HTTP");
    }
    if (encoding != NULL && strcasecmp(encoding, "chunked") != 0) {
        return refuse(refusal, 501, "the only Transfer-Encoding known here is chunked");
    }
    /* The library has refused what is not all digits. */
    *head = (struct web_head){
        .length = length != NULL ? strtoull(length, NULL, 10) : 0,
        .is_chunked = encoding != NULL,
        .expects_continue = expected != NULL && strcasecmp(expected, "100-continue") == 0,
        .forwarded_for = reading.forwarded_for,
    };
    return 0;
}
