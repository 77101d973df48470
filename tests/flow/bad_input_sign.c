/* Writes the tokens of bad_input.h: claims as JSON by hand, signed with any key, changed
 * afterwards. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "flow/bad_input.h"

#define HOUR_MS 3600000
#define HEADER "v4.public."

/* A moment as JSON. */
static void write_time(int64_t time_ms, char out[40])
{
    const time_t seconds = (time_t)(time_ms / 1000);
    struct tm utc;
    char text[24];

    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));
    snprintf(out, 40, "\"%s.%03dZ\"", text, (int)(time_ms % 1000));
}

static void write_claims(const struct bad_token *token, int64_t now_ms, char *out, size_t size)
{
    char issued[40], not_before[40], expires[40];
    size_t used = 0;

    write_time(now_ms + token->issued_ms, issued);
    write_time(now_ms + token->not_before_ms, not_before);
    write_time(now_ms + (token->expires_ms != 0 ? token->expires_ms : HOUR_MS), expires);
    const struct {
        const char *name, *value;
    } claims[] = {
        {"iss", "\"ates\""},
        {"aud", "\"ates\""},
        {"sub", token->sub != NULL ? token->sub : "\"1\""},
        {"role", token->role != NULL ? token->role : "\"administrator\""},
        {"login", "\"ada\""},
        {"sid", "\"flow\""},
        {"jti", "\"0190\""},
        {"iat", issued},
        {"nbf", not_before},
        {"exp", expires},
    };
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        const bool is_other = token->claim != NULL && strcmp(token->claim, claims[i].name) == 0;
        const char *value = is_other ? token->value : claims[i].value;

        if (value != NULL) {
            used += (size_t)snprintf(out + used, size - used, "%s\"%s\":%s", used == 0 ? "{" : ",",
                                     claims[i].name, value);
        }
    }
    snprintf(out + used, size - used, "%s}", token->more != NULL ? token->more : "");
}

static void change(const struct bad_token *token, char *text)
{
    const size_t size = strlen(text);
    char *footer = strrchr(text, '.');

    switch (token->change) {
    case AS_SIGNED:
        break;
    case PAYLOAD_CHANGED:
        text[sizeof HEADER + 4] = text[sizeof HEADER + 4] == 'A' ? 'B' : 'A';
        break;
    case SIGNATURE_CHANGED: /* its 64 bytes are the last before the footer */
        footer[-20] = footer[-20] == 'A' ? 'B' : 'A';
        break;
    case FOOTER_GONE:
        *footer = '\0';
        break;
    case LAST_CUT:
        text[size - 1] = '\0';
        break;
    case ONE_MORE:
        strcpy(text + size, "A");
        break;
    case PADDED:
        strcpy(text + size, "=");
        break;
    case SPACE_BEFORE:
        memmove(text + 1, text, size + 1);
        text[0] = ' ';
        break;
    case IN_CAPITALS:
        for (size_t i = sizeof HEADER; i < size; i++) {
            text[i] = (char)toupper((unsigned char)text[i]);
        }
        break;
    case CUT_IN_HALF:
        text[size / 2] = '\0';
        break;
    }
}

static const struct ates_secret_key *key_of(const struct bad_token *token,
                                            const struct bad_token_keys *keys)
{
    return token->key == KEY_OF_USERS      ? &keys->users
           : token->key == KEY_OF_SERVICES ? &keys->services
                                           : &keys->nobody;
}

void bad_token_write(const struct bad_token *token, const struct bad_token_keys *keys,
                     int64_t now_ms, char text[ATES_TOKEN_MAX + 1])
{
    const struct ates_secret_key *key = key_of(token, keys);
    const char *kid = token->kid == KID_OF_USERS      ? keys->users.kid
                      : token->kid == KID_OF_SERVICES ? keys->services.kid
                                                      : key->kid;
    char made[ATES_TOKEN_MAX + 1], message[1024], footer[512];

    if (token->text != NULL) {
        strcpy(text, token->text);
        return;
    }
    if (token->message != NULL) {
        strcpy(message, token->message);
    } else {
        write_claims(token, now_ms, message, sizeof message);
    }
    const char *pattern = token->footer != NULL ? token->footer : "{\"kid\":\"%s\"}";
    const char *mark = strstr(pattern, "%s");
    const int before = mark != NULL ? (int)(mark - pattern) : (int)strlen(pattern);
    snprintf(footer, sizeof footer, "%.*s%s%s", before, pattern, mark != NULL ? kid : "",
             mark != NULL ? mark + 2 : "");
    cr_assert_eq(ates_paseto_sign(key->secret, message, strlen(message), footer, strlen(footer),
                                  NULL, 0, made, sizeof made),
                 0);
    const char *header = token->header != NULL ? token->header : HEADER;
    const int size = snprintf(text, ATES_TOKEN_MAX + 1, "%s%s", header, made + strlen(HEADER));
    cr_assert_lt(size, (int)ATES_TOKEN_MAX); /* with room for a change */
    change(token, text);
}
