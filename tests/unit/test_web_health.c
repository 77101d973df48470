/* /healthz and /readyz: what they say, and that no number of probes asks services more often than
 * once in a second. */
#include "support/web_fakes.h"

static struct ates_web web;
static struct fake_request one, two;

static void set_up(void)
{
    fake_open(&one, &web);
    fake_open(&two, &web);
}

static void tear_down(void)
{
    fake_close(&one);
    fake_close(&two);
    web_health_free(&web.health);
    cr_assert_eq(fake_under_way(), 0, "a call outlives what it was for");
}

TestSuite(web_health, .init = set_up, .fini = tear_down, .timeout = 60);

static void reply(const struct ates_service *service, const char *status)
{
    const struct ates_health_result result = {ates_text_from(status), ates_text_from("1.0"), 7};

    fake_reply(service, "health", &ates_health_result_message, &result);
}

static void check(const struct fake_request *request, unsigned status, const char *body)
{
    cr_assert_eq(request->status, status, "%u", request->status);
    cr_assert_str_eq(request->body, body);
    cr_assert_str_eq(request->content_type, "application/json");
    cr_assert_str_eq(request->retry_after, status == 200 ? "" : "1");
}

#define READY "{\"status\":\"ready\",\"services\":{\"auth\":\"serving\",\"tasks\":\"serving\"}}"

Test(web_health, lives_without_asking_anybody)
{
    web_handle_healthz(&one.request);
    check(&one, 200, "{\"status\":\"ok\",\"version\":\"" ATES_VERSION "\"}");
    cr_assert_eq(fake_calls, 0);
}

Test(web_health, ready_when_all_have_said_so)
{
    web_handle_readyz(&one.request);
    cr_assert_eq(fake_calls, 2);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_str_eq(fake_pending[i].token, "", "health needs no token");
        cr_assert_eq(fake_pending[i].timeout_ms, 1000);
    }
    reply(&tasks_service, "serving");
    cr_assert_eq(one.status, 0);
    reply(&auth_service, "serving");
    check(&one, 200, READY);
}

Test(web_health, who_asks_meanwhile_and_soon_after_gets_the_same)
{
    struct fake_request later;

    web_handle_readyz(&one.request);
    web_handle_readyz(&two.request);
    cr_assert_eq(fake_calls, 2);
    reply(&auth_service, "serving");
    reply(&tasks_service, "serving");
    check(&one, 200, READY);
    check(&two, 200, READY);
    fake_open(&later, &web);
    web_handle_readyz(&later.request);
    check(&later, 200, READY);
    cr_assert_eq(fake_calls, 2);
    fake_close(&later);
}

Test(web_health, asks_again_when_a_second_has_passed)
{
    struct fake_request later;
    int64_t began_us = ates_monotonic_us();

    web_handle_readyz(&one.request);
    reply(&auth_service, "serving");
    reply(&tasks_service, "serving");
    do { /* a request answered from memory says nothing of what is so now */
        fake_open(&later, &web);
        web_handle_readyz(&later.request);
        cr_assert(later.status == 0 || ates_monotonic_us() - began_us < 1500000);
        if (later.status != 0) {
            fake_close(&later);
        }
    } while (fake_calls == 2);
    cr_assert_geq(ates_monotonic_us() - began_us, 1000000);
    reply(&auth_service, "serving");
    fake_reply(&tasks_service, "health", NULL, NULL);
    check(&later, 503,
          "{\"status\":\"not_ready\",\"services\":{\"auth\":\"serving\",\"tasks\":\"no_reply\"}}");
    fake_close(&later);
}

Test(web_health, names_who_is_not_serving)
{
    web_handle_readyz(&one.request);
    reply(&auth_service, "starting");
    reply(&tasks_service, "serving");
    check(
        &one, 503,
        "{\"status\":\"not_ready\",\"services\":{\"auth\":\"not_serving\",\"tasks\":\"serving\"}}");
}

Test(web_health, a_reply_that_is_none_is_not_serving)
{
    web_handle_readyz(&one.request);
    reply(&auth_service, "serving");
    fake_reply(&tasks_service, "health", &ates_empty_message, &(struct ates_empty){0});
    check(
        &one, 503,
        "{\"status\":\"not_ready\",\"services\":{\"auth\":\"serving\",\"tasks\":\"not_serving\"}}");
}

Test(web_health, a_service_that_cannot_be_asked_does_not_reply)
{
    fake_room = 1;
    web_handle_readyz(&one.request);
    reply(&auth_service, "serving");
    check(&one, 503,
          "{\"status\":\"not_ready\",\"services\":{\"auth\":\"serving\",\"tasks\":\"no_reply\"}}");
    fake_room = 0;
    web_health_free(&web.health);
    web_handle_readyz(&two.request);
    check(&two, 503,
          "{\"status\":\"not_ready\",\"services\":{\"auth\":\"no_reply\",\"tasks\":\"no_reply\"}}");
}

Test(web_health, a_client_that_is_gone_is_not_answered)
{
    web_handle_readyz(&one.request);
    web_handle_readyz(&two.request);
    one.request.gone(&one.request);
    one.request.gone = NULL;
    reply(&auth_service, "serving");
    reply(&tasks_service, "serving");
    cr_assert_eq(one.status, 0);
    check(&two, 200, READY);
}

Test(web_health, a_stop_takes_back_what_is_under_way)
{
    web_handle_readyz(&one.request);
    one.request.gone(&one.request);
    one.request.gone = NULL;
    cr_assert_eq(fake_under_way(), 2);
    web_health_free(&web.health);
    cr_assert_null(web.health);
    cr_assert_eq(fake_under_way(), 0);
    web_health_free(&web.health);
}
