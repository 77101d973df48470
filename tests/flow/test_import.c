/* Real texts through the command line into separate processes, and what becomes of them: each row
 * one task, priced and paid once; drawn evenly; and money that adds up, however it is counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "support/csv.h"
#include "support/load.h"
#include "support/model.h"

#define GENERATED_ROWS 300u
#define ARGUMENTS_MAX 12

/* Chi-square for 5 degrees of freedom: exceeded by chance once in 1,000 times, and in 10,000. */
#define DEGREES 5u
#define LIMIT_1000 20.515
#define LIMIT_1000000 35.888
_Static_assert(FLOW_ELIGIBLE - 1 == DEGREES, "the limits are for this many people");

TestSuite(import, .timeout = 600);

static const char *atesctl(void)
{
    const char *given = getenv("ATESCTL");

    return given != NULL ? given : ATESCTL_PATH;
}

/* Runs atesctl with these words, which must succeed. */
static void run_atesctl(struct flow *flow, const char *const *words)
{
    static struct flow_output output;
    const char *argv[ARGUMENTS_MAX + 1] = {atesctl(), "--run", flow->run_dir, "--no-input"};
    size_t count = 4;

    while (*words != NULL) {
        cr_assert_lt(count, ARGUMENTS_MAX);
        argv[count++] = *words++;
    }
    flow_run(flow, argv, NULL, &output);
    cr_assert_eq(output.code, 0, "atesctl %s %s: %d\n%s", argv[4], argv[5], output.code,
                 output.err);
}
#define ATESCTL(FLOW, ...) run_atesctl(FLOW, (const char *const[]){__VA_ARGS__, NULL})

static void sign_in(struct flow *flow, uint64_t user)
{
    char path[128];

    snprintf(path, sizeof path, "%s/password", flow->folder);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fprintf(file, "%s\n", flow_password(user));
    fclose(file);
    ATESCTL(flow, "login", flow_login(user), "--password-file", path);
}

/* Where there is no real input. */
static void generate(const char *path)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    fputs("name,description\n", file);
    for (unsigned i = 0; i < GENERATED_ROWS; i++) {
        fprintf(file, "\"Починить \"\"дверь\"\", %u\",\"line %u,\nи ещё одна\n\nthe last\"\n",
                i / 2, i % 7);
    }
    fclose(file);
}

/* The path of the real input, or of generated rows. */
static void find_input(const struct flow *flow, char *path, size_t size)
{
    const char *shared = getenv("ATES_SHARED");

    if (shared != NULL) {
        snprintf(path, size, "%s/data/tasks.csv", shared);
    } else {
        snprintf(path, size, "%s/../shared/data/tasks.csv", ATES_SOURCE_ROOT);
    }
    if (access(path, R_OK) != 0) {
        fprintf(stderr, "skipped: no %s; %u generated rows instead\n", path, GENERATED_ROWS);
        snprintf(path, size, "%s/tasks.csv", flow->folder);
        generate(path);
    }
}

static int compare_texts(struct ates_text a, struct ates_text b)
{
    const size_t size = a.size < b.size ? a.size : b.size;
    const int r = size > 0 ? memcmp(a.data, b.data, size) : 0;

    return r != 0 ? r : (a.size > b.size) - (a.size < b.size);
}

static int compare_rows(const void *a, const void *b)
{
    const struct csv_row *x = a, *y = b;
    const int r = compare_texts(x->cells[0], y->cells[0]);

    return r != 0 ? r : compare_texts(x->cells[1], y->cells[1]);
}

/* A title has no brackets: those of the row's name are parentheses in it. */
static struct ates_text as_title(struct ates_text name, struct ates_arena *arena)
{
    char *title = ates_arena_copy(arena, name.data, name.size);

    for (size_t i = 0; i < name.size; i++) {
        title[i] = (char)(title[i] == '[' ? '(' : title[i] == ']' ? ')' : title[i]);
    }
    return (struct ates_text){title, name.size};
}

/* Each row is one task, rows that come several times as many tasks. */
static void check_rows(const struct model *model, const char *path, struct ates_arena *arena)
{
    size_t count;
    struct csv_row *rows = csv_read(path, arena, &count);

    cr_assert_not_null(rows, "%s is no CSV of two columns", path);
    rows++; /* the header */
    count--;
    cr_assert_eq(model->task_count, count, "%zu tasks of %zu rows", model->task_count, count);
    struct csv_row *made = ates_arena_alloc(arena, count * sizeof *made);
    for (size_t i = 0; i < count; i++) {
        made[i] = (struct csv_row){{model->tasks[i].name, model->tasks[i].description}};
        cr_assert_eq(model->tasks[i].created_by, FLOW_MANAGER);
        rows[i].cells[0] = as_title(rows[i].cells[0], arena);
    }
    qsort(rows, count, sizeof *rows, compare_rows);
    qsort(made, count, sizeof *made, compare_rows);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(compare_rows(&rows[i], &made[i]), 0, "no task is the row '%.*s'",
                     (int)rows[i].cells[0].size, rows[i].cells[0].data);
    }
}

static void count_draw(size_t drawn[FLOW_USERS + 1], uint64_t user)
{
    cr_assert(user >= FLOW_ACCOUNTANT && user <= FLOW_LAST_USER, "user %lu may hold no task",
              (unsigned long)user);
    drawn[user]++;
}

/* Of how often each eligible user was drawn. */
static double chi_square(const size_t drawn[FLOW_USERS + 1])
{
    size_t total = 0;
    double sum = 0;

    for (uint64_t user = FLOW_ACCOUNTANT; user <= FLOW_LAST_USER; user++) {
        total += drawn[user];
    }
    const double expected = (double)total / (double)FLOW_ELIGIBLE;
    for (uint64_t user = FLOW_ACCOUNTANT; user <= FLOW_LAST_USER; user++) {
        const double difference = (double)drawn[user] - expected;

        sum += difference * difference / expected;
    }
    return sum;
}

static void check_draws(const struct model *model)
{
    size_t first[FLOW_USERS + 1] = {0}, later[FLOW_USERS + 1] = {0};
    struct tasks_task_created_v2 created;
    struct tasks_task_assigned assigned;

    for (size_t i = 0; i < model->tasks_log.count; i++) {
        if (event_log_is(&model->tasks_log, i, &tasks_task_created_v2_message, &created)) {
            count_draw(first, created.assigned_to);
        } else if (event_log_is(&model->tasks_log, i, &tasks_task_assigned_message, &assigned)) {
            count_draw(later, assigned.assigned_to);
        }
    }
    const double of_first = chi_square(first), of_later = chi_square(later);
    fprintf(stderr, "chi-square of the assignees: %.2f at first, %.2f later\n", of_first, of_later);
    /* A fair draw passes 0.001 but once in a thousand samples; two samples decide, so that a run in a million
     * cries wolf. */
    cr_assert(of_first < LIMIT_1000 || of_later < LIMIT_1000);
    cr_assert_lt(of_first, LIMIT_1000000);
    cr_assert_lt(of_later, LIMIT_1000000);
}

/* Every second task, each by its assignee. */
static void complete_every_second(struct flow *flow, const struct model *model)
{
    struct load load;

    load_open(&load, flow);
    for (uint64_t id = 2; id <= model->task_count; id += 2) {
        const struct tasks_complete_task body = {.task_id = id};

        load_send(&load, model->tasks[id - 1].assigned_to, &tasks_service, "complete_task", &body,
                  id);
        load_drain(&load, 64);
    }
    load_drain(&load, 0);
    for (size_t i = 0; i < load.count; i++) {
        cr_assert_eq(load.commands[i].status, ATES_OK, "%s", load.commands[i].reason);
    }
    load_close(&load);
}

Test(import, every_row_becomes_a_task_and_the_money_adds_up)
{
    struct flow flow;
    struct model model;
    char path[512];

    flow_open(&flow);
    flow_start_all(&flow);
    flow_catch_up(&flow);
    find_input(&flow, path, sizeof path);
    sign_in(&flow, FLOW_MANAGER);
    ATESCTL(&flow, "task", "import", path, "--yes");
    ATESCTL(&flow, "task", "import", path, "--yes"); /* again: nothing is created twice */
    flow_catch_up(&flow);
    model_fold(&model, &flow);
    check_rows(&model, path, flow.arena);
    model_check(&model, &flow);
    model_free(&model);

    ATESCTL(&flow, "task", "reassign", "--yes");
    ATESCTL(&flow, "task", "reassign", "--yes");
    flow_catch_up(&flow);
    model_fold(&model, &flow);
    cr_assert_eq(model.reassignment_count, 2 * model.task_count);
    check_draws(&model);
    complete_every_second(&flow, &model);
    model_free(&model);

    flow_catch_up(&flow);
    model_fold(&model, &flow);
    cr_assert_eq(model.finished_count, model.task_count / 2);
    model_check(&model, &flow);
    model_free(&model);

    flow_stop_all(&flow);
    ATESCTL(&flow, "admin", "check", "--data", flow.data_dir);
    ATESCTL(&flow, "admin", "rebuild", "--data", flow.data_dir);
    model_check_rebuild(&flow);
    flow_start_all(&flow);
    model_verify(&flow);
    flow_close(&flow);
}
