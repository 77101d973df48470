/* See story_model.h. */
#include "support/story_model.h"

#include <string.h>

void story_model_begin(struct story_model *model, const struct story_zone *zone)
{
    memset(model, 0, sizeof *model);
    model->zone = zone;
    model->closed_through = -1;
}

const char *story_model_created(struct story_model *model, uint64_t task, uint64_t user)
{
    if (task != model->task_count + 1 || task > STORY_TASKS) {
        return "the new task's id is not the next";
    }
    if (user == 0 || user > model->user_count || !model->users[user].may_be_drawn) {
        return "a task went to who may not be drawn";
    }
    model->task_count = task;
    model->tasks[task] = (struct story_task){.assigned_to = user};
    return NULL;
}

const char *story_model_assigned(struct story_model *model, uint64_t task, uint64_t from,
                                 uint64_t user)
{
    if (task == 0 || task > model->task_count || model->tasks[task].is_finished) {
        return "a task that is not open was assigned";
    }
    if (model->tasks[task].assigned_to != from) {
        return "a task was taken from who did not have it";
    }
    if (user == 0 || user > model->user_count || !model->users[user].may_be_drawn) {
        return "a task was assigned to who may not be drawn";
    }
    model->tasks[task].assigned_to = user;
    return NULL;
}

const char *story_model_completed(struct story_model *model, uint64_t task, uint64_t user)
{
    if (task == 0 || task > model->task_count || model->tasks[task].is_finished) {
        return "a task that is not open was completed";
    }
    if (model->tasks[task].assigned_to != user) {
        return "a task was completed by who did not have it";
    }
    model->tasks[task].is_finished = true;
    return NULL;
}

size_t story_model_open_tasks(const struct story_model *model, uint64_t user)
{
    size_t count = 0;

    for (uint64_t i = 1; i <= model->task_count; i++) {
        count += !model->tasks[i].is_finished && (user == 0 || model->tasks[i].assigned_to == user);
    }
    return count;
}

size_t story_model_eligible(const struct story_model *model)
{
    size_t count = 0;

    for (uint64_t i = 1; i <= model->user_count; i++) {
        count += model->users[i].may_be_drawn;
    }
    return count;
}

const char *story_model_priced(struct story_model *model, uint64_t task, int64_t fee,
                               int64_t reward)
{
    if (task == 0 || task > model->task_count || model->tasks[task].fee != 0) {
        return "a task was priced that has its prices, or is none";
    }
    if (fee < 1000 || fee > 2000 || reward < 2000 || reward > 4000) {
        return "a price is out of its range";
    }
    model->tasks[task].fee = fee;
    model->tasks[task].reward = reward;
    return NULL;
}

void story_model_move(struct story_model *model, enum story_kind kind, uint64_t task, uint64_t user,
                      int64_t time)
{
    const story_day own = story_day_at(model->zone, time);

    model->moves[model->move_count++] = (struct story_move){
        .kind = kind,
        .user = user,
        .task = task,
        .cents = kind == STORY_FEE ? -model->tasks[task].fee : model->tasks[task].reward,
        .time = time,
        .own = own,
        .day = own > model->closed_through ? own : model->closed_through + 1,
    };
}

static bool has_moves(const struct story_model *model, story_day day)
{
    for (size_t i = 0; i < model->move_count; i++) {
        if (model->moves[i].day <= day) {
            return true;
        }
    }
    return false;
}

enum story_verdict story_model_judge(const struct story_model *model, int64_t now, story_day day,
                                     bool has_seq, uint64_t seq, uint64_t arrived)
{
    if (day > story_day_at(model->zone, now)) {
        return STORY_FUTURE;
    }
    if (model->is_waiting) {
        return STORY_RUNNING;
    }
    if (day <= model->closed_through) {
        return has_moves(model, day) ? STORY_CLOSED : STORY_NOTHING;
    }
    if (!has_seq) {
        return STORY_UNREACHABLE;
    }
    if (!has_moves(model, day)) {
        return arrived < seq ? STORY_BEHIND : STORY_NOTHING;
    }
    return STORY_PAYS;
}

void story_model_wait(struct story_model *model, story_day day, uint64_t seq, bool is_early)
{
    model->is_waiting = true;
    model->waiting_day = day;
    model->waiting_seq = seq;
    model->waiting_is_early = is_early;
}

/* With every day: INT32_MAX. */
static int64_t balance_through(const struct story_model *model, uint64_t user, story_day day)
{
    int64_t cents = 0;

    for (size_t i = 0; i < model->move_count; i++) {
        if (model->moves[i].user == user && model->moves[i].day <= day) {
            cents += model->moves[i].cents;
        }
    }
    for (size_t i = 0; i < model->payout_count; i++) {
        if (model->payouts[i].user == user) {
            cents -= model->payouts[i].cents;
        }
    }
    return cents;
}

void story_model_close(struct story_model *model)
{
    struct story_closing closing = {.day = model->waiting_day, .is_early = model->waiting_is_early};

    for (uint64_t user = 1; user <= model->user_count; user++) {
        const int64_t cents = balance_through(model, user, closing.day);

        if (cents > 0) {
            model->payouts[model->payout_count++] = (struct story_payout){closing.day, user, cents};
            closing.count++;
            closing.cents += cents;
        }
    }
    model->closings[model->closing_count++] = closing;
    model->closed_through = closing.day;
    model->is_waiting = false;
}

int64_t story_model_balance(const struct story_model *model, uint64_t user)
{
    return balance_through(model, user, INT32_MAX);
}

int64_t story_model_day_total(const struct story_model *model, uint64_t user, story_day day)
{
    int64_t cents = 0;

    for (size_t i = 0; i < model->move_count; i++) {
        if (model->moves[i].user == user && model->moves[i].day == day) {
            cents += model->moves[i].cents;
        }
    }
    return cents;
}

int64_t story_model_income(const struct story_model *model, story_day day)
{
    int64_t cents = 0;

    for (size_t i = 0; i < model->move_count; i++) {
        if (model->moves[i].day == day) {
            cents -= model->moves[i].cents;
        }
    }
    return cents;
}

struct story_closing story_model_dues(const struct story_model *model, story_day day)
{
    struct story_closing dues = {.day = day};

    for (uint64_t user = 1; user <= model->user_count; user++) {
        const int64_t cents = balance_through(model, user, day);

        dues.count += cents > 0;
        dues.cents += cents > 0 ? cents : 0;
    }
    return dues;
}

static bool is_better(const struct story_move *a, const struct story_move *b)
{
    if (a->cents != b->cents) {
        return a->cents > b->cents;
    }
    return a->time != b->time ? a->time < b->time : a->task < b->task;
}

const struct story_move *story_model_best(const struct story_model *model, story_day first,
                                          story_day last)
{
    const struct story_move *best = NULL;

    for (size_t i = 0; i < model->move_count; i++) {
        const struct story_move *move = &model->moves[i];

        if (move->kind == STORY_REWARD && move->own >= first && move->own <= last &&
            (best == NULL || is_better(move, best))) {
            best = move;
        }
    }
    return best;
}

size_t story_model_debtors(const struct story_model *model, uint64_t debtors[STORY_USERS])
{
    int64_t cents[STORY_USERS];
    size_t count = 0;

    for (uint64_t user = 1; user <= model->user_count; user++) {
        const int64_t balance = story_model_balance(model, user);
        size_t place = count;

        if (balance >= 0) {
            continue;
        }
        for (; place > 0 && cents[place - 1] > balance; place--) {
            cents[place] = cents[place - 1];
            debtors[place] = debtors[place - 1];
        }
        cents[place] = balance;
        debtors[place] = user;
        count++;
    }
    return count;
}
