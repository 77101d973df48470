/* A session with a scripted server, and what tests look at in its results. Each test has a process
 * of its own. */
#ifndef ATES_TEST_SMTP_FIXTURE_H
#define ATES_TEST_SMTP_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mail/mail_smtp.h"
#include "support/smtp_server.h"

#define FROM "ates@example.org"
#define TO "popug@example.org"
#define MESSAGE "Subject: a\r\n\r\n.dots\r\n..\r\n.\r\nend\r\n"

static struct smtp_server server;
static struct mail_session *session;

static inline void open_patient(int timeout_s)
{
    session = mail_session_new(&(struct mail_settings){.url = server.url, .timeout_s = timeout_s});
    cr_assert_not_null(session);
}

/* A session with a patience of some seconds. */
static inline void open_session(const char *user, const char *password, const char *ca_file)
{
    session = mail_session_new(&(struct mail_settings){
        .url = server.url, .user = user, .password = password, .ca_file = ca_file, .timeout_s = 5});
    cr_assert_not_null(session);
}

static inline void start(const char *const *options)
{
    smtp_server_start(&server, options);
}

static inline void stop(void)
{
    mail_session_free(&session);
    smtp_server_stop(&server);
}

static inline struct mail_result send_one(void)
{
    struct mail_result result;

    mail_session_send(session, FROM, TO, MESSAGE, strlen(MESSAGE), NULL, &result);
    return result;
}

/* words: what the result's must contain. */
static inline void expect(struct mail_result result, enum mail_outcome outcome, int code,
                          const char *words)
{
    cr_expect(result.outcome == outcome && result.response_code == code &&
                  strstr(result.words, words) != NULL,
              "outcome %d, code %d, '%s' is not %d, %d, '%s'", (int)result.outcome,
              result.response_code, result.words, (int)outcome, code, words);
}

static inline double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void expect_within(double begun_s, double limit_s)
{
    const double took_s = now_s() - begun_s;

    cr_expect_lt(took_s, limit_s, "it took %.2f s", took_s);
}

#endif
