/* The most expensive task; see analytics_top.h. Invariant: an answer reads one row for each of its
 * days, and one for the name of each task in it. */
#include "analytics/analytics_top.h"

#include "analytics/analytics_period.h"
#include "analytics/analytics_state.h"

#define NAME_RETRY_MS 200u

/* Refuses: INVALID_ARGUMENT / FIELD_MISSING. */
static int refuse_missing(struct ates_call *call, const char *field)
{
    return ates_refuse_field(call, ATES_INVALID_ARGUMENT, "FIELD_MISSING", field,
                             "%s: period, or from_date and to_date, are expected", field);
}

static int refuse_both(struct ates_call *call, const char *field)
{
    return ates_refuse_field(call, ATES_INVALID_ARGUMENT, "FIELD_INVALID", field,
                             "%s: not expected together with from_date or to_date", field);
}

static int find_days(struct ates_call *call,
                     const struct analytics_show_the_most_expensive_task *query, ates_day today,
                     struct analytics_days *days)
{
    const bool has_dates = query->has_from_date || query->has_to_date;

    if (query->has_period) {
        if (has_dates) {
            return refuse_both(call, "period");
        }
        *days = analytics_period_around((enum analytics_period)query->period,
                                        query->has_date ? ates_day_of(query->date) : today);
        return 0;
    }
    if (!has_dates) {
        return refuse_missing(call, "period");
    }
    if (query->has_date) {
        return refuse_both(call, "date");
    }
    if (!query->has_from_date || !query->has_to_date) {
        return refuse_missing(call, query->has_from_date ? "to_date" : "from_date");
    }
    return analytics_period_between(call, query->from_date, query->to_date, days);
}

/* A completion's transfer comes from accounting, its task's name from tasks: whichever is first. */
static int name_task(struct ates_call *call, const struct analytics_top *top,
                     struct analytics_task *task)
{
    struct analytics_task_known known;

    int r = analytics_state_get_task(call->txn, top->task_id, &known);
    if (r == ATES_NOT_FOUND) {
        r = ates_refuse(call, ATES_UNAVAILABLE, "TASK_NAME_PENDING");
        call->refusal.retry_after_ms = NAME_RETRY_MS;
    }
    if (r == 0) {
        *task = (struct analytics_task){.task_id = top->task_id,
                                        .name = known.name,
                                        .complete_price_cents = top->complete_price_cents,
                                        .completed_at = top->completed_at,
                                        .has_jira_id = known.has_jira_id,
                                        .jira_id = known.jira_id};
    }
    return r;
}

int analytics_answer_show_the_most_expensive_task(struct ates_call *call, const void *body,
                                                  void *result)
{
    struct analytics_show_the_most_expensive_task_result *shown = result;
    const ates_day today = ates_day_at(call->time);
    struct analytics_top best = {.task_id = 0};
    struct analytics_days days = {0};

    int r = find_days(call, body, today, &days);
    if (r != 0) {
        return r;
    }
    const ates_day last = days.last < today ? days.last : today;
    const size_t count = days.first <= last ? (size_t)(last - days.first) + 1 : 0;
    struct analytics_day *items = ates_arena_alloc(call->arena, count * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        struct analytics_day_row row;

        items[i].date = ates_day_text(call->arena, days.first + (ates_day)i);
        r = analytics_state_get_day(call->txn, items[i].date, &row);
        items[i].has_task = r == 0 && row.top.task_id != 0;
        if (items[i].has_task) {
            r = name_task(call, &row.top, &items[i].task);
        }
        if (r != 0) {
            return r;
        }
        if (analytics_top_beats(&row.top, &best)) {
            best = row.top;
            shown->task = items[i].task;
        }
    }
    shown->has_task = best.task_id != 0;
    shown->from_date = ates_day_text(call->arena, days.first);
    shown->to_date = ates_day_text(call->arena, days.last);
    shown->days = (struct ates_list){items, count};
    return 0;
}
