/* What a mail server answers: lines, those that begin with '>' being our own commands. Whatever it says, what is
 * kept of it is one line of UTF-8, and a mail counts as sent or as refused for good only where a code says so. */
#include "fuzz.h"

#include "mail/mail_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mail_reply reply = {.code = 0};
    struct mail_result result;
    const char *at = (const char *)data, *end = at + size;
    bool mailed = false;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *next = newline != NULL ? newline + 1 : end;

        if (*at == '>') {
            mail_reply_command(&reply, at + 1, (size_t)(next - at - 1));
            mailed |= reply.mailing;
        } else {
            mail_reply_line(&reply, at, (size_t)(next - at));
        }
        fuzz_require(reply.code >= 0 && reply.code <= 999);
        at = next;
    }
    mail_reply_judge(&reply, "the connection broke", &result);
    fuzz_require(fuzz_is_line(result.words));
    fuzz_require(strlen(result.words) < MAIL_WORDS_SIZE);
    fuzz_require((result.outcome == MAIL_SENT) == reply.accepted);
    fuzz_require(result.outcome != MAIL_SENT || mailed);
    fuzz_require(result.outcome != MAIL_PERMANENT || (mailed && result.response_code / 100 == 5));
    return 0;
}
