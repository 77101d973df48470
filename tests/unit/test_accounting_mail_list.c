/* Lists of mails: by state, page by page. */
#include "accounting/accounting_mail.h"
#include "support/mail_fixture.h"

TestSuite(accounting_mail_list, .init = open_payouts, .fini = close_payouts, .timeout = 120);

static struct accounting_show_mails_result list(const int *state, uint64_t limit,
                                                struct ates_text after)
{
    const struct accounting_show_mails query = {.has_state = state != NULL,
                                                .state = state != NULL ? *state : 0,
                                                .has_limit = limit != 0,
                                                .limit = limit,
                                                .has_after = after.size > 0,
                                                .after = after};
    struct accounting_show_mails_result result;

    fixture_do(&fixture, accountant(), "show_mails", &query, &result);
    return result;
}

/* Pages of so many, the newest first, give the items of this one from the end. */
static void expect_reverse(const int *state, uint64_t limit, const struct ates_list *expected)
{
    struct accounting_show_mails query = {.has_state = state != NULL,
                                          .state = state != NULL ? *state : 0,
                                          .has_newest_first = true,
                                          .newest_first = true,
                                          .has_limit = true,
                                          .limit = limit};
    const struct accounting_mail *items = expected->items;
    struct accounting_show_mails_result page;
    size_t left = expected->count;

    do {
        fixture_do(&fixture, accountant(), "show_mails", &query, &page);
        cr_assert_leq(page.items.count, left);
        for (size_t i = 0; i < page.items.count; i++) {
            cr_assert_eq(((const struct accounting_mail *)page.items.items)[i].id,
                         items[--left].id);
        }
        query.has_after = page.has_next;
        query.after = page.next;
    } while (page.has_next);
    cr_assert_eq(left, 0);
}

/* ids: digits. */
static void list_is(const int *state, const char *ids)
{
    const struct accounting_show_mails_result result = list(state, 0, (struct ates_text){"", 0});
    const struct accounting_mail *items = result.items.items;

    cr_expect_not(result.has_next);
    cr_assert_eq(result.items.count, strlen(ids), "%d mails, not %s", (int)result.items.count, ids);
    for (size_t i = 0; i < result.items.count; i++) {
        cr_expect_eq(items[i].id, (uint64_t)(ids[i] - (char)48), "%d: mail %d", (int)i,
                     (int)items[i].id);
        cr_expect(state == NULL || items[i].state == *state);
    }
    for (uint64_t limit = 1; limit < 10; limit++) {
        expect_reverse(state, limit, &result.items);
    }
}

Test(accounting_mail_list, show_mails_filters_by_state)
{
    const int queued = ACCOUNTING_MAIL_QUEUED, sending = ACCOUNTING_MAIL_SENDING,
              done = ACCOUNTING_MAIL_SENT, dead = ACCOUNTING_MAIL_DEAD;

    list_is(NULL, "");
    pay_users(8);
    end_mail(1, &sent);
    end_mail(2, &unknown);
    end_mail(3, &busy);
    list_is(NULL, "12345678");
    list_is(&done, "1");
    list_is(&dead, "2");
    list_is(&sending, "4567");
    list_is(&queued, "38");
    fixture_check_rebuild(&fixture);
    list_is(&sending, "");
    list_is(&queued, "345678");
    const struct accounting_show_mails bad = {.has_after = true, .after = ates_text_from("x")};
    fixture_refused(&fixture, accountant(), "show_mails", &bad, ATES_INVALID_ARGUMENT,
                    "FIELD_INVALID");
}

Test(accounting_mail_list, show_mails_gives_pages)
{
    const int dead = ACCOUNTING_MAIL_DEAD;
    struct mail_result wordy = unknown;
    struct ates_text after = {"", 0};
    uint64_t next_id = 1;
    unsigned pages = 0;
    struct accounting_show_mails_result page;

    memset(wordy.words, 'w', sizeof wordy.words - 1);
    pay_users(300);
    for (uint64_t mail_id = 1; mail_id <= 300; mail_id++) {
        end_mail(mail_id, &wordy);
    }
    do { /* the longest errors, the longest pages */
        page = list(&dead, 1000, after);
        const struct accounting_mail *items = page.items.items;
        for (size_t i = 0; i < page.items.count; i++) {
            cr_assert_eq(items[i].id, next_id++);
        }
        after = page.next;
        cr_assert_lt(++pages, 300);
    } while (page.has_next);
    cr_expect_eq(next_id, 301);
    cr_expect(pages > 1 && pages < 10, "%u pages", pages);
    const struct accounting_show_mails newest = {.has_newest_first = true,
                                                 .newest_first = true,
                                                 .has_limit = true,
                                                 .limit = 7,
                                                 .has_after = true,
                                                 .after = ates_text_from("298")};
    fixture_do(&fixture, accountant(), "show_mails", &newest, &page);
    cr_expect(page.items.count == 7 && page.has_next);
    cr_expect_eq(((const struct accounting_mail *)page.items.items)->id, 297);
    text_is(page.next, "291");
    page = list(NULL, 100, (struct ates_text){"", 0});
    cr_expect(page.items.count == 100 && page.has_next);
    text_is(page.next, "100");
    page = list(NULL, 100, ates_text_from("200"));
    cr_expect(page.items.count == 100 && !page.has_next);
    page = list(NULL, 7, ates_text_from("298"));
    cr_expect(page.items.count == 2 && !page.has_next);
    page = list(NULL, 7, ates_text_from("9007199254740991"));
    cr_expect(page.items.count == 0 && !page.has_next);
}
