/* The audit trail: what belongs to it, and that strangers cannot fill the journal with it. */
#include <jansson.h>

#include "core/audit.h"
#include "core/catalogue.h"
#include "support/caught_stderr.h"

static const struct ates_audit_entry refused = {
    .command = "auth_user",
    .status = ATES_UNAUTHENTICATED,
    .is_secret = true,
    .reason = "BAD_CREDENTIALS",
    .user_id = 7,
    .client = "192.0.2.1",
    .trace = "",
};

/* Writes the entry; returns its line, or NULL where it was left out. */
static json_t *tell(struct ates_audit *audit, const struct ates_audit_entry *entry, int64_t now_us)
{
    catch_stderr();
    ates_audit_tell(audit, "auth", entry, now_us);
    const char *line = release();
    json_t *object = line[0] != '\0' ? json_loads(line, JSON_DISABLE_EOF_CHECK, NULL) : NULL;

    cr_assert((line[0] != '\0') == (object != NULL), "%s", line);
    return object;
}

static const char *text_of(const json_t *line, const char *name)
{
    const char *text = json_string_value(json_object_get(line, name));

    return text != NULL ? text : "";
}

Test(audit, concerns_whoever_proves_or_fails_to_prove_who_they_are)
{
    static const struct {
        enum ates_status status;
        bool is_secret, concerns;
    } rows[] = {
        {ATES_OK, true, true},
        {ATES_OK, false, false},
        {ATES_UNAUTHENTICATED, true, true},
        {ATES_UNAUTHENTICATED, false, true},
        {ATES_PERMISSION_DENIED, false, true},
        {ATES_RESOURCE_EXHAUSTED, true, true}, /* TOO_MANY_ATTEMPTS */
        {ATES_RESOURCE_EXHAUSTED, false, false},
        {ATES_INVALID_ARGUMENT, true, false},
        {ATES_NOT_FOUND, false, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(ates_audit_concerns(rows[i].status, rows[i].is_secret), rows[i].concerns,
                     "row %zu", i);
    }
}

Test(audit, a_line_says_who_asked_for_what_and_why_not)
{
    struct ates_audit audit = {0};
    struct ates_audit_entry done = refused;
    json_t *line = tell(&audit, &refused, 0);

    cr_assert_not_null(line);
    cr_expect_str_eq(text_of(line, "service"), "auth");
    cr_expect_str_eq(text_of(line, "command"), "auth_user");
    cr_expect_str_eq(text_of(line, "status"), "UNAUTHENTICATED");
    cr_expect_str_eq(text_of(line, "reason"), "BAD_CREDENTIALS");
    cr_expect_str_eq(text_of(line, "client"), "192.0.2.1");
    cr_expect_eq(json_integer_value(json_object_get(line, "user_id")), 7);
    cr_expect_str_eq(text_of(line, "message_id"), ates_catalogue[ATES_SAY_KEPT_OUT].id);
    json_decref(line);
    done.status = ATES_OK;
    done.user_id = 0;
    done.client = "";
    line = tell(&audit, &done, 0);
    cr_expect_str_eq(text_of(line, "message_id"), ates_catalogue[ATES_SAY_LET_IN].id);
    cr_expect_null(json_object_get(line, "user_id"));
    cr_expect_null(json_object_get(line, "client"));
    cr_expect_null(json_object_get(line, "reason"));
    json_decref(line);
}

Test(audit, refusals_are_bounded_and_none_goes_uncounted)
{
    struct ates_audit audit = {0};
    struct ates_audit_entry done = refused;
    const int64_t start_us = 1000 * ATES_AUDIT_INTERVAL_US;
    unsigned told = 0;

    for (unsigned i = 0; i < 3 * ATES_AUDIT_BURST; i++) {
        json_t *line = tell(&audit, &refused, start_us);
        told += line != NULL;
        json_decref(line);
    }
    cr_expect_eq(told, ATES_AUDIT_BURST);
    done.status = ATES_OK;
    json_t *line = tell(&audit, &done, start_us);
    cr_expect_not_null(line, "what was done is always told");
    json_decref(line);
    cr_expect_null(tell(&audit, &refused, start_us + ATES_AUDIT_INTERVAL_US - 1));
    line = tell(&audit, &refused, start_us + ATES_AUDIT_INTERVAL_US);
    cr_assert_not_null(line);
    cr_expect_eq(json_integer_value(json_object_get(line, "left_out")), 2 * ATES_AUDIT_BURST + 1);
    json_decref(line);
    line = tell(&audit, &refused, start_us + 2 * ATES_AUDIT_INTERVAL_US);
    cr_assert_not_null(line);
    cr_expect_null(json_object_get(line, "left_out"));
    json_decref(line);
}
