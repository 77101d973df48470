/* The types of PROTOCOL.md section 6, each as the rest of a field's initializer after ATES_FIELD or
 * ATES_OPTIONAL. Invariant: a type means the same, with the same limits, in every message. */
#ifndef ATES_FIELDS_H
#define ATES_FIELDS_H

#include <ates/service.h>

#define ATES_LOGIN_MAX 64   /* characters */
#define ATES_EMAIL_MAX 254  /* characters */
#define ATES_QUERY_MAX 200  /* characters */
#define ATES_AFTER_MAX 256  /* characters */
#define ATES_LIMIT_MAX 1000 /* items in a page */
#define ATES_DATE_LENGTH 10 /* YYYY-MM-DD */

#define ATES_IS_ID .type = ATES_UINT, .unit = ATES_UNIT_ID, .min = 1
#define ATES_IS_COUNT .type = ATES_UINT
#define ATES_IS_TIME .type = ATES_INT, .unit = ATES_UNIT_TIME
#define ATES_IS_MILLISECONDS .type = ATES_UINT, .unit = ATES_UNIT_MILLISECONDS
#define ATES_IS_CENTS .type = ATES_INT, .unit = ATES_UNIT_CENTS, .min = -ATES_INTEGER_MAX
#define ATES_IS_DATE                                                                               \
    .type = ATES_TEXT, .rule = ATES_RULE_DATE, .min = ATES_DATE_LENGTH, .max = ATES_DATE_LENGTH
#define ATES_IS_REQUEST_ID .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .min = 1, .max = 64
#define ATES_TRACEPARENT_MAX 256 /* 55 now; versions to come may be longer */
#define ATES_IS_TRACEPARENT                                                                        \
    .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .min = 1, .max = ATES_TRACEPARENT_MAX,             \
    .summary = "W3C Trace Context"
#define ATES_IS_ROLE .type = ATES_ENUM, .names = ates_role_names
#define ATES_IS_LOGIN .type = ATES_TEXT, .rule = ATES_RULE_LOGIN, .min = 1, .max = ATES_LOGIN_MAX
#define ATES_IS_EMAIL .type = ATES_TEXT, .rule = ATES_RULE_EMAIL, .min = 3, .max = ATES_EMAIL_MAX
#define ATES_IS_STRUCT(MESSAGE) .type = ATES_STRUCT, .message = &MESSAGE

/* Lists: what is looked for, the page asked for, and the page given. */
#define ATES_IS_QUERY                                                                              \
    .type = ATES_TEXT, .rule = ATES_RULE_LINE, .min = 1, .max = ATES_QUERY_MAX,                    \
    .summary = "words, each matched as a prefix"
#define ATES_IS_NEWEST_FIRST .type = ATES_BOOL, .summary = "the newest first, not the oldest"
#define ATES_IS_AFTER                                                                              \
    .type = ATES_TEXT, .rule = ATES_RULE_LINE, .min = 1, .max = ATES_AFTER_MAX,                    \
    .summary = "where the page before ended: its next"
#define ATES_IS_LIMIT                                                                              \
    .type = ATES_UINT, .min = 1, .max = ATES_LIMIT_MAX,                                            \
    .summary = "items in the page, 100 unless given"
#define ATES_IS_ITEMS(MESSAGE)                                                                     \
    .type = ATES_LIST, .item = ATES_STRUCT, .message = &MESSAGE, .max = ATES_LIMIT_MAX
#define ATES_IS_NEXT                                                                               \
    .type = ATES_TEXT, .rule = ATES_RULE_LINE, .min = 1, .max = ATES_AFTER_MAX,                    \
    .summary = "where the next page begins; absent at the end"

#endif
