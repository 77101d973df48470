/* Claims as JSON: what is read back, and everything that is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/claims.h"

#define EXPIRY_MS INT64_C(1795356480123) /* 2026-11-22T14:08:00.123Z */

/* Good claims, one member a row; a test swaps one. */
static const char *const members[][2] = {
    {"iss", "\"ates\""},
    {"aud", "\"ates\""},
    {"sub", "\"42\""},
    {"role", "\"developer\""},
    {"login", "\"popug.42\""},
    {"sid", "\"s\""},
    {"jti", "\"j\""},
    {"iat", "\"2026-11-22T13:53:00.123Z\""},
    {"nbf", "\"2026-11-22T13:53:00.123Z\""},
    {"exp", "\"2026-11-22T14:08:00.123Z\""},
};
#define MEMBER_COUNT (sizeof members / sizeof members[0])

/* Decodes the good claims with member name's JSON swapped (NULL: left out). */
static int decode_with(const char *name, const char *json, struct ates_claims *claims)
{
    char text[2048] = "{";

    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const char *value = strcmp(members[i][0], name) == 0 ? json : members[i][1];
        const size_t used = strlen(text);
        if (value != NULL) {
            snprintf(text + used, sizeof text - used, "%s\"%s\":%s", used > 1 ? "," : "",
                     members[i][0], value);
        }
    }
    strcat(text, "}");
    return ates_claims_decode(text, strlen(text), claims);
}

static void assert_bad(const char *name, const char *json)
{
    struct ates_claims claims, before;

    memset(&claims, 0xa5, sizeof claims);
    before = claims;
    cr_assert_eq(decode_with(name, json, &claims), -EINVAL, "accepted %s: %s", name,
                 json != NULL ? json : "missing");
    cr_assert_eq(memcmp(&claims, &before, sizeof claims), 0);
}

Test(claims, every_role_and_extreme_comes_back)
{
    const struct ates_claims written[] = {
        {.user_id = 1, .role = ATES_ADMINISTRATOR, .login = "a", .sid = "b", .jti = "c"},
        {.user_id = (uint64_t)ATES_INTEGER_MAX,
         .role = ATES_OTHER,
         .login = "0123456789012345678901234567890123456789012345678901234567890123",
         .sid = "012345678901234567890123456789012345",
         .jti = "012345678901234567890123456789012345",
         .issued_at = INT64_C(253402300799999),
         .not_before = INT64_C(951782399999),
         .expires_at = INT64_C(253402300799999)},
        {.role = ATES_INTERNALSERVICE, .login = "\xd0\xbf\"\\\n", .expires_at = EXPIRY_MS},
    };

    for (size_t i = 0; i < sizeof written / sizeof written[0] * ATES_ROLE_COUNT; i++) {
        struct ates_claims claims = written[i / ATES_ROLE_COUNT], read;
        char json[1024];
        size_t size;
        claims.role = (enum ates_role)(i % ATES_ROLE_COUNT);
        cr_assert_eq(ates_claims_encode(&claims, json, sizeof json, &size), 0);
        cr_assert_eq(ates_claims_decode(json, size, &read), 0, "%.*s", (int)size, json);
        cr_assert_eq(read.user_id, claims.user_id);
        cr_assert_eq(read.role, claims.role);
        cr_assert_str_eq(read.login, claims.login);
        cr_assert_str_eq(read.sid, claims.sid);
        cr_assert_str_eq(read.jti, claims.jti);
        cr_assert_eq(read.issued_at, claims.issued_at);
        cr_assert_eq(read.not_before, claims.not_before);
        cr_assert_eq(read.expires_at, claims.expires_at);
        for (size_t capacity = 0; capacity < size; capacity++) {
            cr_assert_eq(ates_claims_encode(&claims, json, capacity, &size), -EINVAL);
        }
    }
}

Test(claims, written_as_the_protocol_says)
{
    static const char expected[] =
        "{\"iss\":\"ates\",\"aud\":\"ates\",\"sub\":\"42\",\"role\":\"boss\",\"login\":\"p\","
        "\"sid\":\"s\",\"jti\":\"j\",\"iat\":\"1970-01-01T00:00:00.000Z\","
        "\"nbf\":\"2000-02-28T23:59:59.999Z\",\"exp\":\"2026-11-22T14:08:00.123Z\"}";
    const struct ates_claims claims = {.user_id = 42,
                                       .role = ATES_BOSS,
                                       .login = "p",
                                       .sid = "s",
                                       .jti = "j",
                                       .not_before = INT64_C(951782399999),
                                       .expires_at = EXPIRY_MS};
    char json[1024];
    size_t size;

    cr_assert_eq(ates_claims_encode(&claims, json, sizeof json, &size), 0);
    cr_assert_eq(size, sizeof expected - 1);
    cr_assert_eq(memcmp(json, expected, size), 0, "%.*s", (int)size, json);
}

Test(claims, missing_ill_typed_and_repeated)
{
    static const char *const wrong[] = {"null",        "true",    "42",         "1.5",
                                        "[]",          "{}",      "[\"ates\"]", "\"\\u0000\"",
                                        "\"\\ud800\"", "\"\xff\""};
    static const char *const no_object[] = {"", "[]", "\"ates\"", "null", "{", "{}", "{}{}"};
    struct ates_claims claims;
    char repeated[256];

    cr_assert_eq(decode_with("", NULL, &claims), 0);
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        assert_bad(members[i][0], NULL);
        for (size_t j = 0; j < sizeof wrong / sizeof wrong[0]; j++) {
            assert_bad(members[i][0], wrong[j]);
        }
        snprintf(repeated, sizeof repeated, "%s,\"%s\":%s", members[i][1], members[i][0],
                 members[i][1]);
        assert_bad(members[i][0], repeated);
    }
    for (size_t i = 0; i < sizeof no_object / sizeof no_object[0]; i++) {
        cr_assert_eq(ates_claims_decode(no_object[i], strlen(no_object[i]), &claims), -EINVAL);
    }
    assert_bad("exp", "\"2026-11-22T14:08:00Z\"} {\"a\":1");
    cr_assert_eq(decode_with("jti", "\"j\",\"later\":{\"a\":[1]}", &claims), 0);
}

Test(claims, values_out_of_range)
{
    static const char *const wrong[][2] = {
        {"iss", "\"atesx\""},
        {"iss", "\"\""},
        {"iss", "\"ATES\""},
        {"aud", "\"other\""},
        {"aud", "\"ate\""},
        {"sub", "\"\""},
        {"sub", "\"042\""},
        {"sub", "\"-1\""},
        {"sub", "\"+1\""},
        {"sub", "\" 1\""},
        {"sub", "\"1e3\""},
        {"sub", "\"0x1\""},
        {"role", "\"root\""},
        {"role", "\"\""},
        {"role", "\"Developer\""},
        {"role", "\"manager \""},
        {"sub", "\"9007199254740992\""},
        {"sub", "\"18446744073709551617\""},
        {"sub", "\"99999999999999999999999999999\""},
        {"sid", "\"0123456789012345678901234567890123456\""},
        {"jti", "\"0123456789012345678901234567890123456\""},
        {"login", "\"01234567890123456789012345678901234567890123456789012345678901234\""},
    };
    struct ates_claims claims;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_bad(wrong[i][0], wrong[i][1]);
    }
    cr_assert_eq(decode_with("sub", "\"9007199254740991\"", &claims), 0);
    cr_assert_eq(claims.user_id, (uint64_t)ATES_INTEGER_MAX);
}

Test(claims, times_are_rfc_3339)
{
    static const struct {
        const char *json;
        int64_t time_ms;
    } good[] = {
        {"\"2026-11-22T14:08:00.123Z\"", EXPIRY_MS},
        {"\"2026-11-22t14:08:00.123z\"", EXPIRY_MS},
        {"\"2026-11-22T14:08:00Z\"", EXPIRY_MS - 123},
        {"\"2026-11-22T14:08:00.1Z\"", EXPIRY_MS - 23},
        {"\"2026-11-22T14:08:00.123999999Z\"", EXPIRY_MS},
        {"\"2026-11-22T17:08:00.123+03:00\"", EXPIRY_MS},
        {"\"2026-11-22T08:38:00.123-05:30\"", EXPIRY_MS},
        {"\"2026-11-23T00:08:00.123+10:00\"", EXPIRY_MS},
        {"\"2026-12-31T23:59:60Z\"", INT64_C(1798761600000)},
        {"\"2028-02-29T00:00:00-00:00\"", INT64_C(1835395200000)},
        {"\"9999-12-31T23:59:59.999Z\"", INT64_C(253402300799999)},
    };
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11-22",
        "2026-11-22T14:08:00",
        "2026-11-22T14:08Z",
        "2026-11-22 14:08:00Z",
        "2026-11-22T14:08:00.Z",
        "2026-11-22T14:08:00,5Z",
        "2026-11-22T14:08:00Z ",
        " 2026-11-22T14:08:00Z",
        "2026-11-22T14:08:00ZZ",
        "2026-11-22T24:00:00Z",
        "2026-11-22T14:60:00Z",
        "2026-11-22T14:08:61Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-11-00T00:00:00Z",
        "2027-02-29T00:00:00Z",
        "2026-11-22T14:08:00+0300",
        "2026-11-22T14:08:00+24:00",
        "2026-11-22T14:08:00+03:60",
        "2026-11-22T14:08:00+03",
        "+026-11-22T14:08:00Z",
        "2026-1-22T14:08:00Z",
        "20261122T140800Z",
        "1795355580",
        "12026-11-22T14:08:00Z",
        "2026-11-22T14:08:00.123",
    };
    struct ates_claims claims;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert_eq(decode_with("exp", good[i].json, &claims), 0, "%s", good[i].json);
        cr_assert_eq(claims.expires_at, good[i].time_ms, "%s: %lld", good[i].json,
                     (long long)claims.expires_at);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char json[64];
        snprintf(json, sizeof json, "\"%s\"", bad[i]);
        assert_bad("exp", json);
        assert_bad("iat", json);
    }
}
