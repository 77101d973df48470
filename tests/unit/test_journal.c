/* Log lines on stderr: valid JSON whatever the bytes. Journal entries: caught before they leave,
 * since this program's sd_journal_sendv takes the place of libsystemd's. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>
#ifdef ATES_WITH_SYSTEMD
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#endif

#include "core/catalogue.h"
#include "support/caught_stderr.h"
#include "support/seed.h"

/* The one line that was written, as an object. */
static json_t *line_of(const char *text)
{
    const char *end = strchr(text, '\n');
    cr_assert(end != NULL && end[1] == '\0', "not one line: %s", text);
    json_error_t error;
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(line, "%s: %s", error.text, text);
    return line;
}

static const char *string_of(const json_t *line, const char *name)
{
    const char *string = json_string_value(json_object_get(line, name));
    return string != NULL ? string : "(absent)";
}

/* time(2) may be a tick behind the clock that lines are timed by. */
static time_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

Test(journal, a_line_says_when_what_and_where)
{
    const struct ates_log_field fields[] = {{"command", "create_task", 0},
                                            {"count", NULL, -5},
                                            {"largest", NULL, INT64_MAX},
                                            {NULL, NULL, 0}};
    catch_stderr();
    cr_assert_eq(ates_journal_open("info"), 0);
    errno = ENOSPC;
    const time_t before = now_s();
    ates_journal(ATES_WARNING, "tasks", fields, "the log is %d %% full", 70);
    const time_t after = now_s();
    const int errno_after = errno;
    json_t *line = line_of(release());

    cr_expect_eq(errno_after, ENOSPC, "errno is the caller's");
    cr_expect_str_eq(string_of(line, "level"), "warning");
    cr_expect_str_eq(string_of(line, "service"), "tasks");
    cr_expect_str_eq(string_of(line, "message"), "the log is 70 % full");
    cr_expect_str_eq(string_of(line, "command"), "create_task");
    cr_expect_eq(json_integer_value(json_object_get(line, "count")), -5);
    cr_expect_eq(json_integer_value(json_object_get(line, "largest")), INT64_MAX);
    cr_expect_eq(json_object_size(line), 7);

    struct tm tm = {0};
    const char *rest = strptime(string_of(line, "time"), "%Y-%m-%dT%H:%M:%S", &tm);
    cr_assert_not_null(rest, "%s", string_of(line, "time"));
    int thousandths = -1;
    char end = '\0';
    cr_expect(strlen(rest) == 5 && sscanf(rest, ".%3d%c", &thousandths, &end) == 2 && end == 'Z',
              "%s", rest);
    const time_t said = timegm(&tm);
    cr_expect(said >= before && said <= after);
    json_decref(line);
}

Test(journal, a_line_of_the_catalogue_tells_its_id)
{
    catch_stderr();
    ates_say(ATES_SAY_READY, "auth", NULL, "ready");
    json_t *line = line_of(release());
    cr_expect_str_eq(string_of(line, "message_id"), ates_catalogue[ATES_SAY_READY].id);
    cr_expect_str_eq(string_of(line, "level"), "notice");
    cr_expect_eq(json_object_size(line), 5);
    json_decref(line);
}

Test(journal, service_and_fields_may_be_absent)
{
    catch_stderr();
    ates_journal(ATES_ERROR, NULL, NULL, "%s", "");
    json_t *line = line_of(release());
    cr_expect_eq(json_object_size(line), 3);
    cr_expect_str_eq(string_of(line, "message"), "");
    json_decref(line);
}

Test(journal, a_stderr_that_is_gone_does_no_harm)
{
    true_stderr = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    errno = ENOSPC;
    ates_journal(ATES_ERROR, NULL, NULL, "said to nobody");
    const int errno_after = errno;
    dup2(true_stderr, STDERR_FILENO);
    cr_expect_eq(errno_after, ENOSPC, "errno is the caller's");
}

Test(journal, levels)
{
    static const char *const names[] = {"error", "warning", "notice", "info", "debug"};
    cr_expect_eq(ates_journal_open("loud"), -EINVAL);
    cr_expect_eq(ates_journal_open(""), -EINVAL);
    cr_expect_eq(ates_level_parse("INFO"), -EINVAL);
    cr_expect(ates_journal_enabled(ATES_INFO) && !ates_journal_enabled(ATES_DEBUG), "the default");
    for (int set = ATES_ERROR; set <= ATES_DEBUG; set++) {
        cr_assert_eq(ates_level_parse(names[set - ATES_ERROR]), set);
        cr_assert_eq(ates_journal_open(names[set - ATES_ERROR]), 0);
        for (int level = ATES_ERROR; level <= ATES_DEBUG; level++) {
            catch_stderr();
            ates_journal((enum ates_level)level, NULL, NULL, "said");
            const char *text = release();
            cr_expect_eq(ates_journal_enabled((enum ates_level)level), level <= set);
            if (level > set) {
                cr_expect_str_empty(text);
                continue;
            }
            json_t *line = line_of(text);
            cr_expect_str_eq(string_of(line, "level"), names[level - ATES_ERROR]);
            json_decref(line);
        }
    }
}

static const char *message_as_written(const char *message)
{
    static char written[8192];
    catch_stderr();
    ates_journal(ATES_ERROR, message, NULL, "%s", message);
    json_t *line = line_of(release());
    cr_expect_str_eq(string_of(line, "service"), string_of(line, "message"));
    snprintf(written, sizeof written, "%s", string_of(line, "message"));
    json_decref(line);
    return written;
}

Test(journal, strings_come_back_as_they_were)
{
    static const char *const strings[] = {
        "say \"hi\" \\ /",        "two\nlines\r\n\ttab",      "\x01\x02\x1f\x7f\b\f",
        "крыша 東京 🦜", "\u2028 and \xc2\x85 stay", "}\n{\"level\":\"error\"}",
    };
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        cr_expect_str_eq(message_as_written(strings[i]), strings[i]);
    }
}

Test(journal, what_is_no_utf8_is_replaced)
{
    cr_expect_str_eq(message_as_written("a\xff z"), "a\ufffd z");
    cr_expect_str_eq(message_as_written("a\xd0"), "a\ufffd", "half a character");
    cr_expect_str_eq(message_as_written("\xc0\xaf"), "\ufffd\ufffd", "overlong");
    cr_expect_str_eq(message_as_written("\xed\xa0\x80"), "\ufffd\ufffd\ufffd", "a surrogate");
    cr_expect_str_eq(message_as_written("\xf4\x90\x80\x80!"), "\ufffd\ufffd\ufffd\ufffd!",
                     "beyond U+10FFFF");
}

Test(journal, strings_are_cut_at_a_character)
{
    char text[3000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    cr_expect_eq(strlen(message_as_written(text)), 1024);
    text[1024] = '\0';
    cr_expect_eq(strlen(message_as_written(text)), 1024);

    for (size_t shift = 0; shift < 4; shift++) { /* a parrot of four bytes across the limit */
        memset(text, 'a', sizeof text - 1);
        memcpy(text + 1024 - shift, "🦜", 4);
        const char *written = message_as_written(text);
        cr_expect_eq(strlen(written), 1024 - shift, "%zu", shift);
        cr_expect_null(strchr(written, '\xef'), "no replacement");
    }
    memset(text, '\x80', sizeof text - 1);
    cr_expect_eq(strlen(message_as_written(text)), 3 * 1024, "1024 bytes, each replaced");
}

Test(journal, fields_that_do_not_fit_are_left_out)
{
    char text[1025];
    memset(text, '\x01', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct ates_log_field fields[42];
    char names[41][8];
    for (size_t i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "f%zu", i);
        fields[i] = (struct ates_log_field){names[i], text, 0};
    }
    fields[40] = (struct ates_log_field){"last", NULL, 7};
    fields[41] = (struct ates_log_field){NULL, NULL, 0};

    catch_stderr();
    ates_journal(ATES_ERROR, text, fields, "%s", text);
    json_t *line = line_of(release());
    cr_expect_str_eq(string_of(line, "message"), text);
    cr_expect_str_eq(string_of(line, "f0"), text);
    cr_expect_null(json_object_get(line, "f39"));
    cr_expect_eq(json_integer_value(json_object_get(line, "last")), 7, "a small one still fits");
    json_decref(line);
}

Test(journal, any_bytes_make_valid_json)
{
    srandom((unsigned)seed_start());
    for (int round = 0; round < 500; round++) {
        char message[1600], text[1600];
        for (size_t i = 0; i < sizeof message; i++) {
            message[i] = (char)(random() % 256);
            text[i] = (char)(random() % 256);
        }
        message[random() % (long)sizeof message] = '\0';
        message[sizeof message - 1] = '\0';
        text[random() % (long)sizeof text] = '\0';
        text[sizeof text - 1] = '\0';
        const struct ates_log_field fields[] = {{"field", text, 0}, {NULL, NULL, 0}};
        catch_stderr();
        ates_journal(ATES_ERROR, text, fields, "%s", message);
        json_t *line = line_of(release());
        cr_assert_str_eq(string_of(line, "service"), string_of(line, "field"));
        json_decref(line);
    }
}

#ifdef ATES_WITH_SYSTEMD
static char entry[256 * 1024];
static int entry_result;

/* Takes the entry, a field a line. */
int sd_journal_sendv(const struct iovec *fields, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        memcpy(entry + size, fields[i].iov_base, fields[i].iov_len);
        size += fields[i].iov_len;
        entry[size++] = '\n';
    }
    entry[size] = '\0';
    return entry_result;
}

/* Makes stderr the journal's, as JOURNAL_STREAM says. */
__attribute__((format(printf, 1, 0))) static void claim_journal(const char *format,
                                                                int device_shift)
{
    struct stat status;
    char stream[64];
    cr_assert_eq(fstat(STDERR_FILENO, &status), 0);
    snprintf(stream, sizeof stream, format,
             (unsigned long long)status.st_dev + (unsigned)device_shift,
             (unsigned long long)status.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    cr_assert_eq(ates_journal_open("info"), 0);
}

Test(journal, fields_go_to_the_journal)
{
    const struct ates_log_field fields[] = {
        {"task_id", NULL, 42}, {"name", "a\xff\nb", 0}, {NULL, NULL, 0}};
    catch_stderr();
    claim_journal("%llu:%llu", 0);
    ates_journal(ATES_NOTICE, "tasks", fields, "task %d", 42);
    cr_expect_str_empty(release());
    cr_expect_str_eq(entry, "MESSAGE=task 42\nPRIORITY=5\nATES_SERVICE=tasks\nATES_TASK_ID=42\n"
                            "ATES_NAME=a\xff\nb\n");
}

Test(journal, an_entry_of_the_catalogue_has_its_id_and_level)
{
    const struct ates_log_field fields[] = {{"seq", NULL, 7}, {NULL, NULL, 0}};
    char expected[256];

    catch_stderr();
    claim_journal("%llu:%llu", 0);
    cr_expect(ates_journal_is_native());
    ates_say(ATES_SAY_STREAM_STOPPED, "tasks", fields, "stopped at %d", 7);
    cr_expect_str_empty(release());
    snprintf(expected, sizeof expected,
             "MESSAGE=stopped at 7\nPRIORITY=3\nMESSAGE_ID=%s\nATES_SERVICE=tasks\nATES_SEQ=7\n",
             ates_catalogue[ATES_SAY_STREAM_STOPPED].id);
    cr_expect_str_eq(entry, expected);
}

Test(journal, what_the_journal_does_not_take_goes_to_stderr)
{
    catch_stderr();
    claim_journal("%llu:%llu", 0);
    entry_result = -EMSGSIZE;
    ates_journal(ATES_NOTICE, NULL, NULL, "said");
    json_t *line = line_of(release());
    cr_expect_str_eq(string_of(line, "message"), "said");
    json_decref(line);
}

Test(journal, stderr_that_is_not_the_journal_gets_json)
{
    static const struct {
        const char *format;
        int device_shift;
    } streams[] = {{"%llu:%llu", 1}, {"%llu", 0}, {"%llu:%llux", 0}, {"", 0}, {"none:%llu", 0}};
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        catch_stderr();
        claim_journal(streams[i].format, streams[i].device_shift);
        ates_journal(ATES_NOTICE, NULL, NULL, "said");
        json_t *line = line_of(release());
        cr_expect_str_eq(string_of(line, "message"), "said");
        cr_expect_str_empty(entry);
        json_decref(line);
    }
}

Test(journal, an_entry_holds_no_more_than_it_may)
{
    struct ates_log_field fields[60];
    for (size_t i = 0; i < 59; i++) {
        fields[i] = (struct ates_log_field){"number", NULL, (int64_t)i};
    }
    fields[59] = (struct ates_log_field){NULL, NULL, 0};
    catch_stderr();
    claim_journal("%llu:%llu", 0);
    ates_journal(ATES_NOTICE, "tasks", fields, "said");
    cr_expect_str_empty(release());
    cr_expect_not_null(strstr(entry, "ATES_NUMBER=28\n"));
    cr_expect_null(strstr(entry, "ATES_NUMBER=29\n"));
}
#endif
