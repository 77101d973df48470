/* Letters: the bytes of a known one, random ones read by Python's email package, and what cannot be
 * written. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "mail/mail_letter.h"
#include "support/seed.h"
#include "support/temp_folder.h"

#define LETTERS 300u
#define LONGEST 600u /* characters of a random text */

static struct mail_letter small_letter(void)
{
    return (struct mail_letter){
        .from = ates_text_from("ates@example.org"),
        .to = ates_text_from("popug@example.org"),
        .to_name = ates_text_from("Попуг"),
        .subject = ates_text_from(
            "Выплата за 2024-02-29: 1 234,50 ₽ и ещё немного слов"),
        .message_id = ates_text_from("payout-2024-02-29-7@example.org"),
        .date_ms = INT64_C(1709240399999), /* 2024-02-29T20:59:59.999Z */
        .text = ates_text_from("Здравствуйте!\nВсего: 1 234,50\n"),
        .html = ates_text_from("<p>Hello</p>\r\n"),
    };
}

/* The base64 of these was made by Python. */
Test(mail_letter, a_small_letter_is_these_bytes)
{
    static const char expected[] =
        "From: ates@example.org\r\n"
        "To: =?UTF-8?B?0J/QvtC/0YPQsw==?=\r\n"
        " <popug@example.org>\r\n"
        "Date: Thu, 29 Feb 2024 20:59:59 +0000\r\n"
        "Subject: =?UTF-8?B?0JLRi9C/0LvQsNGC0LAg0LfQsCAyMDI0LTAyLTI5OiAxIDIzNCw1?=\r\n"
        " =?UTF-8?B?MCDigr0g0Lgg0LXRidGRINC90LXQvNC90L7Qs9C+INGB0LvQvtCy?=\r\n"
        "Message-ID: <payout-2024-02-29-7@example.org>\r\n"
        "Auto-Submitted: auto-generated\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: multipart/alternative; boundary=\"=_aTES_alternative\"\r\n"
        "\r\n"
        "--=_aTES_alternative\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        "\r\n"
        "0JfQtNGA0LDQstGB0YLQstGD0LnRgtC1IQ0K0JLRgdC10LPQvjogMSAyMzQsNTANCg==\r\n"
        "--=_aTES_alternative\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        "\r\n"
        "PHA+SGVsbG88L3A+DQo=\r\n"
        "--=_aTES_alternative--\r\n";
    const struct mail_letter letter = small_letter();
    struct ates_buffer first = {0}, second = {0};

    cr_assert_eq(mail_letter_render(&letter, &first), 0);
    ates_buffer_append(&first, "", 1);
    cr_expect_str_eq((const char *)first.data, expected);
    cr_assert_eq(mail_letter_render(&letter, &second), 0);
    cr_expect(second.size == first.size - 1 && memcmp(first.data, second.data, second.size) == 0);
    ates_buffer_release(&first);
    ates_buffer_release(&second);
}

static void expect_part(const struct mail_letter *letter, const char *part)
{
    struct ates_buffer out = {0};

    cr_assert_eq(mail_letter_render(letter, &out), 0);
    cr_expect_not_null(memmem(out.data, out.size, part, strlen(part)), "there is no '%s'", part);
    ates_buffer_release(&out);
}

Test(mail_letter, what_can_be_read_as_it_stands_is_not_encoded)
{
    struct mail_letter letter = small_letter();

    letter.subject = ates_text_from("Payout of 1,234.50 (2024-02-29)");
    expect_part(&letter, "\r\nSubject: Payout of 1,234.50 (2024-02-29)\r\n");
    letter.subject = ates_text_from("=?UTF-8?B?0JA=?=");
    expect_part(&letter, "\r\nSubject: =?UTF-8?B?PT9VVEYtOD9CPzBKQT0/PQ==?=\r\n");
    letter.to_name = ates_text_from("Popug 7");
    expect_part(&letter, "\r\nTo: Popug 7\r\n <popug@example.org>\r\n");
    letter.to_name = ates_text_from("a, b");
    expect_part(&letter, "\r\nTo: =?UTF-8?B?YSwgYg==?=\r\n <popug@example.org>\r\n");
    letter.to_name = (struct ates_text){0};
    expect_part(&letter, "\r\nTo: popug@example.org\r\n");
}

static void append_character(struct ates_buffer *out, uint32_t code)
{
    const uint8_t tails[] = {(uint8_t)(0x80 | (code >> 12 & 0x3f)),
                             (uint8_t)(0x80 | (code >> 6 & 0x3f)), (uint8_t)(0x80 | (code & 0x3f))};
    const size_t count = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t heads[] = {0, 0xc0, 0xe0, 0xf0};
    const uint8_t head = (uint8_t)(heads[count] | code >> (6 * count));

    ates_buffer_append(out, &head, 1);
    ates_buffer_append(out, tails + 3 - count, count);
}

/* Any character of Unicode that is neither a control character nor a surrogate, most often of a
 * script that people write. */
static uint32_t draw_character(uint64_t *seed)
{
    static const struct {
        uint32_t first, last;
    } kinds[] = {{' ', '~'},         {0x430, 0x44f}, {0xa1, 0x17f},    {0x4e00, 0x9fff},
                 {0x1f600, 0x1f64f}, {0xa0, 0xd7ff}, {0xe000, 0xfffd}, {0x10000, 0x10ffff},
                 {'=', '?'},         {' ', ' '}};
    const uint64_t kind = seed_draw(seed, sizeof kinds / sizeof kinds[0]);

    return kinds[kind].first + (uint32_t)seed_draw(seed, kinds[kind].last - kinds[kind].first + 1u);
}

/* lines: with line ends. Half of the texts are short. */
static struct ates_buffer draw_text(uint64_t *seed, bool lines)
{
    struct ates_buffer text = {0};
    const uint64_t count = seed_draw(seed, seed_draw(seed, 2) == 0 ? 20 : LONGEST);
    const bool is_ascii = seed_draw(seed, 4) == 0;

    for (uint64_t i = 0; i < count; i++) {
        if (lines && seed_draw(seed, 30) == 0) {
            ates_buffer_append(&text, "\r\n" + seed_draw(seed, 2), 1);
        } else {
            append_character(&text, is_ascii ? (uint32_t)(' ' + seed_draw(seed, 95))
                                             : draw_character(seed));
        }
    }
    return text;
}

static struct ates_text text_of(const struct ates_buffer *buffer)
{
    return (struct ates_text){(const char *)buffer->data, buffer->size};
}

static json_t *json_of(struct ates_text text)
{
    return json_stringn(text.size > 0 ? text.data : "", text.size);
}

static void write_bytes(const char *folder, unsigned number, const char *kind, const void *data,
                        size_t size)
{
    char path[TEMP_FOLDER_SIZE + 32];

    snprintf(path, sizeof path, "%s/%03u.%s", folder, number, kind);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(data, 1, size, file), size);
    fclose(file);
}

static void write_letter(const char *folder, unsigned number, const struct mail_letter *letter)
{
    struct ates_buffer message = {0};

    cr_assert_eq(mail_letter_render(letter, &message), 0, "letter %u", number);
    write_bytes(folder, number, "eml", message.data, message.size);
    ates_buffer_release(&message);
    json_t *wanted =
        json_pack("{so so so so so so so so sI}", "from", json_of(letter->from), "from_name",
                  json_of(letter->from_name), "to", json_of(letter->to), "to_name",
                  json_of(letter->to_name), "subject", json_of(letter->subject), "message_id",
                  json_of(letter->message_id), "text", json_of(letter->text), "html",
                  json_of(letter->html), "date_ms", (json_int_t)letter->date_ms);
    char *text = json_dumps(wanted, 0);
    cr_assert_not_null(text);
    write_bytes(folder, number, "json", text, strlen(text));
    free(text);
    json_decref(wanted);
}

Test(mail_letter, python_reads_random_letters_as_they_were_written)
{
    char folder[TEMP_FOLDER_SIZE], command[512], id[64];
    uint64_t seed = seed_start();

    temp_folder_make(folder);
    for (unsigned i = 0; i < LETTERS; i++) {
        struct ates_buffer texts[5];
        for (size_t t = 0; t < 5; t++) {
            texts[t] = draw_text(&seed, t >= 3);
        }
        snprintf(id, sizeof id, "payout-%u@example.org", i);
        write_letter(folder, i,
                     &(struct mail_letter){
                         .from = ates_text_from("a.t+es@mail.example.org"),
                         .from_name = text_of(&texts[0]),
                         .to = ates_text_from("o'neil@example.org"),
                         .to_name = text_of(&texts[1]),
                         .subject = text_of(&texts[2]),
                         .message_id = ates_text_from(id),
                         .date_ms = (int64_t)seed_draw(&seed, UINT64_C(253402300800000)),
                         .text = text_of(&texts[3]),
                         .html = text_of(&texts[4]),
                     });
        for (size_t t = 0; t < 5; t++) {
            ates_buffer_release(&texts[t]);
        }
    }
    snprintf(command, sizeof command, "%s %s/tests/support/check_letter.py %s >&2",
             "/usr/bin/python3", ATES_SOURCE_ROOT, folder);
    cr_expect_eq(system(command), 0, "Python reads something else (above)");
    temp_folder_remove(folder);
}

static void expect_refused(struct mail_letter letter, const char *what)
{
    struct ates_buffer out = {0};

    cr_expect_eq(mail_letter_render(&letter, &out), -EINVAL, "%s", what);
    cr_expect_eq(out.size, 0, "%s: something was written", what);
    ates_buffer_release(&out);
}

Test(mail_letter, a_header_cannot_be_broken_by_its_value)
{
    static const struct ates_text breaks[] = {{"a\r\nBcc: b@example.org", 22},
                                              {"a\nb@example.org", 15},
                                              {"a\rb@example.org", 15},
                                              {"a\0b@example.org", 15},
                                              {"a\x7f@b.c", 6},
                                              {"a\xc2\x85@b.c", 7},
                                              {"a\xff@b.c", 6},
                                              {"a\xc3@b.c", 6}};

    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        for (int field = 0; field < 6; field++) {
            struct mail_letter letter = small_letter();
            struct ates_text *fields[] = {&letter.from,    &letter.to,      &letter.from_name,
                                          &letter.to_name, &letter.subject, &letter.message_id};
            *fields[field] = breaks[i];
            expect_refused(letter, breaks[i].data);
        }
    }
}

Test(mail_letter, an_address_cannot_become_two_or_syntax)
{
    static const char *const addresses[] = {
        "",          "a",       "@b",      "a@",       "a@b@c",
        "a, b@c",    "a,b@c.d", "<a@b.c>", "a@b.c>",   "a@b.c(x)",
        "\"a\"@b.c", "a;b@c.d", "a:b@c.d", "a\\b@c.d", "a@[127.0.0.1]",
        "a b@c.d"};

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct mail_letter letter = small_letter();
        letter.to = ates_text_from(addresses[i]);
        expect_refused(letter, addresses[i]);
        letter = small_letter();
        letter.message_id = ates_text_from(addresses[i]);
        expect_refused(letter, addresses[i]);
    }
    char longest[MAIL_ADDRESS_MAX + 2] = "";
    memset(longest, 'a', sizeof longest - 1);
    longest[3] = '@';
    cr_expect_not(mail_address_valid(ates_text_from(longest)));
    longest[MAIL_ADDRESS_MAX] = '\0';
    cr_expect(mail_address_valid(ates_text_from(longest)));
    cr_expect(mail_address_valid(ates_text_from("попуг@пример.рф")));
}

Test(mail_letter, other_dates_and_bodies_are_refused)
{
    struct mail_letter letter = small_letter();

    letter.date_ms = -1;
    expect_refused(letter, "before 1970");
    letter.date_ms = INT64_C(253402300800000);
    expect_refused(letter, "the year 10000");
    letter = small_letter();
    letter.message_id = ates_text_from("попуг@example.org");
    expect_refused(letter, "an id that is not ASCII");
    letter = small_letter();
    letter.text = ates_text_from("\xff");
    expect_refused(letter, "text");
    letter = small_letter();
    letter.html = ates_text_from("\xc3");
    expect_refused(letter, "html");
}
