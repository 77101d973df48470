/* Passwords that are guessed first; see auth_guess.h. */
#include "auth/auth_guess.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ates/auth.h>
#include <sodium.h>

#include "core/file.h"

#define SETTING "auth/refused_passwords"
#define PASSWORD_SIZE (AUTH_PASSWORD_MAX * 4) /* bytes */

struct auth_guess {
    uint8_t key[crypto_shorthash_KEYBYTES];
    size_t count;
    uint64_t hashes[]; /* of the list's lines, ascending */
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static uint64_t hash_line(const struct auth_guess *self, const char *line, size_t size)
{
    char folded[PASSWORD_SIZE];
    uint64_t hash;

    assert(size <= sizeof folded);
    for (size_t i = 0; i < size; i++) {
        folded[i] = lower(line[i]);
    }
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)folded, size, self->key);
    sodium_memzero(folded, size);
    return hash;
}

static int compare(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static int fail(int fault, const char *path, char *error, size_t error_size)
{
    snprintf(error, error_size, SETTING ": %s: %s", path, strerror(-fault));
    return fault;
}

/* The whole file, and a line's end behind it. */
static int read_file(const char *path, char **text, size_t *size, char *error, size_t error_size)
{
    struct stat about;
    const int file = ates_file_open_setting(SETTING, path, error, error_size);

    if (file < 0) {
        return file;
    }
    int r = fstat(file, &about) != 0                        ? -errno
            : (uint64_t)about.st_size > AUTH_GUESS_FILE_MAX ? -EFBIG
                                                            : 0;
    *text = r == 0 ? malloc((size_t)about.st_size + 1) : NULL;
    if (r == 0 && *text == NULL) {
        r = -ENOMEM;
    }
    *size = 0;
    while (r == 0 && *size < (size_t)about.st_size) {
        const ssize_t got = read(file, *text + *size, (size_t)about.st_size - *size);
        if (got <= 0) {
            r = got < 0 ? -errno : -EIO;
        } else {
            *size += (size_t)got;
        }
    }
    close(file);
    if (r != 0) {
        free(*text);
        return fail(r, path, error, error_size);
    }
    (*text)[(*size)++] = '\n';
    return 0;
}

static size_t count_lines(const char *text, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i < size; i++) {
        count += text[i] == '\n';
    }
    return count;
}

/* What no password can be, as it is too long, is left out. */
static void add_lines(struct auth_guess *self, const char *text, size_t size)
{
    const char *line = text;

    for (const char *end; line < text + size; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + size - line));
        size_t length = (size_t)(end - line);
        length -= length > 0 && line[length - 1] == '\r';
        if (length > 0 && length <= PASSWORD_SIZE) {
            self->hashes[self->count++] = hash_line(self, line, length);
        }
    }
    qsort(self->hashes, self->count, sizeof self->hashes[0], compare);
}

int auth_guess_open(struct auth_guess **guess, const char *path, char *error, size_t error_size)
{
    char *text = NULL;
    size_t size = 0;
    int r = path[0] != '\0' ? read_file(path, &text, &size, error, error_size) : 0;

    struct auth_guess *self =
        r == 0 ? calloc(1, sizeof *self + count_lines(text, size) * sizeof self->hashes[0]) : NULL;
    if (r == 0 && self == NULL) {
        r = fail(-ENOMEM, path, error, error_size);
    }
    if (r == 0) {
        crypto_shorthash_keygen(self->key);
        if (size > 0) {
            add_lines(self, text, size);
        }
    }
    free(text);
    *guess = self;
    return r;
}

void auth_guess_free(struct auth_guess **guess)
{
    free(*guess);
    *guess = NULL;
}

/* How much of text one of the words takes up at its beginning, signs and digits in the word counted too; the longest. */
static size_t match_word(struct ates_text text, const struct ates_text *words, size_t word_count)
{
    size_t longest = 0;

    for (size_t w = 0; w < word_count; w++) {
        size_t i = 0;
        while (i < words[w].size && i < text.size &&
               lower(words[w].data[i]) == lower(text.data[i])) {
            i++;
        }
        if (i == words[w].size && i > longest) {
            longest = i;
        }
    }
    return longest;
}

static bool is_letter(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c & 0x80) != 0;
}

/* Whether words, digits and signs are all there is, and at least one word. */
static bool is_made_of(struct ates_text text, const struct ates_text *words, size_t word_count)
{
    bool has_word = false;

    while (text.size > 0) {
        size_t step = match_word(text, words, word_count);
        if (step > 0) {
            has_word = true;
        } else if (is_letter(text.data[0])) {
            return false;
        } else {
            step = 1;
        }
        text.data += step;
        text.size -= step;
    }
    return has_word;
}

bool auth_guess_finds(const struct auth_guess *self, struct ates_text password,
                      struct ates_text login, struct ates_text email)
{
    const char *at = email.size > 0 ? memchr(email.data, '@', email.size) : NULL;
    const struct ates_text words[] = {
        login,
        {email.data, at != NULL ? (size_t)(at - email.data) : email.size},
        ates_text_from("ates"),
        ates_text_from("uberpopug"),
        ates_text_from("popug"),
    };
    const uint64_t hash = hash_line(self, password.data, password.size);

    return bsearch(&hash, self->hashes, self->count, sizeof hash, compare) != NULL ||
           is_made_of(password, words, sizeof words / sizeof words[0]);
}
