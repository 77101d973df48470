/* What analytics must say, by the model; see model.h. */
#include "support/model.h"

#include <criterion/criterion.h>

#include <ates/analytics.h>

static struct ates_text date_of(struct flow *flow, ates_day day)
{
    char *date = ates_arena_alloc(flow->arena, ATES_DATE_SIZE);

    ates_day_format(day, date);
    return ates_text_from(date);
}

/* The days from the first to the last with a transfer or a completion; false where there is none.
 */
static bool find_span(const struct model *model, ates_day *first, ates_day *last)
{
    *first = INT32_MAX;
    *last = -1;
    for (size_t i = 0; i < model->day_count; i++) {
        *first = model->days[i].day < *first ? model->days[i].day : *first;
        *last = model->days[i].day > *last ? model->days[i].day : *last;
    }
    for (size_t i = 0; i < model->task_count; i++) {
        const ates_day day = ates_day_at(model->tasks[i].completed_at);

        if (model->tasks[i].is_finished) {
            *first = day < *first ? day : *first;
            *last = day > *last ? day : *last;
        }
    }
    return *last >= 0;
}

static int64_t income_of(const struct model *model, ates_day day)
{
    for (size_t i = 0; i < model->day_count; i++) {
        if (model->days[i].day == day) {
            return model->days[i].income_cents;
        }
    }
    return 0;
}

static void check_incomes(const struct model *model, struct flow *flow, ates_day first,
                          ates_day last)
{
    const struct analytics_show_income body = {.from_date = date_of(flow, first),
                                               .to_date = date_of(flow, last)};
    struct analytics_show_income_result shown;

    flow_do(flow, FLOW_ADMINISTRATOR, &analytics_service, "show_income", &body, &shown);
    cr_assert_eq(shown.items.count, (size_t)(last - first) + 1);
    for (ates_day day = first; day <= last; day++) {
        const struct analytics_income *income =
            &((const struct analytics_income *)shown.items.items)[day - first];

        cr_assert(ates_text_equal(income->date, date_of(flow, day)));
        cr_assert_eq(income->income_cents, income_of(model, day), "%.*s: %ld, not %ld cents",
                     (int)income->date.size, income->date.data, (long)income->income_cents,
                     (long)income_of(model, day));
    }
}

static void check_today(const struct model *model, struct flow *flow)
{
    const struct ates_source source = ates_source_system();
    struct analytics_today_income_result shown;

    flow_do(flow, FLOW_ADMINISTRATOR, &analytics_service, "today_income", NULL, &shown);
    const ates_day today = ates_day_at(ates_now_ms(&source));
    cr_assert(ates_text_equal(shown.date, date_of(flow, today)));
    cr_assert_eq(shown.income_cents, income_of(model, today));
}

static void check_negative_balances(const struct model *model, struct flow *flow)
{
    struct analytics_negative_balances body = {.has_limit = true, .limit = 1000};
    struct analytics_negative_balances_result page;
    size_t negative = 0, seen = 0;
    int64_t last_cents = INT64_MIN;

    for (uint64_t user = 0; user < model->account_count; user++) {
        negative += model_balance(model, user) < 0;
    }
    do {
        flow_do(flow, FLOW_ADMINISTRATOR, &analytics_service, "negative_balances", &body, &page);
        cr_assert_eq(page.count, negative, "%lu negative balances, not %zu",
                     (unsigned long)page.count, negative);
        for (size_t i = 0; i < page.items.count; i++) {
            const struct analytics_negative_balance *item =
                &((const struct analytics_negative_balance *)page.items.items)[i];

            cr_assert_lt(item->balance_cents, 0);
            cr_assert_eq(item->balance_cents, model_balance(model, item->user_id));
            cr_assert_geq(item->balance_cents, last_cents, "the largest debt comes first");
            cr_assert(item->has_login);
            last_cents = item->balance_cents;
            seen++;
        }
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    cr_assert_eq(seen, negative);
}

/* The highest reward of a task completed in these days, ties to the earlier completion (and so to
 * the one that tasks told earlier); NULL where there is none. */
static const struct model_task *find_top(const struct model *model, ates_day first, ates_day last)
{
    const struct model_task *best = NULL;

    for (size_t i = 0; i < model->task_count; i++) {
        const struct model_task *task = &model->tasks[i];
        const ates_day day = ates_day_at(task->completed_at);

        if (task->is_finished && day >= first && day <= last &&
            (best == NULL || task->reward_cents > best->reward_cents ||
             (task->reward_cents == best->reward_cents &&
              task->completed_at < best->completed_at))) {
            best = task;
        }
    }
    return best;
}

static void check_top(const struct model *model, bool has_task, const struct analytics_task *shown,
                      ates_day first, ates_day last)
{
    const struct model_task *wanted = find_top(model, first, last);

    cr_assert_eq(has_task, wanted != NULL);
    if (wanted == NULL) {
        return;
    }
    cr_assert(shown->task_id >= 1 && shown->task_id <= model->task_count);
    const struct model_task *task = &model->tasks[shown->task_id - 1];
    /* Two of one reward may have been completed in the same millisecond. */
    cr_assert(task->is_finished && task->reward_cents == wanted->reward_cents &&
                  task->completed_at == wanted->completed_at,
              "task %lu is shown as the most expensive one, not %zu", (unsigned long)shown->task_id,
              (size_t)(wanted - model->tasks) + 1);
    cr_assert_eq(shown->complete_price_cents, task->reward_cents);
    cr_assert_eq(shown->completed_at, task->completed_at);
    cr_assert(ates_text_equal(shown->name, task->name) ||
              (model->takes_older_names && ates_text_equal(shown->name, task->older_name)));
}

static void check_most_expensive_tasks(const struct model *model, struct flow *flow, ates_day first,
                                       ates_day last)
{
    const struct analytics_show_the_most_expensive_task body = {.has_from_date = true,
                                                                .from_date = date_of(flow, first),
                                                                .has_to_date = true,
                                                                .to_date = date_of(flow, last)};
    struct analytics_show_the_most_expensive_task_result shown;

    flow_do(flow, FLOW_ADMINISTRATOR, &analytics_service, "show_the_most_expensive_task", &body,
            &shown);
    check_top(model, shown.has_task, &shown.task, first, last);
    cr_assert_leq(shown.days.count, (size_t)(last - first) + 1);
    for (ates_day day = first; day <= last; day++) {
        const struct analytics_day *item =
            &((const struct analytics_day *)shown.days.items)[day - first];

        if ((size_t)(day - first) == shown.days.count) {
            cr_assert_null(find_top(model, day, last), "the days that are left out are to come");
            break;
        }
        cr_assert(ates_text_equal(item->date, date_of(flow, day)));
        check_top(model, item->has_task, &item->task, day, day);
    }
}

void model_check_analytics(const struct model *model, struct flow *flow)
{
    ates_day first, last;

    check_today(model, flow);
    check_negative_balances(model, flow);
    if (find_span(model, &first, &last)) {
        check_incomes(model, flow, first, last);
        check_most_expensive_tasks(model, flow, first, last);
    }
}
