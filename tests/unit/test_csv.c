/* The CSV reader: RFC 4180, what it refuses, and that it reads back whatever was written. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "atesctl/csv.h"
#include "atesctl/output.h"
#include "support/seed.h"

static struct ates_arena *arena;

static void set_up(void)
{
    arena = ates_arena_new();
    cr_assert_not_null(arena);
}

static void tear_down(void)
{
    ates_arena_free(&arena);
}

TestSuite(csv, .init = set_up, .fini = tear_down);

/* All rows as LINE:[field][field]; or what is wrong as LINE!problem. */
static const char *read_sized(const char *data, size_t size)
{
    static char out[4096];
    struct csv_reader reader;
    struct csv_row row;
    const char *problem;
    size_t used = 0;
    int r;

    out[0] = '\0';
    csv_open(&reader, data, size);
    while ((r = csv_next(&reader, arena, &row, &problem)) == 1) {
        used += (size_t)sprintf(out + used, "%zu:", row.line);
        for (size_t i = 0; i < row.count; i++) {
            used +=
                (size_t)sprintf(out + used, "[%.*s]", (int)row.fields[i].size, row.fields[i].data);
        }
    }
    if (r < 0) {
        cr_assert_eq(r, -EINVAL);
        sprintf(out + used, "%zu!%s", row.line, problem);
    }
    return out;
}

static const char *read_text(const char *text)
{
    return read_sized(text, strlen(text));
}

Test(csv, rows_and_fields)
{
    cr_expect_str_eq(read_text(""), "");
    cr_expect_str_eq(read_text("a,b\nc,d"), "1:[a][b]2:[c][d]");
    cr_expect_str_eq(read_text("a,b\nc,d\n"), "1:[a][b]2:[c][d]");
    cr_expect_str_eq(read_text("a,b\r\nc,d\r\n"), "1:[a][b]2:[c][d]");
    cr_expect_str_eq(read_text("a,,\n,\n"), "1:[a][][]2:[][]");
    cr_expect_str_eq(read_text(" a , b "), "1:[ a ][ b ]");
    cr_expect_str_eq(read_text("a\rb,c\r"), "1:[a\rb][c\r]");
}

Test(csv, quotes)
{
    cr_expect_str_eq(read_text("\"a\",\"b,c\"\n"), "1:[a][b,c]");
    cr_expect_str_eq(read_text("\"a \"\"b\"\"\",\"\"\"\"\n\"\""), "1:[a \"b\"][\"]2:[]");
    cr_expect_str_eq(read_text("\"one\ntwo\r\n\nfour\",x\ny,z"),
                     "1:[one\ntwo\r\n\nfour][x]5:[y][z]");
}

Test(csv, lines_without_anything_are_skipped)
{
    cr_expect_str_eq(read_text("\n\r\na\n\n\nb\n\n"), "3:[a]6:[b]");
    cr_expect_str_eq(read_text("\n\n"), "");
}

Test(csv, byte_order_mark)
{
    cr_expect_str_eq(read_text("\xef\xbb\xbf\"a\",b"), "1:[a][b]");
    cr_expect_str_eq(read_text("\xef\xbb\xbf"), "");
    cr_expect_str_eq(read_text("a\n\xef\xbb\xbf"), "1:[a]2:[\xef\xbb\xbf]");
}

Test(csv, refusals_name_the_line)
{
    cr_expect_str_eq(read_text("a\nb\n\"c\nd"), "1:[a]2:[b]3!the closing quote is missing");
    cr_expect_str_eq(read_text("\""), "1!the closing quote is missing");
    cr_expect_str_eq(read_text("\"\"\""), "1!the closing quote is missing");
    cr_expect_str_eq(read_text("a\n\"b\"c\n"), "1:[a]2!text after the closing quote");
    cr_expect_str_eq(read_text("\"a\"\r"), "1!text after the closing quote");
    cr_expect_str_eq(read_text("a\nb \"c\"\n"),
                     "1:[a]2!a quote within a field that does not begin with one");
}

Test(csv, too_many_fields)
{
    char text[CSV_FIELDS_MAX + 1];

    memset(text, ',', sizeof text);
    struct csv_reader reader;
    struct csv_row row;
    const char *problem;
    csv_open(&reader, text, CSV_FIELDS_MAX - 1);
    cr_expect_eq(csv_next(&reader, arena, &row, &problem), 1);
    cr_expect_eq(row.count, CSV_FIELDS_MAX);
    csv_open(&reader, text, CSV_FIELDS_MAX);
    cr_expect_eq(csv_next(&reader, arena, &row, &problem), -EINVAL);
}

static size_t below(uint64_t *seed, size_t bound)
{
    return (size_t)seed_draw(seed, bound);
}

/* A field of what may trouble a reader. */
static struct ates_text draw_field(uint64_t *seed)
{
    static const char *const parts[] = {"\"", "\"\"", ",",  "\n", "\r\n", "\r",
                                        "a",  "Ж",    "\t", " ",  "🦜", "\xef\xbb\xbf"};
    struct ates_buffer text = {0};

    for (size_t n = below(seed, 8); n > 0; n--) {
        const char *part = parts[below(seed, sizeof parts / sizeof parts[0])];

        ates_buffer_append(&text, part, strlen(part));
    }
    const struct ates_text field = {ates_arena_copy(arena, text.data, text.size), text.size};
    ates_buffer_release(&text);
    return field;
}

static void write_row(struct ates_buffer *out, const struct csv_row *row, bool crlf)
{
    for (size_t i = 0; i < row->count; i++) {
        ates_buffer_append(out, ",", i > 0 ? 1 : 0);
        ctl_csv_field(out, row->fields[i].data, row->fields[i].size);
    }
    ates_buffer_append(out, "\r\n" + (crlf ? 0 : 1), crlf ? 2 : 1);
}

static size_t newlines(const struct ates_buffer *buffer)
{
    size_t count = 0;

    for (size_t i = 0; i < buffer->size; i++) {
        count += buffer->data[i] == '\n';
    }
    return count;
}

static void check_round_trip(uint64_t *seed)
{
    static struct csv_row rows[20];
    const size_t count = 1 + below(seed, 20);
    struct ates_buffer text = {0};
    struct csv_reader reader;
    struct csv_row row;
    const char *problem;

    if (below(seed, 2) == 0) {
        ates_buffer_append(&text, "\xef\xbb\xbf", 3);
    } else {
        ates_buffer_append(&text, "\n", 1); /* or a first field's own mark would be skipped */
    }
    for (size_t i = 0; i < count; i++) {
        rows[i].line = newlines(&text) + 1;
        rows[i].count = 2 + below(seed, 4); /* a row of one empty field is an empty line */
        for (size_t j = 0; j < rows[i].count; j++) {
            rows[i].fields[j] = draw_field(seed);
        }
        write_row(&text, &rows[i], below(seed, 2) == 0);
    }
    csv_open(&reader, text.data, text.size);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(csv_next(&reader, arena, &row, &problem), 1);
        cr_assert_eq(row.line, rows[i].line);
        cr_assert_eq(row.count, rows[i].count);
        for (size_t j = 0; j < row.count; j++) {
            cr_assert(ates_text_equal(row.fields[j], rows[i].fields[j]), "row %zu field %zu", i, j);
        }
    }
    cr_assert_eq(csv_next(&reader, arena, &row, &problem), 0);
    ates_buffer_release(&text);
}

Test(csv, reads_back_what_was_written)
{
    uint64_t seed = seed_start();

    for (int round = 0; round < 3000; round++) {
        ates_arena_reset(arena);
        check_round_trip(&seed);
    }
}

/* Whatever the bytes are: fields lie within them or the arena, lines only grow, and it ends. */
Test(csv, any_bytes)
{
    uint64_t seed = seed_start();

    for (int round = 0; round < 20000; round++) {
        static const char alphabet[] = "\",\n\ra";
        const size_t size = below(&seed, 40);
        char *bytes = malloc(size + 1); /* of the exact size, for a sanitizer to see */
        struct csv_reader reader;
        struct csv_row row;
        const char *problem;
        size_t line = 1;
        int r;

        for (size_t i = 0; i < size; i++) {
            bytes[i] = alphabet[below(&seed, sizeof alphabet)];
        }
        ates_arena_reset(arena);
        csv_open(&reader, bytes, size);
        while ((r = csv_next(&reader, arena, &row, &problem)) == 1) {
            cr_assert_geq(row.line, line);
            cr_assert_geq(row.count, 1);
            line = row.line + 1;
            for (size_t i = 0; i < row.count; i++) {
                cr_assert_leq(row.fields[i].size, size);
                cr_assert(row.fields[i].size == 0 ||
                          memchr(row.fields[i].data, '\0', row.fields[i].size) == NULL ||
                          memchr(bytes, '\0', size) != NULL);
            }
        }
        cr_assert(r == 0 || r == -EINVAL);
        free(bytes);
    }
}
