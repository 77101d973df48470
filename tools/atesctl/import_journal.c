/* The journal of an import; see import_journal.h. */
#include "import_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/random.h"
#include "folder.h"
#include "session_store.h"

#define SYNC_INTERVAL_MS 1000
#define LINE_MAX_SIZE 64
#define DONE "done "

static int fail(const struct import_journal *self, int fault)
{
    return ctl_fail(CTL_REFUSED, NULL, "cannot keep the import's progress in %s: %s", self->path,
                    strerror(-fault));
}

/* Opens the file and makes sure that nobody else is at this import. */
static int open_file(struct import_journal *self)
{
    self->descriptor = open(self->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (self->descriptor < 0) {
        return fail(self, -errno);
    }
    if (flock(self->descriptor, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? ctl_fail(CTL_CONFLICT, "wait for it to end", "this import is running already")
                   : fail(self, -errno);
    }
    return CTL_OK;
}

/* Takes a line of the file: only a whole one counts. */
static void take_line(struct import_journal *self, const char *line)
{
    const bool is_done = strncmp(line, DONE, strlen(DONE)) == 0;
    uint64_t row = 0, seq = 0;
    char rest;

    if (sscanf(line, is_done ? DONE "%" SCNu64 " %c" : "%*u %" SCNu64 " %c", &seq, &rest) != 1) {
        return;
    }
    if (is_done) {
        self->finished = true;
    } else if (sscanf(line, "%" SCNu64, &row) == 1 && row < self->rows && !self->noted[row]) {
        self->noted[row] = true;
        self->noted_count++;
    }
    self->seq = seq > self->seq ? seq : self->seq;
}

/* Reads what was noted. *same tells whether the first line is this import's; *empty whether there
 * was one. */
static int read_notes(struct import_journal *self, bool *same, bool *empty)
{
    const int copy = dup(self->descriptor);
    FILE *file = copy >= 0 ? fdopen(copy, "r") : NULL;
    char line[sizeof self->head];

    if (file == NULL) {
        return -errno;
    }
    rewind(file);
    *empty = fgets(line, sizeof line, file) == NULL || strchr(line, '\n') == NULL;
    *same = !*empty && strcmp(line, self->head) == 0;
    while (*same && fgets(line, sizeof line, file) != NULL) {
        if (strchr(line, '\n') != NULL) {
            take_line(self, line);
        }
    }
    const int r = ferror(file) ? -EIO : 0;
    fclose(file);
    return r;
}

static int begin(struct import_journal *self)
{
    memset(self->noted, 0, self->rows * sizeof *self->noted);
    self->noted_count = 0;
    self->finished = false;
    self->is_new = true;
    self->seq = 0;
    self->idle_ms = 0;
    if (ftruncate(self->descriptor, 0) != 0) {
        return -errno;
    }
    ates_buffer_append(&self->pending, self->head, strlen(self->head));
    return 0;
}

static int write_pending(struct import_journal *self)
{
    for (size_t at = 0; at < self->pending.size;) {
        const ssize_t written =
            write(self->descriptor, self->pending.data + at, self->pending.size - at);

        if (written < 0 && errno != EINTR) {
            return -errno;
        }
        at += written > 0 ? (size_t)written : 0;
    }
    self->pending.size = 0;
    self->synced_ms = ates_monotonic_us() / 1000;
    return fdatasync(self->descriptor) == 0 ? 0 : -errno;
}

/* A line that a crash cut short must not take the next one with it, nor become a whole one by what ends
 * it: but the file is left as it is, and as old as it is, until there is something to note. */
static int look_for_torn_line(struct import_journal *self)
{
    char last = '\n';
    const off_t size = lseek(self->descriptor, 0, SEEK_END);

    if (size > 0 && pread(self->descriptor, &last, 1, size - 1) != 1) {
        return -errno;
    }
    self->torn = last != '\n';
    return 0;
}

static int load(struct import_journal *self, uint64_t seq)
{
    const struct ates_source source = ates_source_system();
    struct stat status;
    bool same = false, empty = true;

    if (fstat(self->descriptor, &status) != 0) {
        return fail(self, -errno);
    }
    self->idle_ms = ates_now_ms(&source) - (int64_t)status.st_mtim.tv_sec * 1000;
    int r = read_notes(self, &same, &empty);
    if (r != 0) {
        return fail(self, r);
    }
    if (!empty && !same) {
        return ctl_fail(CTL_CONFLICT, "another --key",
                        "this key was used by another user, or for another file");
    }
    if (self->seq > seq) {
        ctl_say("this import was made into other data before; it begins anew");
        empty = true;
    }
    r = empty ? begin(self) : look_for_torn_line(self);
    r = r == 0 ? write_pending(self) : r;
    return r == 0 ? CTL_OK : fail(self, r);
}

int import_journal_open(struct ctl *ctl, const struct import_file *file, const char *key,
                        uint64_t seq, struct import_journal *journal)
{
    char suffix[IMPORT_KEY_MAX + 16], hash[2 * IMPORT_HASH_SIZE + 1];

    *journal = (struct import_journal){.descriptor = -1, .rows = file->count};
    snprintf(suffix, sizeof suffix, "-%s.done", key);
    int code = ctl_state_path(ctl, "import", suffix, journal->path, sizeof journal->path);
    if (code != CTL_OK) {
        return code;
    }
    sodium_bin2hex(hash, sizeof hash, file->hash, sizeof file->hash);
    snprintf(journal->head, sizeof journal->head, "ates-import 1 %s %zu %" PRIu64 "\n", hash,
             file->count, ctl->session->user_id);
    journal->noted = calloc(file->count + 1, sizeof *journal->noted);
    code = journal->noted != NULL ? open_file(journal) : fail(journal, -ENOMEM);
    if (code == CTL_OK) {
        code = load(journal, seq);
    }
    if (code != CTL_OK) {
        if (journal->descriptor >= 0) {
            close(journal->descriptor);
        }
        free(journal->noted);
        ates_buffer_release(&journal->pending);
    }
    return code;
}

int import_journal_note(struct import_journal *self, size_t row, uint64_t seq)
{
    char line[LINE_MAX_SIZE];

    self->noted_count += !self->noted[row];
    self->noted[row] = true;
    self->seq = seq > self->seq ? seq : self->seq;
    const int size =
        snprintf(line, sizeof line, "%s%zu %" PRIu64 "\n", self->torn ? "?\n" : "", row, seq);
    self->torn = false;
    ates_buffer_append(&self->pending, line, (size_t)size);
    if (ates_monotonic_us() / 1000 < self->synced_ms + SYNC_INTERVAL_MS) {
        return CTL_OK;
    }
    const int r = write_pending(self);
    return r == 0 ? CTL_OK : fail(self, r);
}

static void release(struct import_journal *self)
{
    close(self->descriptor);
    free(self->noted);
    ates_buffer_release(&self->pending);
}

int import_journal_close(struct import_journal *self)
{
    char text[sizeof self->head + LINE_MAX_SIZE];
    int r = write_pending(self);

    if (r == 0 && self->noted_count == self->rows && !self->finished) {
        /* The rows one by one are of no more use. */
        snprintf(text, sizeof text, "%s" DONE "%" PRIu64 "\n", self->head, self->seq);
        r = ctl_replace_file(self->path, text);
    }
    if (r != 0) {
        fail(self, r);
    }
    release(self);
    return r == 0 ? CTL_OK : CTL_REFUSED;
}

void import_journal_leave(struct import_journal *self)
{
    if (self->is_new) {
        unlink(self->path);
    }
    release(self);
}
