/* `atesctl task import`: a file of CSV, or the journal of an import. Fields are exactly what was written;
 * a file that is taken has tasks only, one that is not names a line; a journal remembers what is noted. */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atesctl/csv.h"
#include "atesctl/import_journal.h"
#include "atesctl/session_store.h"

#define ROWS 8u /* of the import whose journal is read */
#define SEQ 1000u
#define WORDS_SIZE 65536u

static struct ctl_session session = {.user_id = 7};
static struct ctl ctl = {.session = &session};
static char words[WORDS_SIZE]; /* what was said on stderr */
static FILE *said;

/* Adds the row as it could have been written, every field in quotes. */
static void write_row(const struct csv_row *row, struct ates_buffer *out)
{
    for (size_t i = 0; i < row->count; i++) {
        const struct ates_text *field = &row->fields[i];

        ates_buffer_append(out, i > 0 ? ",\"" : "\"", i > 0 ? 2 : 1);
        for (size_t j = 0; j < field->size; j++) {
            ates_buffer_append(out, field->data[j] == '"' ? "\"\"" : &field->data[j],
                               field->data[j] == '"' ? 2 : 1);
        }
        ates_buffer_append(out, "\"", 1);
    }
    ates_buffer_append(out, "\r\n", 2);
}

static void check_row(const struct csv_row *row, struct csv_reader *again)
{
    static struct csv_row same;
    const char *problem = NULL;

    fuzz_require(csv_next(again, ctl.arena, &same, &problem) == 1);
    fuzz_require(same.count == row->count);
    for (size_t i = 0; i < row->count; i++) {
        fuzz_require(ates_text_equal(same.fields[i], row->fields[i]));
    }
}

static void run_rows(struct ates_bytes bytes)
{
    static struct ates_buffer written;
    static struct csv_row row;
    struct csv_reader reader, again;
    const char *problem = NULL;
    size_t line = 1, newlines = 0, fields_size = 0;
    int r;

    for (size_t i = 0; i < bytes.size; i++) {
        newlines += bytes.data[i] == '\n';
    }
    csv_open(&reader, bytes.data, bytes.size);
    while ((r = csv_next(&reader, ctl.arena, &row, &problem)) == 1) {
        fuzz_require(row.count >= 1 && row.count <= CSV_FIELDS_MAX);
        fuzz_require(row.line >= line && row.line <= newlines + 1);
        line = row.line;
        for (size_t i = 0; i < row.count; i++) {
            fields_size += row.fields[i].size;
        }
        written.size = 0;
        write_row(&row, &written);
        csv_open(&again, written.data, written.size);
        check_row(&row, &again);
    }
    fuzz_require(fields_size <= bytes.size);
    fuzz_require(r == 0 || (problem != NULL && row.line >= line && row.line <= newlines + 1));
}

/* Whether something like ":12: " was said. */
static bool names_line(const char *text)
{
    for (const char *at = strchr(text, ':'); at != NULL; at = strchr(at + 1, ':')) {
        const size_t digits = strspn(at + 1, "0123456789");

        if (digits > 0 && at[1 + digits] == ':') {
            return true;
        }
    }
    return false;
}

static void run_file(struct ates_bytes bytes)
{
    struct import_file file;
    struct ates_refusal refusal;
    char id[33];

    const char *path = fuzz_file(bytes);
    FILE *const stream = stderr;
    rewind(said);
    stderr = said;
    const int code = import_file_open(&ctl, path, &file);
    fputc('\0', said);
    fflush(said);
    stderr = stream;
    if (code != CTL_OK) {
        fuzz_require(code == CTL_REFUSED);
        fuzz_require(strstr(words, path) != NULL && names_line(words));
        return;
    }
    fuzz_require(file.count <= bytes.size);
    for (size_t i = 0; i < file.count; i++) {
        fuzz_require(ates_message_check(&tasks_create_task_message, &file.rows[i].task, &refusal) ==
                     0);
        fuzz_require(file.rows[i].line >= 2 && file.rows[i].line <= bytes.size + 1);
        import_request_id("key", i, &file.rows[i].task, id);
        fuzz_require(strspn(id, "0123456789abcdef") == 32);
    }
    import_file_close(&file);
}

static int open_journal(struct import_journal *journal)
{
    static const struct import_file file = {.name = "tasks.csv", .count = ROWS};

    FILE *const stream = stderr;
    rewind(said);
    stderr = said;
    const int code = import_journal_open(&ctl, &file, "key", SEQ, journal);
    stderr = stream;
    return code;
}

static size_t count_noted(const struct import_journal *journal)
{
    size_t count = 0;

    for (size_t i = 0; i < ROWS; i++) {
        count += journal->noted[i];
    }
    fuzz_require(journal->noted_count == count && journal->rows == ROWS);
    return count;
}

/* The file as it is, or behind the line of this very import. */
static void run_journal(struct ates_bytes bytes, bool with_head, size_t row)
{
    static struct import_journal journal;
    static char head[sizeof journal.head];
    static int descriptor = -1;

    if (descriptor < 0) {
        fuzz_require(open_journal(&journal) == CTL_OK);
        memcpy(head, journal.head, sizeof head);
        descriptor = open(journal.path, O_RDWR | O_APPEND | O_CLOEXEC);
        fuzz_require(descriptor >= 0 && import_journal_close(&journal) == CTL_OK);
    }
    struct stat now, known;
    fuzz_require(stat(journal.path, &now) == 0 && fstat(descriptor, &known) == 0);
    if (now.st_ino != known.st_ino) { /* it was replaced by its last mark */
        close(descriptor);
        descriptor = open(journal.path, O_RDWR | O_APPEND | O_CLOEXEC);
    }
    fuzz_require(ftruncate(descriptor, 0) == 0);
    fuzz_require(!with_head || write(descriptor, head, strlen(head)) == (ssize_t)strlen(head));
    fuzz_require(write(descriptor, bytes.data, bytes.size) == (ssize_t)bytes.size);
    const int code = open_journal(&journal);
    if (code != CTL_OK) {
        fuzz_require(code == CTL_CONFLICT && !with_head);
        return;
    }
    const size_t count = count_noted(&journal);
    const bool was_noted = journal.noted[row];
    fuzz_require(journal.seq <= SEQ);
    fuzz_require(import_journal_note(&journal, row, SEQ) == CTL_OK);
    fuzz_require(import_journal_close(&journal) == CTL_OK);
    fuzz_require(open_journal(&journal) == CTL_OK);
    if (journal.noted_count > 0) { /* none: all are, which one line says */
        fuzz_require(count_noted(&journal) == count + !was_noted && journal.noted[row]);
    } else {
        fuzz_require(journal.finished && count + !was_noted == ROWS);
    }
    fuzz_require(journal.seq == SEQ);
    fuzz_require(import_journal_close(&journal) == CTL_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};

    if (said == NULL) {
        said = fmemopen(words, sizeof words, "w");
        fuzz_require(said != NULL && setenv("XDG_STATE_HOME", fuzz_folder(), 1) == 0);
        ctl.arena = ates_arena_new();
    }
    ates_arena_reset(ctl.arena);
    const unsigned choice = fuzz_byte(&input);
    const struct ates_bytes rest = fuzz_bytes(&input, input.left);
    if (choice % 8 == 0) {
        run_journal(rest, choice % 16 == 0, choice / 16 % ROWS);
    } else {
        run_rows(rest);
        run_file(rest);
    }
    return 0;
}
