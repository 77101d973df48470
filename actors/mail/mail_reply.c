/* What an SMTP server answers during one message; see mail_reply.h. RFC 5321, 4.2. */
#include "mail/mail_reply.h"

#include <string.h>
#include <strings.h>

#include "core/text.h"

/* The size of the UTF-8 character at data; 0 where there is none. */
static size_t character_size(const char *data, size_t size)
{
    for (size_t length = 1; length <= 4 && length <= size; length++) {
        if (ates_utf8_valid(data, length)) {
            return length;
        }
    }
    return 0;
}

/* C0, DEL and C1; U+2028 and U+2029 end lines too. */
static bool is_break(const char *data, size_t size)
{
    const unsigned char first = (unsigned char)data[0];

    return (size == 1 && (first < 0x20 || first == 0x7f)) ||
           (size == 2 && first == 0xc2 && (unsigned char)data[1] < 0xa0) ||
           (size == 3 &&
            (memcmp(data, "\xe2\x80\xa8", 3) == 0 || memcmp(data, "\xe2\x80\xa9", 3) == 0));
}

void mail_words_append(char *words, const char *data, size_t size)
{
    size_t used = strlen(words);

    for (size_t at = 0; at < size;) {
        const size_t length = character_size(data + at, size - at);
        const bool is_kept = length > 0 && !is_break(data + at, length);
        const char *from = is_kept ? data + at : length > 0 ? " " : "?";
        const size_t count = is_kept ? length : 1;

        if (used + count >= MAIL_WORDS_SIZE) {
            break;
        }
        memcpy(words + used, from, count);
        used += count;
        at += length > 0 ? length : 1;
    }
    words[used] = '\0';
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

void mail_reply_line(struct mail_reply *self, const char *line, size_t size)
{
    while (size > 0 &&
           (line[size - 1] == '\n' || line[size - 1] == '\r' || line[size - 1] == ' ')) {
        size--;
    }
    if (self->is_over || size < 3 || !is_digit(line[0]) || !is_digit(line[1]) ||
        !is_digit(line[2]) || (size > 3 && line[3] != ' ' && line[3] != '-')) {
        return;
    }
    if (!self->is_open) {
        self->words[0] = '\0';
        mail_words_append(self->words, line, 3);
    }
    if (size > 4) {
        mail_words_append(self->words, " ", 1);
        mail_words_append(self->words, line + 4, size - 4);
    }
    self->is_open = size > 3 && line[3] == '-';
    if (self->is_open) {
        return;
    }
    self->code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    self->count++;
    if (self->awaiting) {
        self->awaiting = false;
        self->accepted = self->code / 100 == 2;
    } else if (self->mailing && self->code == 354) {
        self->awaiting = true;
    }
}

void mail_reply_command(struct mail_reply *self, const char *command, size_t size)
{
    if (size >= 4 && strncasecmp(command, "QUIT", 4) == 0) {
        self->is_over = true;
        return;
    }
    self->code = 0;
    self->mailing = self->mailing || (size >= 5 && strncasecmp(command, "MAIL ", 5) == 0);
}

/* 5xx to a message's own commands, but for what is said to whoever is not signed in (RFC 4954, 6):
 * the message is not to blame. */
static bool is_permanent(const struct mail_reply *self)
{
    return self->mailing && self->code / 100 == 5 && self->code != 530 && self->code != 534 &&
           self->code != 535 && self->code != 538;
}

void mail_reply_judge(const struct mail_reply *self, const char *fault, struct mail_result *result)
{
    *result = (struct mail_result){.outcome = MAIL_TEMPORARY};
    if (!self->accepted && (self->is_open || self->code < 400)) {
        mail_words_append(result->words, fault, strlen(fault));
        return;
    }
    if (self->accepted) {
        result->outcome = MAIL_SENT;
    } else if (is_permanent(self)) {
        result->outcome = MAIL_PERMANENT;
    }
    result->response_code = self->code;
    memcpy(result->words, self->words, sizeof result->words);
}
