/* The journal of an import: what it remembers, through a crash too, and whom it turns away. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "atesctl/import_journal.h"
#include "atesctl/session_store.h"

static struct ctl ctl;
static struct ctl_session session;
static struct import_file file;
static char folder[64];

static void set_up(void)
{
    strcpy(folder, "/tmp/ates-journal-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    setenv("XDG_STATE_HOME", folder, 1);
    session = (struct ctl_session){.user_id = 7};
    ctl = (struct ctl){.session = &session};
    strcpy(ctl.config.run_dir, "/run/somewhere");
    file = (struct import_file){.name = "x.csv", .hash = {1, 2, 3}, .count = 4};
}

static void tear_down(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -r '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(import_journal, .init = set_up, .fini = tear_down);

static void note(struct import_journal *journal, size_t row, uint64_t seq)
{
    cr_assert_eq(import_journal_note(journal, row, seq), CTL_OK);
}

Test(import_journal, remembers_rows_and_the_end)
{
    struct import_journal journal;

    cr_assert_eq(import_journal_open(&ctl, &file, "k", 10, &journal), CTL_OK);
    cr_expect_eq(journal.noted_count, 0);
    note(&journal, 2, 11);
    note(&journal, 0, 12);
    cr_assert_eq(import_journal_close(&journal), CTL_OK);

    cr_assert_eq(import_journal_open(&ctl, &file, "k", 12, &journal), CTL_OK);
    cr_expect_eq(journal.noted_count, 2);
    cr_expect(journal.noted[0] && !journal.noted[1] && journal.noted[2] && !journal.noted[3]);
    cr_expect_eq(journal.seq, 12);
    cr_expect_not(journal.finished);
    note(&journal, 1, 14);
    note(&journal, 3, 13);
    cr_assert_eq(import_journal_close(&journal), CTL_OK);

    cr_assert_eq(import_journal_open(&ctl, &file, "k", 14, &journal), CTL_OK);
    cr_expect(journal.finished);
    cr_assert_eq(import_journal_close(&journal), CTL_OK);
    cr_assert_eq(import_journal_open(&ctl, &file, "other", 14, &journal), CTL_OK);
    cr_expect_not(journal.finished, "another key is another import");
    cr_assert_eq(import_journal_close(&journal), CTL_OK);
}

Test(import_journal, is_not_begun_by_who_decides_against_it)
{
    struct import_journal journal;

    cr_assert_eq(import_journal_open(&ctl, &file, "k", 10, &journal), CTL_OK);
    import_journal_leave(&journal);
    cr_expect_eq(access(journal.path, F_OK), -1);

    cr_assert_eq(import_journal_open(&ctl, &file, "k", 10, &journal), CTL_OK);
    note(&journal, 2, 11);
    cr_assert_eq(import_journal_close(&journal), CTL_OK);
    cr_assert_eq(import_journal_open(&ctl, &file, "k", 12, &journal), CTL_OK);
    import_journal_leave(&journal);
    cr_assert_eq(import_journal_open(&ctl, &file, "k", 12, &journal), CTL_OK);
    cr_expect_eq(journal.noted_count, 1, "what was begun before stays");
    cr_assert_eq(import_journal_close(&journal), CTL_OK);
}

Test(import_journal, other_data_begin_anew)
{
    struct import_journal journal;

    for (size_t row = 0; row < 4; row++) {
        cr_assert_eq(import_journal_open(&ctl, &file, "k", 100, &journal), CTL_OK);
        note(&journal, row, 100);
        cr_assert_eq(import_journal_close(&journal), CTL_OK);
    }
    cr_assert_eq(import_journal_open(&ctl, &file, "k", 99, &journal), CTL_OK);
    cr_expect_not(journal.finished);
    cr_expect_eq(journal.noted_count, 0);
    cr_assert_eq(import_journal_close(&journal), CTL_OK);
}

Test(import_journal, another_user_or_file_is_refused)
{
    struct import_journal journal;

    cr_assert_eq(import_journal_open(&ctl, &file, "k", 1, &journal), CTL_OK);
    cr_assert_eq(import_journal_close(&journal), CTL_OK);
    session.user_id = 8;
    cr_expect_eq(import_journal_open(&ctl, &file, "k", 1, &journal), CTL_CONFLICT);
    session.user_id = 7;
    file.hash[0]++;
    cr_expect_eq(import_journal_open(&ctl, &file, "k", 1, &journal), CTL_CONFLICT);
}

Test(import_journal, one_at_a_time)
{
    struct import_journal journal, second;

    cr_assert_eq(import_journal_open(&ctl, &file, "k", 1, &journal), CTL_OK);
    cr_expect_eq(import_journal_open(&ctl, &file, "k", 1, &second), CTL_CONFLICT);
    cr_assert_eq(import_journal_close(&journal), CTL_OK);
}

/* However short the crash cut the file, a row counts only where its whole line is there. */
Test(import_journal, torn_anywhere)
{
    struct import_journal journal;
    struct stat status;
    char path[sizeof journal.path];

    cr_assert_eq(import_journal_open(&ctl, &file, "k", 1, &journal), CTL_OK);
    note(&journal, 1, 1);
    note(&journal, 2, 1);
    strcpy(path, journal.path);
    cr_assert_eq(import_journal_close(&journal), CTL_OK);
    cr_assert_eq(stat(path, &status), 0);
    for (off_t size = status.st_size; size >= 0; size--) {
        cr_assert_eq(truncate(path, size), 0);
        cr_assert_eq(import_journal_open(&ctl, &file, "k", 1, &journal), CTL_OK);
        const size_t lost = (size_t)(status.st_size - size);
        cr_expect_eq(journal.noted_count, lost == 0 ? 2u : lost <= 4 ? 1u : 0u, "lost %zu", lost);
        cr_assert_eq(import_journal_close(&journal), CTL_OK);
        if (size == status.st_size) {
            cr_assert_eq(stat(path, &status), 0);
        }
    }
    cr_assert_eq(import_journal_open(&ctl, &file, "k", 1, &journal), CTL_OK);
    note(&journal, 1, 1);
    cr_assert_eq(import_journal_close(&journal), CTL_OK);
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(truncate(path, status.st_size - 1), 0);
    cr_assert_eq(import_journal_open(&ctl, &file, "k", 1, &journal), CTL_OK);
    note(&journal, 3, 1);
    cr_assert_eq(import_journal_close(&journal), CTL_OK);
    cr_assert_eq(import_journal_open(&ctl, &file, "k", 1, &journal), CTL_OK);
    cr_expect(journal.noted[3] && journal.noted_count == 1, "the torn line took none with it");
    cr_expect_not(journal.noted[1], "and it became no whole one");
    cr_assert_eq(import_journal_close(&journal), CTL_OK);
}

Test(import_journal, knows_how_long_it_was_idle)
{
    struct import_journal journal;
    char path[sizeof journal.path];

    cr_assert_eq(import_journal_open(&ctl, &file, "k", 1, &journal), CTL_OK);
    note(&journal, 1, 1);
    strcpy(path, journal.path);
    cr_assert_eq(import_journal_close(&journal), CTL_OK);
    const struct timespec times[2] = {{time(NULL) - 90000, 0}, {time(NULL) - 90000, 0}};
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    for (int i = 0; i < 2; i++) { /* having looked does not make it young */
        cr_assert_eq(import_journal_open(&ctl, &file, "k", 1, &journal), CTL_OK);
        cr_expect_geq(journal.idle_ms, INT64_C(89999000));
        cr_assert_eq(import_journal_close(&journal), CTL_OK);
    }
}
