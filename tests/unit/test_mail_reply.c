/* What follows from a server's lines; the words are one line of valid UTF-8 whatever it says. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/text.h"
#include "mail/mail_reply.h"
#include "support/seed.h"

/* Feeds "C command" and "S line" up to NULL. */
static struct mail_reply talk(const char *const *lines)
{
    struct mail_reply reply = {0};

    for (; *lines != NULL; lines++) {
        if ((*lines)[0] == 'C') {
            mail_reply_command(&reply, *lines + 2, strlen(*lines + 2));
        } else {
            mail_reply_line(&reply, *lines + 2, strlen(*lines + 2));
        }
    }
    return reply;
}

#define BEGIN "S 220 hello\r\n", "C EHLO me\r\n", "S 250-test\r\n", "S 250 SIZE\r\n"
#define MAIL "C MAIL FROM:<a@b>\r\n"
#define MESSAGE                                                                                    \
    BEGIN, MAIL, "S 250 ok\r\n", "C RCPT TO:<c@d>\r\n", "S 250 ok\r\n", "C DATA\r\n", "S 354 go\r\n"

Test(mail_reply, the_outcome_follows_from_the_deciding_reply)
{
    static const struct {
        const char *lines[16];
        enum mail_outcome outcome;
        int code;
        const char *words;
    } cases[] = {
        {{NULL}, MAIL_TEMPORARY, 0, "fault"},
        {{"S 554 go away\r\n", NULL}, MAIL_TEMPORARY, 554, "554 go away"},
        {{BEGIN, NULL}, MAIL_TEMPORARY, 0, "fault"},
        {{BEGIN, "C AUTH PLAIN\r\n", "S 535 5.7.8 no\r\n", NULL},
         MAIL_TEMPORARY,
         535,
         "535 5.7.8 no"},
        {{BEGIN, MAIL, "S 530 sign in\r\n", NULL}, MAIL_TEMPORARY, 530, "530 sign in"},
        {{BEGIN, MAIL, "S 534 weak\r\n", NULL}, MAIL_TEMPORARY, 534, "534 weak"},
        {{BEGIN, MAIL, "S 538 TLS\r\n", NULL}, MAIL_TEMPORARY, 538, "538 TLS"},
        {{BEGIN, MAIL, "S 550 no\r\n", NULL}, MAIL_PERMANENT, 550, "550 no"},
        {{BEGIN, MAIL, "S 550 no\r\n", "C QUIT\r\n", "S 221 bye\r\n", NULL},
         MAIL_PERMANENT,
         550,
         "550 no"},
        {{BEGIN, MAIL, "S 550-a\r\n", NULL}, MAIL_TEMPORARY, 0, "fault"},
        {{BEGIN, MAIL, "S 451 later\r\n", NULL}, MAIL_TEMPORARY, 451, "451 later"},
        {{BEGIN, MAIL, "S 250 ok\r\n", NULL}, MAIL_TEMPORARY, 0, "fault"},
        {{BEGIN, MAIL, "S 250 ok\r\n", "C RCPT TO:<c@d>\r\n", "S 550-5.1.1 no such\r\n",
          "S 550-\r\n", "S 550 5.1.1 popug\r\n", NULL},
         MAIL_PERMANENT,
         550,
         "550 5.1.1 no such 5.1.1 popug"},
        {{MESSAGE, NULL}, MAIL_TEMPORARY, 0, "fault"},
        {{MESSAGE, "S 250 2.0.0 taken\r\n", NULL}, MAIL_SENT, 250, "250 2.0.0 taken"},
        {{MESSAGE, "S 250 2.0.0 taken\r\n", "C QUIT\r\n", "S 221 bye\r\n", NULL},
         MAIL_SENT,
         250,
         "250 2.0.0 taken"},
        {{MESSAGE, "S 252\r\n", NULL}, MAIL_SENT, 252, "252"},
        {{MESSAGE, "S 250-taken\r\n", NULL}, MAIL_TEMPORARY, 0, "fault"},
        {{MESSAGE, "S nonsense\r\n", NULL}, MAIL_TEMPORARY, 0, "fault"},
        {{MESSAGE, "S 452 full\r\n", NULL}, MAIL_TEMPORARY, 452, "452 full"},
        {{MESSAGE, "S 554 spam\n", NULL}, MAIL_PERMANENT, 554, "554 spam"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct mail_reply reply = talk(cases[i].lines);
        struct mail_result result;

        mail_reply_judge(&reply, "fault", &result);
        cr_expect_eq(result.outcome, cases[i].outcome, "case %zu: %d", i, (int)result.outcome);
        cr_expect_eq(result.response_code, cases[i].code, "case %zu: %d", i, result.response_code);
        cr_expect_str_eq(result.words, cases[i].words, "case %zu", i);
    }
}

Test(mail_reply, words_are_one_line_of_utf8)
{
    char words[MAIL_WORDS_SIZE] = "";

    mail_words_append(words, "a\r\nb\tc\0d\x7f", 9);
    mail_words_append(words, "\xc2\x85\xe2\x80\xa8\xff\xc3<\xd0\x9f\xed\xa0\x80>", 14);
    cr_expect_str_eq(words, "a  b c d   \?\?<П\?\?\?>");
    words[0] = '\0';
    for (int i = 0; i < 200; i++) {
        mail_words_append(words, "П", 2);
    }
    cr_expect_eq(strlen(words), 254, "cut between characters");
}

Test(mail_reply, random_bytes_never_break_the_words)
{
    uint64_t seed = seed_start();

    for (int i = 0; i < 20000; i++) {
        struct mail_reply reply = {0};
        struct mail_result result;
        for (int line = 0; line < 3; line++) {
            char bytes[400] = "550-";
            const size_t size = seed_draw(&seed, sizeof bytes);
            for (size_t b = seed_draw(&seed, 5); b < size; b++) {
                bytes[b] = (char)seed_next(&seed);
            }
            mail_reply_line(&reply, bytes, size);
        }
        mail_reply_judge(&reply, "fault", &result);
        const size_t size = strlen(result.words);
        size_t characters;
        cr_assert_lt(size, sizeof result.words);
        cr_assert_null(
            ates_text_scan((struct ates_text){result.words, size}, ATES_RULE_LINE, &characters));
        cr_assert_neq(result.outcome, MAIL_SENT);
    }
}
