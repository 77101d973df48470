/* Browsers' sessions: found by their cookies, over in time, kept across a restart, renewed. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "core/datadir.h"
#include "support/temp_folder.h"
#include "web/web_hub.h"
#include "web/web_private.h"
#include "web/web_session_private.h"

#define NOW_MS INT64_C(1795355580123) /* 2026-11-22T13:53:00.123Z */
#define HOUR_MS INT64_C(3600000)

static struct ates_web web;
static char folder[TEMP_FOLDER_SIZE];
static int64_t clock_ms;
static unsigned ended; /* sessions whose streams were ended */

/* The renewal that is under way. */
static web_replied *renewal_replied;
static void *renewal_owner;
static char renewal_token[ATES_TOKEN_MAX + 1];
static bool is_busy; /* nothing more may be in flight */

void web_hub_end_session(struct web_hub *hub, const struct web_session *session)
{
    (void)hub;
    cr_assert(session->is_over);
    ended++;
}

struct web_pending *web_backend_call(struct web_backend *backend, const struct web_command *command,
                                     web_replied *replied, void *owner, int64_t now_us)
{
    (void)backend;
    (void)now_us;
    cr_assert_str_eq(command->command->name, "renew_token");
    if (is_busy) {
        return NULL;
    }
    snprintf(renewal_token, sizeof renewal_token, "%.*s", (int)command->token.size,
             command->token.data);
    renewal_replied = replied;
    renewal_owner = owner;
    return (struct web_pending *)&renewal_owner;
}

void web_backend_cancel(struct web_backend *backend, struct web_pending *pending)
{
    (void)backend;
    cr_assert_eq(pending, (struct web_pending *)&renewal_owner);
    renewal_replied = NULL;
}

const char *web_request_header(const struct web_request *request, const char *name)
{
    (void)request;
    (void)name;
    return NULL;
}

struct ates_text web_request_cookie(const struct web_request *request, const char *name)
{
    (void)request;
    (void)name;
    return (struct ates_text){.size = 0};
}

static int64_t read_clock(void *context)
{
    (void)context;
    return clock_ms;
}

static void open_sessions(void)
{
    char error[256] = "";

    cr_assert_eq(web_sessions_open(&web.sessions, &web, error, sizeof error), 0, "%s", error);
}

static void setup(void)
{
    char error[256] = "";

    cr_assert_geq(sodium_init(), 0);
    temp_folder_make(folder);
    snprintf(web.config.data_dir, sizeof web.config.data_dir, "%s/data", folder);
    cr_assert_eq(ates_datadir_create(web.config.data_dir, error, sizeof error), 0, "%s", error);
    web.source = ates_source_system();
    web.source.now_ms = read_clock;
    clock_ms = NOW_MS;
    open_sessions();
}

static void teardown(void)
{
    web_sessions_close(&web.sessions);
    temp_folder_remove(folder);
}

TestSuite(web_session, .init = setup, .fini = teardown);

static struct web_session *begin(uint64_t user_id, int64_t expires_at, char *cookie)
{
    const struct auth_auth_user_result result = {
        .token = ates_text_from("v4.public.token"),
        .expires_at = NOW_MS + HOUR_MS / 4,
        .session_expires_at = expires_at,
        .user = {.id = user_id,
                 .login = ates_text_from("popug"),
                 .email = ates_text_from("popug@uberpopug.example"),
                 .role = ATES_MANAGER},
    };
    int fault = 0;

    struct web_session *session = web_session_begin(web.sessions, &result, cookie, &fault);
    cr_assert_not_null(session, "%s", strerror(-fault));
    return session;
}

static struct web_session *find(const char *cookie)
{
    return web_sessions_find(web.sessions, ates_text_from(cookie));
}

Test(web_session, is_found_by_its_cookie_alone)
{
    char one[WEB_SESSION_COOKIE_SIZE], two[WEB_SESSION_COOKIE_SIZE];
    struct web_session *first = begin(7, NOW_MS + 12 * HOUR_MS, one);
    struct web_session *second = begin(7, NOW_MS + 12 * HOUR_MS, two);

    cr_assert_str_neq(one, two);
    cr_assert_eq(strlen(one), WEB_SESSION_COOKIE_SIZE - 1);
    cr_assert_eq(find(one), first);
    cr_assert_eq(find(two), second);
    cr_assert_eq(web_sessions_count(web.sessions), 2);
    for (size_t i = 0; i < strlen(one); i++) {
        char spoilt[WEB_SESSION_COOKIE_SIZE];

        strcpy(spoilt, one);
        spoilt[i] = spoilt[i] == 'A' ? 'B' : 'A';
        cr_assert_null(find(spoilt), "at %zu", i);
    }
    cr_assert_null(find(""));
    cr_assert_null(find(first->key), "the hash is not the cookie");
}

Test(web_session, is_over_in_time_or_by_its_end)
{
    char one[WEB_SESSION_COOKIE_SIZE], two[WEB_SESSION_COOKIE_SIZE];
    struct web_session *session = begin(7, NOW_MS + HOUR_MS, one);
    begin(7, NOW_MS + 2 * HOUR_MS, two);

    clock_ms = NOW_MS + HOUR_MS - 1;
    cr_assert_not_null(find(one));
    clock_ms = NOW_MS + HOUR_MS;
    cr_assert_null(find(one));
    cr_assert_not_null(find(two));
    web_session_hold(session);
    web_sessions_advance(web.sessions, 1);
    cr_assert_eq(web_sessions_count(web.sessions), 1);
    cr_assert_eq(ended, 1);
    cr_assert(session->is_over, "who holds it sees so");
    web_session_end(&web, session);
    cr_assert_eq(ended, 1, "it ends once");
    web_session_release(&session);
    web_session_end(&web, find(two));
    cr_assert_null(find(two));
    cr_assert_eq(web_sessions_count(web.sessions), 0);
}

Test(web_session, outlives_a_restart)
{
    char one[WEB_SESSION_COOKIE_SIZE], two[WEB_SESSION_COOKIE_SIZE];

    begin(7, NOW_MS + HOUR_MS, one);
    web_session_end(&web, begin(8, NOW_MS + HOUR_MS, two));
    cr_assert(
        web_session_set_token(find(one), ates_text_from("v4.public.other"), NOW_MS + HOUR_MS / 2));
    web_sessions_close(&web.sessions);
    open_sessions();
    const struct web_session *session = find(one);
    cr_assert_not_null(session);
    cr_assert(session->user_id == 7 && session->role == ATES_MANAGER);
    cr_assert_str_eq(session->login, "popug");
    /* As it began: a token that is over serves to be renewed. */
    cr_assert_str_eq(session->token, "v4.public.token");
    cr_assert_eq(session->token_expires_at, NOW_MS + HOUR_MS / 4);
    cr_assert_eq(session->expires_at, NOW_MS + HOUR_MS);
    cr_assert_null(find(two));
}

/* Whether a write to a file fails, as on a full disk. */
static void set_disk_full(bool is_full)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = is_full ? 1 : limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(web_session, one_that_ended_while_the_disk_was_full_does_not_come_back)
{
    char swept[WEB_SESSION_COOKIE_SIZE], last[WEB_SESSION_COOKIE_SIZE];

    struct web_session *session = begin(7, NOW_MS + HOUR_MS, swept);
    begin(8, NOW_MS + HOUR_MS, last);
    set_disk_full(true);
    web_session_end(&web, session);
    cr_expect_null(find(swept));
    web_sessions_advance(web.sessions, 0); /* still full: a try more */
    set_disk_full(false);
    web_sessions_advance(web.sessions, HOUR_MS * 1000);
    set_disk_full(true);
    web_session_end(&web, find(last));
    set_disk_full(false);
    web_sessions_close(&web.sessions); /* without another turn */
    open_sessions();
    cr_expect_null(find(swept));
    cr_expect_null(find(last));
    cr_expect_eq(web_sessions_count(web.sessions), 0);
}

Test(web_session, a_user_has_so_many_and_no_more)
{
    enum { MANY = 40, KEPT = 32 };
    char cookies[MANY][WEB_SESSION_COOKIE_SIZE], other[WEB_SESSION_COOKIE_SIZE];

    begin(8, NOW_MS + 1, other); /* another's is left alone, however old */
    for (int i = 0; i < MANY; i++) {
        begin(7, NOW_MS + HOUR_MS + i, cookies[i]);
    }
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(find(cookies[i]) != NULL, i >= MANY - KEPT, "%d", i);
    }
    cr_assert_not_null(find(other));
    cr_assert_eq(ended, MANY - KEPT);
}

static unsigned told, told_renewed;

static void tell(struct web_waiter *waiter, bool is_renewed)
{
    (void)waiter;
    told++;
    told_renewed += is_renewed;
}

/* A reply to the renewal, with this status and body or reason. */
static void reply(enum ates_status status, const char *reason)
{
    const struct auth_renew_token_result result = {.token = ates_text_from("v4.public.renewed"),
                                                   .expires_at = NOW_MS + HOUR_MS / 2};
    struct ates_reply came = {.status = status};
    struct ates_buffer body = {0};

    cr_assert_not_null(renewal_replied);
    if (status == ATES_OK) {
        ates_message_encode(&auth_renew_token_result_message, &result, &body);
        came.body = (struct ates_bytes){body.data, body.size};
    } else {
        ates_refusal_set(&came.refusal, status, reason, NULL, "no");
    }
    renewal_replied(renewal_owner, &came);
    ates_buffer_release(&body);
}

Test(web_session, is_renewed_once_for_all_who_wait)
{
    char cookie[WEB_SESSION_COOKIE_SIZE];
    struct web_session *session = begin(7, NOW_MS + HOUR_MS, cookie);
    struct web_waiter waiters[3] = {{.renewed = tell}, {.renewed = tell}, {.renewed = tell}};

    for (int i = 0; i < 3; i++) {
        web_session_wait(session, &waiters[i]);
        web_session_renew(&web, session);
    }
    cr_assert_str_eq(renewal_token, "v4.public.token");
    web_session_forget_waiter(session, &waiters[1]);
    reply(ATES_OK, NULL);
    cr_assert_eq(told, 2);
    cr_assert_eq(told_renewed, 2);
    cr_assert_str_eq(session->token, "v4.public.renewed");
    cr_assert_eq(session->token_expires_at, NOW_MS + HOUR_MS / 2);
}

Test(web_session, ends_where_auth_says_so_and_not_before)
{
    char cookie[WEB_SESSION_COOKIE_SIZE];
    struct web_session *session = begin(7, NOW_MS + HOUR_MS, cookie);
    struct web_waiter waiter = {.renewed = tell};

    web_session_renew(&web, session);
    reply(ATES_UNAVAILABLE, "ANYTHING");
    cr_assert_eq(find(cookie), session);
    web_session_renew(&web, session);
    renewal_replied(renewal_owner, NULL); /* no reply */
    cr_assert_eq(find(cookie), session);
    is_busy = true;
    web_session_wait(session, &waiter);
    web_session_renew(&web, session);
    cr_assert_eq(told, 1, "nobody waits for what was not asked");
    is_busy = false;
    web_session_wait(session, &waiter);
    web_session_renew(&web, session);
    reply(ATES_UNAUTHENTICATED, "SESSION_EXPIRED");
    cr_assert_null(find(cookie));
    cr_assert_eq(told, 2);
    cr_assert_eq(told_renewed, 0);
    cr_assert_eq(ended, 1);
}

/* Thousands may end in the same minute: in parts, so that nobody waits for all of them. */
Test(web_session, many_end_in_a_few_turns)
{
    enum { MANY = 600 };
    char cookie[WEB_SESSION_COOKIE_SIZE], last[WEB_SESSION_COOKIE_SIZE];
    size_t turns = 0;

    for (unsigned i = 0; i < MANY; i++) {
        begin(i + 1, NOW_MS + HOUR_MS, cookie);
    }
    begin(MANY + 1, NOW_MS + 2 * HOUR_MS, last);
    web_sessions_advance(web.sessions, 1);
    cr_assert_eq(web_sessions_count(web.sessions), MANY + 1);
    clock_ms = NOW_MS + HOUR_MS;
    web_sessions_close(&web.sessions); /* what ended while nothing ran ends in the same way */
    open_sessions();
    cr_assert_eq(web_sessions_count(web.sessions), MANY + 1);
    do {
        const uint64_t before = web_sessions_count(web.sessions);
        web_sessions_advance(web.sessions, 2);
        cr_assert_lt(web_sessions_count(web.sessions), before);
        cr_assert_leq(before - web_sessions_count(web.sessions), 256);
        turns++;
    } while (web_sessions_count(web.sessions) > 1);
    cr_assert_eq(turns, 3);
    cr_assert_eq(ended, MANY);
    web_sessions_close(&web.sessions);
    open_sessions();
    cr_assert_eq(web_sessions_count(web.sessions), 1, "nor are they on the disk");
    cr_assert_not_null(find(last));
}
