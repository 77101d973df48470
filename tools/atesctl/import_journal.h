/* What an import has done so far, kept beside the session's token, so that it can go on after an
 * interruption of any length, and is not done twice by mistake.
 *
 * A text file: a line that says which import it is, then "ROW SEQ" for every row that was
 * acknowledged, and "done SEQ" when all were. Invariant: a row that is noted is in the service's
 * log; of those that are not, replies are kept for 24 hours. */
#ifndef CTL_IMPORT_JOURNAL_H
#define CTL_IMPORT_JOURNAL_H

#include "import_file.h"

struct import_journal {
    char path[4096];
    char head[256];
    int descriptor;
    bool *noted; /* by row */
    size_t rows, noted_count;
    bool finished;
    bool is_new;     /* begun as it was opened */
    bool torn;       /* its last line was cut short by a crash */
    uint64_t seq;    /* of the service's log: the highest that was noted */
    int64_t idle_ms; /* since something was noted last, when it was opened */
    struct ates_buffer pending;
    int64_t synced_ms;
};

/* Opens the journal of the import with this key, made where there is none. seq is the head of the
 * service's log: a journal that is ahead of it belongs to other data, and is begun anew. Another
 * file or user under the same key, and another process at the same import, are refused. */
int import_journal_open(struct ctl *ctl, const struct import_file *file, const char *key,
                        uint64_t seq, struct import_journal *journal);

/* Notes that a row was acknowledged, whose reply reflects seq. Written at once or a second later.
 */
int import_journal_note(struct import_journal *journal, size_t row, uint64_t seq);
/* Writes what is not written yet, and the mark where all rows are noted. */
int import_journal_close(struct import_journal *journal);
/* Closes it where nothing was sent, and leaves none that was not there before. */
void import_journal_leave(struct import_journal *journal);

#endif
