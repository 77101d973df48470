/* Sending over TLS, with and without credentials: what is refused, and that nothing goes in clear. */
#include "support/smtp_fixture.h"

static json_t *commands_in_clear(void)
{
    json_t *all = smtp_server_log(&server, "command"), *clear = json_array(), *entry;
    size_t i;

    json_array_foreach(all, i, entry)
    {
        if (!json_is_true(json_object_get(entry, "tls"))) {
            json_array_append(clear, json_object_get(entry, "verb"));
        }
    }
    json_decref(all);
    return clear;
}

static void expect_only_greetings_in_clear(void)
{
    json_t *clear = commands_in_clear(), *verb;
    size_t i;

    json_array_foreach(clear, i, verb)
    {
        const char *word = json_string_value(verb);
        cr_expect(strcmp(word, "EHLO") == 0 || strcmp(word, "STARTTLS") == 0, "%s in clear", word);
    }
    json_decref(clear);
}

Test(mail_tls, tls_is_used_where_the_authority_is_known)
{
    start((const char *const[]){"--tls=good", NULL});
    open_session(NULL, NULL, server.ca_file);
    expect(send_one(), MAIL_SENT, 250, "");
    expect(send_one(), MAIL_SENT, 250, "");
    cr_expect_eq(smtp_server_count(&server, "connect"), 1);
    expect_only_greetings_in_clear();
    stop();
}

Test(mail_tls, smtps_is_tls_from_the_first_byte)
{
    start((const char *const[]){"--tls=good", "--smtps", NULL});
    open_session(NULL, NULL, server.ca_file);
    expect(send_one(), MAIL_SENT, 250, "");
    mail_session_free(&session);
    open_session(NULL, NULL, NULL);
    expect(send_one(), MAIL_TEMPORARY, 0, "certificate");
    json_t *clear = commands_in_clear();
    cr_expect_eq(json_array_size(clear), 0);
    json_decref(clear);
    stop();
}

static void expect_tls_refused(const char *kind, const char *ca_file, const char *words)
{
    char option[32];

    snprintf(option, sizeof option, "--tls=%s", kind);
    start((const char *const[]){option, NULL});
    open_session(NULL, NULL, ca_file == NULL ? NULL : server.ca_file);
    for (int i = 0; i < 2; i++) {
        expect(send_one(), MAIL_TEMPORARY, 0, words);
    }
    cr_expect_eq(smtp_server_count_command(&server, "MAIL"), 0, "%s", kind);
    cr_expect_eq(smtp_server_count_command(&server, "STARTTLS"), 2, "%s", kind);
    expect_only_greetings_in_clear();
    stop();
}

Test(mail_tls, an_unknown_authority_is_refused)
{
    expect_tls_refused("good", NULL, "certificate");
}

Test(mail_tls, a_self_signed_certificate_is_refused)
{
    expect_tls_refused("self-signed", "ca", "self-signed certificate");
}

Test(mail_tls, another_name_is_refused)
{
    expect_tls_refused("other-name", "ca", "127.0.0.1");
}

Test(mail_tls, an_expired_certificate_is_refused)
{
    expect_tls_refused("expired", "ca", "expired");
}

Test(mail_tls, required_tls_that_is_not_offered_or_refused_sends_nothing)
{
    start(NULL);
    open_session("popug", "secret", NULL);
    expect(send_one(), MAIL_TEMPORARY, 0, "STARTTLS");
    mail_session_free(&session);
    cr_expect_eq(smtp_server_count_command(&server, "AUTH"), 0);
    cr_expect_eq(smtp_server_count_command(&server, "MAIL"), 0);
    stop();
    start((const char *const[]){"--tls=good", "--auth=popug:secret", NULL});
    open_session("popug", "secret", server.ca_file);
    smtp_server_tell(&server, "all reply STARTTLS 454 not today");
    expect(send_one(), MAIL_TEMPORARY, 454, "454 not today");
    smtp_server_tell(&server, "all drop STARTTLS");
    expect(send_one(), MAIL_TEMPORARY, 0, "");
    expect_only_greetings_in_clear();
    stop();
}

Test(mail_tls, credentials_go_over_tls)
{
    start((const char *const[]){"--tls=good", "--auth=popug:s\xd0\xb5\x63ret", NULL});
    open_session("popug", "s\xd0\xb5\x63ret", server.ca_file);
    expect(send_one(), MAIL_SENT, 250, "");
    expect(send_one(), MAIL_SENT, 250, "");
    cr_expect_eq(smtp_server_count_command(&server, "AUTH"), 1);
    json_t *messages = smtp_server_log(&server, "message");
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(messages, 0), "user")),
                     "popug");
    json_decref(messages);
    expect_only_greetings_in_clear();
    stop();
}

Test(mail_tls, bad_or_missing_credentials_are_temporary)
{
    start((const char *const[]){"--tls=good", "--auth=popug:secret", NULL});
    open_session("popug", "guess", server.ca_file);
    expect(send_one(), MAIL_TEMPORARY, 535, "535 5.7.8");
    mail_session_free(&session);
    open_session(NULL, NULL, server.ca_file);
    expect(send_one(), MAIL_TEMPORARY, 530, "530 5.7.0");
    cr_expect_eq(smtp_server_count_outcome(&server, "accepted"), 0);
    stop();
}

Test(mail_tls, settings_that_cannot_work_are_temporary)
{
    static const struct {
        const char *url, *words;
    } cases[] = {{"", ""},
                 {"http://127.0.0.1/", "http"},
                 {"smtp://popug:secret@127.0.0.1/", ""},
                 {"smtp://nowhere.invalid", "resolve"}};

    start((const char *const[]){"--tls=good", NULL});
    open_session(NULL, NULL, "/nowhere/ca.pem");
    expect(send_one(), MAIL_TEMPORARY, 0, "/nowhere/ca.pem");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mail_session_free(&session);
        session = mail_session_new(&(struct mail_settings){.url = cases[i].url, .timeout_s = 5});
        expect(send_one(), MAIL_TEMPORARY, 0, cases[i].words);
    }
    stop();
}
