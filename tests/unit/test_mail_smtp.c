/* Sending, against a real server that does all that servers do. */
#include <pthread.h>
#include <threads.h>

#include "support/seed.h"
#include "support/smtp_fixture.h"

Test(mail_smtp, a_message_arrives_as_it_was_and_the_connection_is_kept)
{
    start(NULL);
    open_session(NULL, NULL, NULL);
    for (unsigned i = 1; i <= 5; i++) {
        char words[64];
        snprintf(words, sizeof words, "250 2.0.0 taken as %06u.eml", i);
        expect(send_one(), MAIL_SENT, 250, words);
        struct ates_buffer message = smtp_server_message(&server, i);
        cr_expect(message.size == strlen(MESSAGE) &&
                  memcmp(message.data, MESSAGE, message.size) == 0);
        ates_buffer_release(&message);
    }
    cr_expect_eq(smtp_server_count(&server, "connect"), 1);
    json_t *messages = smtp_server_log(&server, "message");
    json_t *first = json_array_get(messages, 0);
    cr_expect_str_eq(json_string_value(json_object_get(first, "from")), FROM);
    cr_expect_eq(json_array_size(json_object_get(first, "to")), 1);
    cr_expect_str_eq(json_string_value(json_array_get(json_object_get(first, "to"), 0)), TO);
    json_decref(messages);
    stop();
}

Test(mail_smtp, a_refusal_is_temporary_or_permanent_by_its_code)
{
    static const struct {
        const char *reply;
        enum mail_outcome outcome;
        int code;
        const char *words;
    } cases[] = {
        {"CONNECT 421 too busy", MAIL_TEMPORARY, 421, "421 too busy"},
        {"CONNECT 554 not here", MAIL_TEMPORARY, 554, "554 not here"},
        {"MAIL 451 4.3.0 later", MAIL_TEMPORARY, 451, "451 4.3.0 later"},
        {"MAIL 530 5.7.0 sign in", MAIL_TEMPORARY, 530, "530 5.7.0 sign in"},
        {"MAIL 550 5.7.1 not you", MAIL_PERMANENT, 550, "550 5.7.1 not you"},
        {"RCPT 450 4.2.1 mailbox busy", MAIL_TEMPORARY, 450, "450 4.2.1 mailbox busy"},
        {"RCPT 550 5.1.1 no such\\npopug", MAIL_PERMANENT, 550, "550 5.1.1 no such popug"},
        {"DATA 452 4.3.1 full", MAIL_TEMPORARY, 452, "452 4.3.1 full"},
        {"DATA 554 5.5.0 none valid", MAIL_PERMANENT, 554, "554 5.5.0 none valid"},
        {"END 451 4.7.1 greylisted", MAIL_TEMPORARY, 451, "451 4.7.1 greylisted"},
        {"END 554 5.7.1 spam \xd0\x9f", MAIL_PERMANENT, 554, "554 5.7.1 spam \xd0\x9f"},
        {"END 252 as you wish", MAIL_SENT, 252, "252 as you wish"},
    };

    start((const char *const[]){"--smtputf8", NULL});
    open_session(NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strncmp(cases[i].reply, "CONNECT", 7) == 0) {
            mail_session_free(&session);
            open_session(NULL, NULL, NULL);
        }
        smtp_server_tell(&server, "next reply %s", cases[i].reply);
        expect(send_one(), cases[i].outcome, cases[i].code, cases[i].words);
        expect(send_one(), MAIL_SENT, 250, "taken");
    }
    stop();
}

Test(mail_smtp, a_dropped_connection_is_temporary)
{
    static const char *const stages[] = {"CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "END"};

    start(NULL);
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        open_session(NULL, NULL, NULL);
        smtp_server_tell(&server, "next drop %s", stages[i]);
        const struct mail_result result = send_one();
        expect(result, MAIL_TEMPORARY, 0, "");
        cr_expect_neq(result.words[0], '\0');
        mail_session_free(&session);
    }
    cr_expect_eq(smtp_server_count_outcome(&server, "dropped"), 4);
    cr_expect_eq(smtp_server_count_outcome(&server, "accepted"), 0);
    stop();
}

Test(mail_smtp, a_lost_answer_is_temporary)
{
    start(NULL);
    open_patient(1);
    smtp_server_tell(&server, "next lose drop");
    expect(send_one(), MAIL_TEMPORARY, 0, "");
    smtp_server_tell(&server, "next lose hang");
    expect(send_one(), MAIL_TEMPORARY, 0, "");
    cr_expect_eq(smtp_server_count_outcome(&server, "lost"), 2);
    cr_expect_eq(smtp_server_count(&server, "message"), 2, "nothing was sent again");
    stop();
}

Test(mail_smtp, a_server_that_hangs_ends_in_time)
{
    static const char *const stages[] = {"CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "END"};

    start(NULL);
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        open_patient(1);
        smtp_server_tell(&server, "next hang %s", stages[i]);
        const double begun_s = now_s();
        const struct mail_result result = send_one();
        expect_within(begun_s, 3);
        expect(result, MAIL_TEMPORARY, 0, "");
        cr_expect_neq(result.words[0], '\0', "%s", stages[i]);
        mail_session_free(&session);
    }
    open_session(NULL, NULL, NULL);
    expect(send_one(), MAIL_SENT, 250, "");
    stop();
}

Test(mail_smtp, a_goodbye_is_waited_for_by_nobody)
{
    start(NULL);
    open_patient(20);
    smtp_server_tell(&server, "all hang QUIT");
    expect(send_one(), MAIL_SENT, 250, "");
    double begun_s = now_s();
    mail_session_free(&session);
    expect_within(begun_s, 3);
    open_patient(20);
    smtp_server_tell(&server, "next reply RCPT 550 no");
    begun_s = now_s();
    expect(send_one(), MAIL_PERMANENT, 550, "550 no");
    expect_within(begun_s, 3);
    stop();
}

/* Where nobody listens: a port that was a server's. */
Test(mail_smtp, a_server_that_is_away_is_temporary)
{
    start(NULL);
    smtp_server_kill(&server);
    open_session(NULL, NULL, NULL);
    expect(send_one(), MAIL_TEMPORARY, 0, "onnect");
    smtp_server_restart(&server, NULL);
    expect(send_one(), MAIL_SENT, 250, "");
    smtp_server_kill(&server);
    expect(send_one(), MAIL_TEMPORARY, 0, "onnect");
    smtp_server_restart(&server, NULL);
    expect(send_one(), MAIL_SENT, 250, "");
    stop();
}

Test(mail_smtp, a_kept_connection_that_was_closed_is_made_anew)
{
    static const char *const ways[] = {"close", "close 421 4.4.2 idle", "next drop MAIL",
                                       "next reply MAIL 421 4.3.2 closing"};

    start(NULL);
    open_session(NULL, NULL, NULL);
    expect(send_one(), MAIL_SENT, 250, "");
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        smtp_server_tell(&server, "%s", ways[i]);
        expect(send_one(), MAIL_SENT, 250, "");
        cr_expect_eq(smtp_server_count(&server, "connect"), i + 2, "%s", ways[i]);
    }
    smtp_server_tell(&server, "all drop MAIL");
    expect(send_one(), MAIL_TEMPORARY, 0, "");
    cr_expect_eq(smtp_server_count(&server, "connect"), 6, "it tries once more, not for ever");
    stop();
}

Test(mail_smtp, an_address_cannot_carry_a_command)
{
    static const char *const addresses[] = {"", "popug", "a@b>\r\nRCPT TO:<c@d", "a@b> SIZE=1",
                                            "a b@c"};
    struct mail_result result;

    start(NULL);
    open_session(NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        mail_session_send(session, FROM, addresses[i], "", 0, NULL, &result);
        expect(result, MAIL_PERMANENT, 0, "recipient's address");
        mail_session_send(session, addresses[i], TO, "", 0, NULL, &result);
        expect(result, MAIL_TEMPORARY, 0, "sender's address");
    }
    cr_expect_eq(smtp_server_count_command(&server, "EHLO"), 0);
    stop();
}

Test(mail_smtp, an_address_in_cyrillic_needs_a_server_that_takes_it)
{
    struct mail_result result;

    start((const char *const[]){"--smtputf8", NULL});
    open_session(NULL, NULL, NULL);
    mail_session_send(session, FROM, "попуг@example.org", MESSAGE, strlen(MESSAGE), NULL, &result);
    expect(result, MAIL_SENT, 250, "");
    stop();
    start(NULL);
    open_session(NULL, NULL, NULL);
    mail_session_send(session, FROM, "попуг@example.org", MESSAGE, strlen(MESSAGE), NULL, &result);
    expect(result, MAIL_PERMANENT, 500, "500");
    stop();
}

static atomic_bool stopping;
static double stopped_at_s;

/* Sets the flag once the server has logged what it hangs at. */
static void *set_stopping(void *event)
{
    while (smtp_server_count(&server, event) == 0) {
        thrd_yield();
    }
    stopped_at_s = now_s();
    atomic_store(&stopping, true);
    return NULL;
}

static void expect_stopped(const char *stage, const char *event)
{
    struct mail_result result;
    pthread_t thread;

    start(NULL);
    open_patient(0);
    smtp_server_tell(&server, "all hang %s", stage);
    atomic_store(&stopping, false);
    cr_assert_eq(pthread_create(&thread, NULL, set_stopping, (void *)event), 0);
    mail_session_send(session, FROM, TO, MESSAGE, strlen(MESSAGE), &stopping, &result);
    pthread_join(thread, NULL);
    expect_within(stopped_at_s, 2.5); /* one, and what a busy machine adds */
    expect(result, MAIL_STOPPED, 0, "stopped");
    const double begun_s = now_s();
    mail_session_send(session, FROM, TO, MESSAGE, strlen(MESSAGE), &stopping, &result);
    expect(result, MAIL_STOPPED, 0, "stopped");
    expect_within(begun_s, 0.5);
    stop();
}

Test(mail_smtp, stopping_ends_the_wait_for_a_greeting)
{
    expect_stopped("CONNECT", "connect");
}

Test(mail_smtp, stopping_ends_the_wait_for_an_answer)
{
    expect_stopped("RCPT", "message");
}

Test(mail_smtp, stopping_ends_the_wait_after_the_message)
{
    expect_stopped("END", "message");
}

static void *send_of_thread(void *settings)
{
    struct mail_result result;

    for (int i = 0; i < 3; i++) {
        mail_session_send(mail_session_of_thread(settings), FROM, TO, MESSAGE, strlen(MESSAGE),
                          NULL, &result);
        expect(result, MAIL_SENT, 250, "");
    }
    return mail_session_of_thread(settings);
}

Test(mail_smtp, each_thread_keeps_a_session_while_the_settings_stay)
{
    start(NULL);
    struct mail_settings settings = {.url = server.url};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, send_of_thread, &settings), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    cr_expect_eq(smtp_server_count_outcome(&server, "accepted"), 12);
    cr_expect_eq(smtp_server_count(&server, "connect"), 4);
    send_of_thread(&settings);
    settings.timeout_s = 7;
    send_of_thread(&settings);
    cr_expect_eq(smtp_server_count(&server, "connect"), 6);
    stop();
}

Test(mail_smtp, of_a_random_mix_what_arrived_is_what_was_said)
{
    start(NULL);
    open_patient(10);
    const uint64_t seed = seed_start();
    size_t sent = 0, permanent = 0;
    smtp_server_tell(&server,
                     "mix %" PRIu64
                     " 20 accept | 4 reply RCPT 450 busy | 4 reply END 451 later | 4 reply "
                     "MAIL 550 no | 4 reply END 554 no | 4 drop DATA | 4 drop END | 4 lose drop",
                     seed);
    for (int i = 0; i < 200; i++) {
        const struct mail_result result = send_one();
        sent += result.outcome == MAIL_SENT;
        permanent += result.outcome == MAIL_PERMANENT;
    }
    cr_expect_gt(sent, 50);
    cr_expect_eq(smtp_server_count_outcome(&server, "accepted"), sent);
    json_t *messages = smtp_server_log(&server, "message"), *entry;
    size_t i, refused = 0;
    json_array_foreach(messages, i, entry)
    {
        const char *answer = json_string_value(json_object_get(entry, "answer"));
        refused += answer != NULL && answer[0] == '5';
    }
    cr_expect_eq(refused, permanent);
    cr_expect_eq(json_array_size(messages), 200);
    json_decref(messages);
    stop();
}
