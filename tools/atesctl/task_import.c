/* Imports tasks from a CSV file, many in flight. Invariants: a row is sent under one request id for
 * ever, so that it becomes one task however often it is sent; a row counts as done when its reply
 * came, and no sooner. */
#include "task_import.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/random.h"
#include "import_file.h"
#include "import_journal.h"
#include "output.h"
#include "progress.h"
#include "refusal.h"
#include "remote.h"
#include "session_store.h"

#include <sodium.h>

#define IN_FLIGHT_MAX 128
#define WAIT_MS 50        /* for a reply, before looking round */
#define BACKOFF_MIN_MS 50 /* after a refusal that asks for patience without saying how much */
#define BACKOFF_MAX_MS 5000
#define ATTEMPTS_A_TIMEOUT 3 /* as often as the client library asks again */
#define SILENCE_TIMEOUTS 6   /* without any reply, before giving up */
#define RENEW_INTERVAL_MS 5000
#define REPLIES_KEPT_MS INT64_C(86400000) /* PROTOCOL.md section 2 */

struct slot {
    bool used;
    bool waits; /* it was sent, and may have been done: its reply must be waited for */
    size_t row;
    int64_t due_ms; /* when to send it, or to send it again */
};

struct sender {
    struct ctl *ctl;
    const struct import_file *file;
    const char *key;
    struct import_journal *journal;
    struct ates_pipeline *pipeline;
    struct ates_buffer body;
    struct slot slots[IN_FLIGHT_MAX];
    size_t used;     /* slots */
    size_t next_row; /* to be taken */
    uint64_t created, existing;
    int64_t heard_ms, renewed_ms, pause_until_ms, backoff_ms;
    int code; /* of the first thing that went wrong */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static int64_t now_ms(void)
{
    return ates_monotonic_us() / 1000;
}

/* Fills free slots with rows that no reply was noted for. */
static void take_rows(struct sender *self, int64_t now)
{
    for (size_t i = 0; i < IN_FLIGHT_MAX && self->code == CTL_OK && !interrupted; i++) {
        while (self->next_row < self->file->count && self->journal->noted[self->next_row]) {
            self->next_row++;
        }
        if (self->next_row == self->file->count) {
            return;
        }
        if (!self->slots[i].used) {
            self->slots[i] = (struct slot){.used = true, .row = self->next_row++, .due_ms = now};
            self->used++;
        }
    }
}

static void free_slot(struct sender *self, struct slot *slot)
{
    slot->used = false;
    self->used--;
}

/* Sends one row. -EAGAIN where the socket takes no more now. */
static int send_row(struct sender *self, size_t row)
{
    const struct tasks_create_task *task = &self->file->rows[row].task;
    char request_id[33];

    import_request_id(self->key, row, task, request_id);
    self->body.size = 0;
    ates_message_encode(&tasks_create_task_message, task, &self->body);
    return ates_pipeline_send(self->pipeline, "create_task", request_id, self->body.data,
                              self->body.size, row);
}

static void send_due(struct sender *self, int64_t now)
{
    const bool stopping = self->code != CTL_OK || interrupted;

    for (size_t i = 0; i < IN_FLIGHT_MAX && now >= self->pause_until_ms; i++) {
        struct slot *slot = &self->slots[i];

        if (!slot->used || now < slot->due_ms) {
            continue;
        }
        const int r = send_row(self, slot->row);
        if (r == -EAGAIN) {
            return;
        }
        if (r != 0) {
            self->code = ctl_fail(CTL_REFUSED, NULL, "%s:%zu: cannot be sent: %s", self->file->name,
                                  self->file->rows[slot->row].line, strerror(-r));
            free_slot(self, slot);
            return;
        }
        slot->waits = true;
        slot->due_ms = now + self->ctl->timeout_ms / ATTEMPTS_A_TIMEOUT + 1;
    }
    /* Rows that were refused need no reply before the end. */
    for (size_t i = 0; i < IN_FLIGHT_MAX && stopping; i++) {
        if (self->slots[i].used && !self->slots[i].waits) {
            free_slot(self, &self->slots[i]);
        }
    }
}

/* The service is there, but asks for patience. Rows that were sent together are refused together:
 * that is one refusal. */
static void back_off(struct sender *self, struct slot *slot, const struct ates_refusal *refusal,
                     int64_t now)
{
    if (now >= self->pause_until_ms) {
        const int64_t twice_ms = 2 * self->backoff_ms;

        self->backoff_ms = twice_ms < BACKOFF_MIN_MS   ? BACKOFF_MIN_MS
                           : twice_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS
                                                       : twice_ms;
        self->pause_until_ms =
            now + (refusal->retry_after_ms > 0 ? refusal->retry_after_ms : self->backoff_ms);
    }
    slot->waits = false;
    slot->due_ms = self->pause_until_ms;
}

static void take_reply(struct sender *self, const struct ates_reply *reply, int64_t now)
{
    struct slot *slot = NULL;

    for (size_t i = 0; i < IN_FLIGHT_MAX && slot == NULL; i++) {
        if (self->slots[i].used && self->slots[i].row == reply->tag) {
            slot = &self->slots[i];
        }
    }
    self->heard_ms = now;
    if (slot == NULL) {
        return; /* a second reply to a row that was sent twice */
    }
    if (reply->status == ATES_OK) {
        self->created += !reply->replayed;
        self->existing += reply->replayed;
        self->backoff_ms = 0;
        const int code = import_journal_note(self->journal, slot->row, reply->seq);
        self->code = self->code != CTL_OK ? self->code : code;
        free_slot(self, slot);
    } else if (reply->status == ATES_RESOURCE_EXHAUSTED || reply->status == ATES_UNAVAILABLE ||
               reply->status == ATES_DEADLINE_EXCEEDED) {
        back_off(self, slot, &reply->refusal, now);
    } else {
        if (self->code == CTL_OK) {
            ctl_say("%s:%zu:", self->file->name, self->file->rows[slot->row].line);
            self->code = ctl_refused("tasks", ctl_command(&tasks_service, "create_task"), NULL,
                                     &reply->refusal);
        }
        free_slot(self, slot);
    }
}

static void receive(struct sender *self)
{
    struct ates_reply reply;
    int r = ates_pipeline_receive(self->pipeline, WAIT_MS, &reply);

    for (int64_t now = now_ms(); r != -EAGAIN; now = now_ms()) {
        if (r == 0) {
            take_reply(self, &reply, now);
        } else if (r != -EPROTO && self->code == CTL_OK) {
            self->code = ctl_unreached(self->ctl, "tasks", true, r);
            return;
        }
        r = ates_pipeline_receive(self->pipeline, 0, &reply);
    }
}

/* Sends until every row has its reply, or something ended it and no reply is to come. */
static int send_all(struct sender *self)
{
    const int64_t silence_ms = SILENCE_TIMEOUTS * self->ctl->timeout_ms;
    struct ctl_progress progress;

    self->heard_ms = self->renewed_ms = now_ms();
    ctl_progress_begin(&progress, "tasks", self->file->count, self->journal->noted_count);
    for (;;) {
        const int64_t now = now_ms();

        take_rows(self, now);
        send_due(self, now);
        if (self->used == 0) {
            break;
        }
        receive(self);
        if (now - self->renewed_ms > RENEW_INTERVAL_MS) {
            ctl_renew(self->ctl);
            self->renewed_ms = now;
        }
        if (now_ms() - self->heard_ms > silence_ms) {
            const int code = ctl_fail(CTL_UNREACHABLE, NULL, "no reply from tasks within %g s",
                                      (double)silence_ms / 1000);

            self->code = self->code != CTL_OK ? self->code : code;
            break;
        }
        ctl_progress_show(&progress, self->journal->noted_count);
    }
    ctl_progress_end(&progress, self->journal->noted_count);
    return self->code;
}

static int send_file(struct ctl *ctl, const struct import_file *file, const char *key,
                     struct import_journal *journal, uint64_t *created, uint64_t *existing)
{
    const struct sigaction ending = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    struct sender self = {.ctl = ctl, .file = file, .key = key, .journal = journal};
    struct sigaction before_int, before_term;

    self.pipeline = ates_pipeline_new(ctl->client, "tasks");
    if (self.pipeline == NULL) {
        return ctl_unreached(ctl, "tasks", true, -errno);
    }
    self.existing = journal->noted_count;
    /* The second time it ends atesctl at once, which loses nothing either. */
    sigaction(SIGINT, &ending, &before_int);
    sigaction(SIGTERM, &ending, &before_term);
    const int code = send_all(&self);
    sigaction(SIGINT, &before_int, NULL);
    sigaction(SIGTERM, &before_term, NULL);
    ates_pipeline_free(&self.pipeline);
    ates_buffer_release(&self.body);
    *created = self.created;
    *existing = self.existing;
    return code;
}

/* What an import has come to. */
struct import_result {
    struct ates_text key;
    uint64_t rows, created, existing;
};
static const struct ates_field import_result_fields[] = {
    {ATES_FIELD(import_result, key), .type = ATES_TEXT, .rule = ATES_RULE_ASCII,
     .max = IMPORT_KEY_MAX},
    {ATES_FIELD(import_result, rows), .type = ATES_UINT},
    {ATES_FIELD(import_result, created), .type = ATES_UINT},
    {ATES_FIELD(import_result, existing), .type = ATES_UINT},
};
static ATES_MESSAGE(import_result, "import_result");

static int print_result(const struct ctl *ctl, const struct import_result *result)
{
    return ctl->format != CTL_TABLE ? ctl_print(ctl, &import_result_message, result) : CTL_OK;
}

static int report(const struct ctl *ctl, const struct import_result *result, int code)
{
    const uint64_t done = result->created + result->existing;

    ctl_say("%" PRIu64 " of %" PRIu64 " tasks are there: %" PRIu64 " created now, %" PRIu64
            " before",
            done, result->rows, result->created, result->existing);
    if (done < result->rows) {
        ctl_say("to go on, give the same command again: no task will be created twice");
    }
    if (code == CTL_OK && done < result->rows) {
        code = CTL_INTERRUPTED;
    }
    const int printed = print_result(ctl, result);
    return code != CTL_OK ? code : printed;
}

/* Whether the journal allows to go on. */
static int check_journal(const struct import_journal *journal, bool resume)
{
    const size_t left = journal->rows - journal->noted_count;

    if (journal->noted_count > 0) {
        ctl_say("going on: %zu of %zu tasks were created before", journal->noted_count,
                journal->rows);
    }
    /* Beyond that time the service no longer knows the request ids. */
    if (journal->idle_ms > REPLIES_KEPT_MS && left > 0 && !resume) {
        return ctl_fail(CTL_CONFLICT, "atesctl task ls, and --resume if they are not",
                        "this import was interrupted more than 24 hours ago: up to %d of the %zu "
                        "tasks that are left may be there",
                        IN_FLIGHT_MAX, left);
    }
    return CTL_OK;
}

static int consent(struct ctl *ctl, const struct import_journal *journal)
{
    const size_t left = journal->rows - journal->noted_count;
    char question[112];

    int code = ctl_check_consent(ctl, "this creates a task of every row, each for a fee");
    if (code == CTL_OK && !ctl->yes) {
        snprintf(question, sizeof question, "%zu task%s will be created, %sfor a fee. Go on?", left,
                 left == 1 ? "" : "s", left == 1 ? "" : "each ");
        code = ctl_confirm(ctl, question, "no task was created");
        ctl_renew(ctl); /* the answer may have taken its time */
    }
    return code;
}

static int import(struct ctl *ctl, const struct import_file *file, const char *key, bool resume)
{
    struct import_result result = {.key = ates_text_from(key), .rows = file->count};
    const struct ates_empty nothing = {0};
    struct import_journal journal;
    struct ates_health_result health;

    int code = ctl_query(ctl, &tasks_service, "health", &nothing, &health);
    if (code == CTL_OK && ctl->session->token[0] == '\0') {
        code = ctl_fail(CTL_NOT_SIGNED_IN, "atesctl login", "you are not signed in");
    }
    if (code == CTL_OK) {
        code = import_journal_open(ctl, file, key, health.seq, &journal);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (journal.finished) {
        ctl_say("already imported: nothing was created; use --key to import it again");
        result.existing = file->count;
        code = import_journal_close(&journal);
        return code == CTL_OK ? print_result(ctl, &result) : code;
    }
    code = check_journal(&journal, resume);
    if (code == CTL_OK) {
        code = consent(ctl, &journal);
    }
    if (code != CTL_OK) {
        import_journal_leave(&journal);
        return code;
    }
    code = send_file(ctl, file, key, &journal, &result.created, &result.existing);
    const int closed = import_journal_close(&journal);
    return report(ctl, &result, code != CTL_OK ? code : closed);
}

static int check_key(const char *key)
{
    const size_t size =
        strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    return size > 0 && size <= IMPORT_KEY_MAX && key[size] == '\0'
               ? CTL_OK
               : ctl_fail(CTL_USAGE, NULL, "--key: 1 to 64 of A-Z a-z 0-9 . _ - are expected");
}

static const struct ctl_option import_options[] = {
    {"key", "WORD", "another name for this import, to import the same file once more"},
    {"resume", NULL, "go on though it was interrupted more than 24 hours ago"},
    {NULL, NULL, NULL},
};

static int run_import(struct ctl *ctl, const struct ctl_input *input)
{
    const char *key = ctl_value(input, "key");
    char own_key[2 * IMPORT_HASH_SIZE + 1];
    struct import_file file;

    int code = key != NULL ? check_key(key) : CTL_OK;
    if (code == CTL_OK) {
        code = import_file_open(ctl, input->arguments[0], &file);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (file.rounded > 0) {
        ctl_say("%zu name%s with [ or ]: these became ( and )", file.rounded,
                file.rounded == 1 ? "" : "s");
    }
    if (key == NULL) {
        sodium_bin2hex(own_key, sizeof own_key, file.hash, sizeof file.hash);
        key = own_key;
    }
    if (file.count == 0) {
        ctl_say("%s holds no tasks", file.name);
    } else {
        code = import(ctl, &file, key, ctl_value(input, "resume") != NULL);
    }
    import_file_close(&file);
    return code;
}

const struct ctl_command task_import_command = {
    .name = "import",
    .arguments = "FILE.csv",
    .summary = "Create a task of every row; may be run again after an interruption",
    .examples = "atesctl task import tasks.csv\n"
                "atesctl task import tasks.csv --key second-time --yes",
    .notes =
        "\nThe file is CSV in UTF-8: fields separated by commas, in double quotes where they hold\n"
        "commas, quotes or newlines (\"\" is a quote). Its first line names the columns:\n"
        "name,description,jira_id (the last two may be missing; other columns are not imported).\n"
        "A name has 1 to 200 characters, a description up to 10000; the file is taken whole or\n"
        "not at all. FILE.csv may be - for stdin. It asks before it creates anything.\n"
        "\nA name like \"[JIRA-123] title\" gives a task for the issue JIRA-123; other [ and ] in\n"
        "names become ( and ).\n",
    .options = import_options,
    .min = 1,
    .max = 1,
    .run = run_import,
};
