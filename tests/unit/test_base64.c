/* base64url: what is read, and that there is no second spelling of it. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/base64.h"

static int decode(const char *text, size_t text_size, uint8_t out[8], size_t *size)
{
    return ates_base64_read(text, text_size, out, 8, size);
}

Test(base64, reads_what_rfc_4648_gives)
{
    static const struct {
        const char *text, *bytes;
    } rows[] = {
        {"", ""},           {"Zg", "f"},          {"Zm8", "fo"},          {"Zm9v", "foo"},
        {"Zm9vYg", "foob"}, {"Zm9vYmE", "fooba"}, {"Zm9vYmFy", "foobar"}, {"-_--", "\xfb\xff\xbe"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[8];
        size_t size = 99;

        cr_assert_eq(decode(rows[i].text, strlen(rows[i].text), out, &size), 0, "%s", rows[i].text);
        cr_assert_eq(size, strlen(rows[i].bytes));
        cr_assert_arr_eq(out, rows[i].bytes, size);
    }
}

Test(base64, refuses_any_other_spelling)
{
    static const char *const texts[] = {
        "Zg==",   "Zg=",   "Zh",   "Zm9",  "Z",
        "Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zm9vYmFyZm9v" /* more than there is room for */};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint8_t out[8];
        size_t size;

        cr_assert_eq(decode(texts[i], strlen(texts[i]), out, &size), -EINVAL, "%s", texts[i]);
    }
}

/* Each byte in each place of a group: only the alphabet is taken, beyond ASCII nothing. */
Test(base64, takes_the_alphabet_only)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (size_t place = 0; place < 4; place++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[] = "QUJD";
            uint8_t out[8];
            size_t size;

            text[place] = (char)byte;
            const bool is_letter = byte != 0 && strchr(alphabet, byte) != NULL;
            cr_assert_eq(decode(text, 4, out, &size) == 0, is_letter, "%02x at %zu", byte, place);
        }
    }
}
