/* What an SMTP server answers during one message, line by line, and what follows from it. */
#ifndef MAIL_REPLY_H
#define MAIL_REPLY_H

#include <stdbool.h>

#include "mail/mail_smtp.h"

/* {0} before a message. */
struct mail_reply {
    int code;      /* of the reply to the last command; 0: none */
    size_t count;  /* whole replies */
    bool is_open;  /* more lines of this reply follow */
    bool is_over;  /* QUIT was said: what follows is no answer to the message */
    bool mailing;  /* the server was told of the message: MAIL */
    bool awaiting; /* it has asked for the message: 354 */
    bool accepted; /* and has taken it: 2xx */
    char words[MAIL_WORDS_SIZE];
};

/* Takes one line of the server, with or without its end. */
void mail_reply_line(struct mail_reply *self, const char *line, size_t size);

/* Takes one command that was sent. */
void mail_reply_command(struct mail_reply *self, const char *command, size_t size);

/* What came of the message. fault: why no reply decided, where none did. A 5xx before MAIL (to the
 * greeting, EHLO, STARTTLS, AUTH) is temporary: it says nothing of this message. */
void mail_reply_judge(const struct mail_reply *self, const char *fault, struct mail_result *result);

/* Appends bytes from outside to words (MAIL_WORDS_SIZE) as one line of valid UTF-8, cut between
 * characters: controls become spaces, other bytes '?'. */
void mail_words_append(char *words, const char *data, size_t size);

#endif
