/* See story_dates.h. */
#include "support/story_dates.h"

#include <stdio.h>

#include <criterion/criterion.h>

#include "core/calendar.h"

/* By itself, or by hand together with a later one. */
static bool was_closed(const struct story *story, story_day day)
{
    const struct story_model *model = &story->model;
    size_t i = 0;

    while (i < model->closing_count && model->closings[i].day < day) {
        i++;
    }
    return i < model->closing_count &&
           (model->closings[i].day == day || model->closings[i].is_early);
}

/* Each closing of the model is an event of accounting, in this order. */
static void check_closings(struct story *story)
{
    struct fixture *accounting = story_fixture(story, STORY_ACCOUNTING);
    struct accounting_payout_closed closed;
    size_t count = 0;

    for (uint64_t seq = 1; seq <= fixture_head(accounting); seq++) {
        const struct ates_envelope envelope = fixture_envelope(accounting, seq);
        char date[STORY_DATE_SIZE];

        if (ates_text_equal(envelope.event_name,
                            ates_text_from(accounting_payout_closed_message.name))) {
            cr_assert_lt(count, story->model.closing_count);
            const struct story_closing *closing = &story->model.closings[count++];

            fixture_event(accounting, seq, &accounting_payout_closed_message, &closed);
            story_format(closing->day, date);
            cr_assert(ates_text_equal(closed.business_date, ates_text_from(date)));
            cr_assert(closed.paid_count == closing->count && closed.total_cents == closing->cents);
            cr_assert(count < 2 || closing->day > closing[-1].day, "%s comes late", date);
        }
        ates_arena_reset(accounting->arena);
    }
    cr_assert_eq(count, story->model.closing_count);
}

/* Before anything was ever booked the schedule passes dates without closing them. A clock that is
 * set back then may bring transfers of such dates, which the next closing takes in. */
static bool has_passed_empty(struct story *story)
{
    return story->model.closing_count == 0 &&
           story_time(story, STORY_PAYMENT) > story->now_ms + story->clock_off_ms;
}

/* The first day whose payday is yet to come, as the next one. */
static void check_next(struct story *story)
{
    struct fixture *payment = story_fixture(story, STORY_PAYMENT);
    const int64_t clock = story_clock_at(story->zone, story_time(story, STORY_PAYMENT));
    const story_day due = (story_day)((clock - story->payday_ms) / INT64_C(86400000));
    struct payment_show_schedule_result schedule;
    char today[STORY_DATE_SIZE], later[STORY_DATE_SIZE];

    fixture_do(payment, fixture_caller(1, ATES_ACCOUNTANT), "show_schedule", NULL, &schedule);
    story_format(due, today);
    story_format(due > story->model.closed_through ? due : story->model.closed_through + 1, later);
    cr_assert(ates_text_equal(schedule.next_business_date, ates_text_from(today)) ||
                  ates_text_equal(schedule.next_business_date, ates_text_from(later)),
              "payment's next date is %.10s, not %s or %s", schedule.next_business_date.data, today,
              later);
    cr_assert(story->model.move_count == 0 || story->model.moves[0].day >= due ||
                  story->model.closed_through >= due - 1 || has_passed_empty(story),
              "a date before %s is not closed", today);
    ates_arena_reset(payment->arena);
}

/* Every date that the schedule passed, it passed by a run that did not fail or by hearing that it
 * was closed. */
static void check_runs(struct story *story)
{
    struct fixture *payment = story_fixture(story, STORY_PAYMENT);
    bool is_done[STORY_PAST_DAYS] = {false};
    struct payment_payment_run run;
    ates_day day, last = 0;

    for (uint64_t seq = 1; seq <= fixture_head(payment); seq++) {
        fixture_event(payment, seq, &payment_payment_run_message, &run);
        cr_assert_eq(ates_day_parse(run.business_date.data, run.business_date.size, &day), 0);
        const story_day index = day - story->first_day + 10;
        cr_assert(index >= 0 && index < STORY_PAST_DAYS);
        is_done[index] |= run.status != PAYMENT_FAILED;
        last = day > last ? day : last;
        ates_arena_reset(payment->arena);
    }
    for (day = story->first_day; day <= last; day++) {
        cr_assert(is_done[day - story->first_day + 10] || was_closed(story, day));
    }
}

void story_check_dates(struct story *story)
{
    check_closings(story);
    check_next(story);
    check_runs(story);
}
