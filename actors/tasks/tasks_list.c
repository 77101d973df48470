/* The lists of tasks; see tasks_list.h. */
#include "tasks/tasks_list.h"

#include <errno.h>

#include "core/page.h"
#include "core/search.h"
#include "tasks/tasks_state.h"

/* What one call looks through at most before it gives what it has, with `next` set to go on: so
 * that no call holds the loop for long. */
#define EXAMINED_TASKS_MAX 5000u
#define EXAMINED_BYTES_MAX (2u << 20)

/* Bytes of a task in a page beside its texts, at most. */
#define TASK_BYTES 160u

struct filter {
    enum tasks_status status;
    bool has_assigned_to;
    uint64_t assigned_to;
    bool has_query;
    struct ates_words query;
    uint64_t from_id, to_id; /* ids in [from, to) */
    bool newest_first;
};

/* The index rows of the open or the finished tasks. */
struct run {
    struct ates_scan scan;
    uint64_t id; /* of the row in hand */
    bool ended;
};

/* Ids of tasks in the list's order: a search, or one or two runs merged. */
struct source {
    bool newest_first;
    bool searches;
    struct ates_search search;
    struct run runs[2];
    size_t run_count;
};

static int next_in_run(struct run *run)
{
    struct ates_bytes key, value;
    int r = ates_scan_next(&run->scan, &key, &value);

    run->ended = r != 0;
    if (r == 0) {
        run->id = ates_u64_from(key.data + run->scan.prefix.size);
    }
    return r == ATES_NOT_FOUND ? 0 : r;
}

/* The end of the filter's ids that the list begins at. */
static uint64_t begin_id(const struct filter *filter)
{
    return filter->newest_first ? filter->to_id : filter->from_id;
}

static int open_run(struct source *self, struct ates_txn *txn, const struct filter *filter,
                    bool is_finished)
{
    const struct ates_key prefix =
        filter->has_assigned_to ? tasks_state_assignee_prefix(filter->assigned_to, is_finished)
                                : tasks_state_status_prefix(is_finished);
    const unsigned table =
        filter->has_assigned_to ? TASKS_TABLE_BY_ASSIGNEE : TASKS_TABLE_BY_STATUS;
    struct ates_key from = prefix;
    struct run *run = &self->runs[self->run_count];

    ates_key_add_u64(&from, begin_id(filter));
    int r = ates_scan_open_ordered(&run->scan, txn, table, &prefix, &from, filter->newest_first);
    if (r != 0) {
        return r;
    }
    self->run_count++;
    return next_in_run(run);
}

static void close_source(struct source *self)
{
    if (self->searches) {
        ates_search_close(&self->search);
    }
    for (size_t i = 0; i < self->run_count; i++) {
        ates_scan_close(&self->runs[i].scan);
    }
}

static int open_source(struct source *source, struct ates_call *call, const struct filter *filter)
{
    struct source self = {.newest_first = filter->newest_first, .searches = filter->has_query};
    int r = 0;

    if (filter->has_query) {
        r = ates_search_open(&self.search, call, TASKS_TABLE_WORDS, &filter->query,
                             begin_id(filter), filter->newest_first);
        if (r != 0) {
            return r;
        }
    } else {
        if (filter->status != TASKS_FINISHED) {
            r = open_run(&self, call->txn, filter, false);
        }
        if (r == 0 && filter->status != TASKS_OPEN) {
            r = open_run(&self, call->txn, filter, true);
        }
    }
    if (r != 0) {
        close_source(&self);
        return r;
    }
    *source = self;
    return 0;
}

static int next_id(struct source *self, uint64_t *id)
{
    struct run *first = NULL;

    if (self->searches) {
        return ates_search_next(&self->search, id);
    }
    for (size_t i = 0; i < self->run_count; i++) {
        if (!self->runs[i].ended &&
            (first == NULL || (self->runs[i].id < first->id) != self->newest_first)) {
            first = &self->runs[i];
        }
    }
    if (first == NULL) {
        return ATES_NOT_FOUND;
    }
    *id = first->id;
    return next_in_run(first);
}

/* Of a search's hit, which so far is known to have the query's longest word. An index run has been
 * chosen by the filter itself. */
static bool matches(const struct filter *filter, const struct tasks_task *task,
                    struct ates_arena *arena)
{
    if (!filter->has_query) {
        return true;
    }
    if ((filter->status != TASKS_ALL && task->is_finished != (filter->status == TASKS_FINISHED)) ||
        (filter->has_assigned_to && task->assigned_to != filter->assigned_to)) {
        return false;
    }
    if (filter->query.count == 1) {
        return true;
    }
    const struct ates_words words = tasks_state_words(task, arena);
    return ates_words_match(&words, &filter->query);
}

struct page {
    struct tasks_task *items;
    size_t count, limit;
    bool more;
    uint64_t last_id; /* where the next page begins after */
};

static int fill_page(struct ates_call *call, const struct filter *filter, struct source *source,
                     struct page *page)
{
    size_t examined = 0, examined_bytes = 0, page_bytes = 0;
    struct tasks_task task;
    uint64_t id;
    int r;

    while ((r = next_id(source, &id)) == 0 && filter->from_id <= id && id < filter->to_id) {
        page->more = examined == EXAMINED_TASKS_MAX || examined_bytes > EXAMINED_BYTES_MAX;
        if (page->more) {
            return 0;
        }
        r = tasks_state_get_task(call->txn, id, &task);
        if (r != 0) {
            return r == ATES_NOT_FOUND ? -EUCLEAN : r;
        }
        const size_t bytes = TASK_BYTES + task.name.size + task.description.size;
        examined++;
        examined_bytes += bytes;
        if (matches(filter, &task, call->arena)) {
            page->more = page->count == page->limit || page_bytes + bytes > ATES_PAGE_BYTES;
            if (page->more) {
                return 0;
            }
            page->items[page->count++] = task;
            page_bytes += bytes;
        }
        page->last_id = id;
    }
    return r == ATES_NOT_FOUND ? 0 : r;
}

/* What every answer here ends with: the page and where the next one begins, by the names that all
 * results share. */
static int list(struct ates_call *call, const struct filter *filter, size_t limit,
                struct ates_list *items, bool *has_next, struct ates_text *next)
{
    struct page page = {
        .items = ates_arena_alloc(call->arena, limit * sizeof *page.items),
        .limit = limit,
    };
    struct source source;

    if (filter->from_id < filter->to_id) {
        int r = open_source(&source, call, filter);
        if (r == 0) {
            r = fill_page(call, filter, &source, &page);
            close_source(&source);
        }
        if (r != 0) {
            return r;
        }
    }
    *items = (struct ates_list){page.items, page.count};
    *has_next = page.more;
    *next = ates_page_next(call->arena, page.last_id);
    return 0;
}

static int set_after(struct ates_call *call, struct filter *filter, bool has_after,
                     struct ates_text after)
{
    return ates_page_begin(call, has_after, after, filter->newest_first,
                           filter->newest_first ? &filter->to_id : &filter->from_id);
}

static void set_query(struct ates_call *call, struct filter *filter, struct ates_text query)
{
    filter->has_query = true;
    ates_words_split(&query, 1, call->arena, &filter->query);
}

int tasks_answer_show_my_assigned_tasks(struct ates_call *call, const void *body, void *result)
{
    const struct tasks_show_my_assigned_tasks *asked = body;
    struct tasks_show_my_assigned_tasks_result *shown = result;
    struct filter filter = {
        .status = asked->has_status ? (enum tasks_status)asked->status : TASKS_OPEN,
        .has_assigned_to = true,
        .assigned_to = call->user.id,
        .to_id = UINT64_MAX,
        .newest_first = asked->newest_first,
    };

    if (asked->has_query) {
        set_query(call, &filter, asked->query);
    }
    int r = set_after(call, &filter, asked->has_after, asked->after);
    if (r == 0) {
        r = list(call, &filter, asked->has_limit ? asked->limit : ATES_PAGE_LIMIT, &shown->items,
                 &shown->has_next, &shown->next);
    }
    return r;
}

/* Ids grow with time, so a range of times is one of ids. */
static int set_created(struct ates_txn *txn, const struct tasks_show_all_assigned_tasks *asked,
                       struct filter *filter)
{
    uint64_t first;
    int r = 0;

    if (asked->has_created_from) {
        r = tasks_state_first_since(txn, asked->created_from, &first);
        if (r == 0 && filter->from_id < first) {
            filter->from_id = first;
        }
    }
    if (r == 0 && asked->has_created_to) {
        r = tasks_state_first_since(txn, asked->created_to, &first);
        if (r == 0 && filter->to_id > first) {
            filter->to_id = first;
        }
    }
    return r;
}

int tasks_answer_show_all_assigned_tasks(struct ates_call *call, const void *body, void *result)
{
    const struct tasks_show_all_assigned_tasks *asked = body;
    struct tasks_show_all_assigned_tasks_result *shown = result;
    struct filter filter = {
        .status = asked->has_status ? (enum tasks_status)asked->status : TASKS_ALL,
        .has_assigned_to = asked->has_assigned_to,
        .assigned_to = asked->assigned_to,
        .to_id = UINT64_MAX,
        .newest_first = asked->newest_first,
    };

    if (asked->has_query) {
        set_query(call, &filter, asked->query);
    }
    int r = set_after(call, &filter, asked->has_after, asked->after);
    if (r == 0) {
        r = set_created(call->txn, asked, &filter);
    }
    if (r == 0) {
        r = list(call, &filter, asked->has_limit ? asked->limit : ATES_PAGE_LIMIT, &shown->items,
                 &shown->has_next, &shown->next);
    }
    return r;
}
