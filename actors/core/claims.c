/* Claims and JSON; see claims.h.
 *
 * Invariant: what encode writes, decode reads back as the same struct. */
#include "core/claims.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ISSUER "ates"
#define AUDIENCE "ates"

#define TIME_SIZE 25u                              /* "2026-11-22T13:53:00.123Z" and a NUL */
#define TIME_MAX_MS (INT64_C(253402300800000) - 1) /* the last moment of the year 9999 */

static int format_time(int64_t time_ms, char out[TIME_SIZE])
{
    struct tm utc;

    if (time_ms < 0 || time_ms > TIME_MAX_MS) {
        return -EINVAL;
    }
    const time_t seconds = (time_t)(time_ms / 1000);
    gmtime_r(&seconds, &utc);
    size_t size = strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + size, TIME_SIZE - size, ".%03uZ", (unsigned)(time_ms % 1000));
    return 0;
}

/* Exactly count digits, then the character after them unless that is NUL. */
static bool take_number(const char **at, int count, char after, int *number)
{
    int value = 0;

    for (; count > 0; count--, (*at)++) {
        if (**at < '0' || **at > '9') {
            return false;
        }
        value = value * 10 + (**at - '0');
    }
    if (after != '\0' && *(*at)++ != after) {
        return false;
    }
    *number = value;
    return true;
}

static bool take_offset(const char **at, int *minutes)
{
    int hour, minute;
    const char sign = *(*at)++;

    if (sign == 'Z' || sign == 'z') {
        *minutes = 0;
        return true;
    }
    if ((sign != '+' && sign != '-') || !take_number(at, 2, ':', &hour) ||
        !take_number(at, 2, '\0', &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *minutes = (sign == '-' ? -1 : 1) * (hour * 60 + minute);
    return true;
}

/* RFC 3339, section 5.6. Digits finer than a millisecond are cut off; a leap second is the moment
 * after it. */
static int parse_time(const char *text, int64_t *time_ms)
{
    struct tm utc = {0};
    int offset, milliseconds = 0;

    if (!take_number(&text, 4, '-', &utc.tm_year) || !take_number(&text, 2, '-', &utc.tm_mon) ||
        !take_number(&text, 2, '\0', &utc.tm_mday) || (*text != 'T' && *text != 't')) {
        return -EINVAL;
    }
    text++;
    if (!take_number(&text, 2, ':', &utc.tm_hour) || !take_number(&text, 2, ':', &utc.tm_min) ||
        !take_number(&text, 2, '\0', &utc.tm_sec)) {
        return -EINVAL;
    }
    if (*text == '.') {
        text++;
        const size_t digits = strspn(text, "0123456789");
        for (size_t i = 0; i < 3; i++) {
            milliseconds = milliseconds * 10 + (i < digits ? text[i] - '0' : 0);
        }
        if (digits == 0) {
            return -EINVAL;
        }
        text += digits;
    }
    if (!take_offset(&text, &offset) || *text != '\0' || utc.tm_hour > 23 || utc.tm_min > 59 ||
        utc.tm_sec > 60) {
        return -EINVAL;
    }
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    struct tm day = {.tm_year = utc.tm_year, .tm_mon = utc.tm_mon, .tm_mday = utc.tm_mday};
    timegm(&day); /* moves a day that does not exist to one that does */
    if (day.tm_mon != utc.tm_mon || day.tm_mday != utc.tm_mday) {
        return -EINVAL;
    }
    *time_ms = ((int64_t)timegm(&utc) - (int64_t)offset * 60) * 1000 + milliseconds;
    return 0;
}

/* A decimal number as encode writes it: no sign, no leading zero, within every language's integers.
 */
static int parse_user_id(const char *text, uint64_t *user_id)
{
    uint64_t value = 0;

    if (*text == '\0' || (*text == '0' && text[1] != '\0')) {
        return -EINVAL;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return -EINVAL;
        }
        value = value * 10 + (uint64_t)(*text - '0');
        if (value > (uint64_t)ATES_INTEGER_MAX) {
            return -EINVAL;
        }
    }
    *user_id = value;
    return 0;
}

static int parse_role(const char *text, enum ates_role *role)
{
    for (int i = 0; i < ATES_ROLE_COUNT; i++) {
        if (strcmp(text, ates_role_names[i]) == 0) {
            *role = (enum ates_role)i;
            return 0;
        }
    }
    return -EINVAL;
}

static int copy_text(const char *text, char *out, size_t capacity)
{
    const size_t size = strlen(text);

    if (size >= capacity) {
        return -EINVAL;
    }
    memcpy(out, text, size + 1);
    return 0;
}

int ates_claims_encode(const struct ates_claims *claims, char *json, size_t capacity, size_t *size)
{
    char user_id[24], issued_at[TIME_SIZE], not_before[TIME_SIZE], expires_at[TIME_SIZE];

    if ((unsigned)claims->role >= ATES_ROLE_COUNT || claims->user_id > (uint64_t)ATES_INTEGER_MAX ||
        format_time(claims->issued_at, issued_at) != 0 ||
        format_time(claims->not_before, not_before) != 0 ||
        format_time(claims->expires_at, expires_at) != 0) {
        return -EINVAL;
    }
    snprintf(user_id, sizeof user_id, "%" PRIu64, claims->user_id);
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "iss", ISSUER,
                             "aud", AUDIENCE, "sub", user_id, "role", ates_role_names[claims->role],
                             "login", claims->login, "sid", claims->sid, "jti", claims->jti, "iat",
                             issued_at, "nbf", not_before, "exp", expires_at);
    if (root == NULL) {
        return -EINVAL;
    }
    const size_t needed = json_dumpb(root, json, capacity, JSON_COMPACT);
    json_decref(root);
    if (needed == 0 || needed > capacity) {
        return -EINVAL;
    }
    *size = needed;
    return 0;
}

int ates_claims_decode(const void *json, size_t size, struct ates_claims *claims)
{
    struct ates_claims read = {0};
    const char *iss, *aud, *sub, *role, *login, *sid, *jti, *iat, *nbf, *exp;

    json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, NULL);
    if (root == NULL) {
        return -EINVAL;
    }
    bool good = json_unpack(root, "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "iss", &iss,
                            "aud", &aud, "sub", &sub, "role", &role, "login", &login, "sid", &sid,
                            "jti", &jti, "iat", &iat, "nbf", &nbf, "exp", &exp) == 0 &&
                strcmp(iss, ISSUER) == 0 && strcmp(aud, AUDIENCE) == 0 &&
                parse_user_id(sub, &read.user_id) == 0 && parse_role(role, &read.role) == 0 &&
                copy_text(login, read.login, sizeof read.login) == 0 &&
                copy_text(sid, read.sid, sizeof read.sid) == 0 &&
                copy_text(jti, read.jti, sizeof read.jti) == 0 &&
                parse_time(iat, &read.issued_at) == 0 && parse_time(nbf, &read.not_before) == 0 &&
                parse_time(exp, &read.expires_at) == 0;
    json_decref(root);
    if (!good) {
        return -EINVAL;
    }
    *claims = read;
    return 0;
}
