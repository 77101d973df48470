/* The command `metrics`: what every service counts, and what its domain adds. */
#include <errno.h>

#include "core/actor_private.h"
#include "core/figures.h"
#include "core/follower.h"

static const struct ates_figure commands = {"ates_commands_total", ATES_COUNTER,
                                            "Commands answered, by their reply's status."};
static const struct ates_figure command_time = {"ates_command_duration_microseconds",
                                                ATES_HISTOGRAM,
                                                "Time from a command's arrival to its reply."};
static const struct ates_figure position = {"ates_follower_position", ATES_GAUGE,
                                            "Last event taken in from the producer's log."};
static const struct ates_figure lag = {
    "ates_follower_lag_events", ATES_GAUGE,
    "Events that the producer has published and that are not yet taken in."};
static const struct ates_figure stopped = {
    "ates_follower_stopped", ATES_GAUGE, "1 where following the producer was stopped by an alarm."};
static const struct ates_figure followed = {
    "ates_follows_event", ATES_GAUGE,
    "1 for each version of each event that the service takes in; others it passes over."};
static const struct ates_figure batch_records = {
    "ates_batch_records", ATES_HISTOGRAM,
    "Records in each batch, which is written with one fsync."};
static const struct ates_figure commit_time = {"ates_commit_duration_microseconds", ATES_HISTOGRAM,
                                               "Time that writing a batch to the log took."};
static const struct ates_figure checkpoint_time = {"ates_checkpoint_duration_microseconds",
                                                   ATES_HISTOGRAM,
                                                   "Time that a commit of the state's store took."};
static const struct ates_figure store_used = {"ates_store_used_permille", ATES_GAUGE,
                                              "Used part of the store's map."};
static const struct ates_figure has_room = {
    "ates_disk_has_room", ATES_GAUGE, "0 where the disk is so full that commands are refused."};
static const struct ates_figure log_head = {"ates_log_head_seq", ATES_GAUGE,
                                            "Last event of the service's log."};
static const struct ates_figure log_records = {"ates_log_records", ATES_GAUGE,
                                               "Records that the service's log has had."};
static const struct ates_figure replayed = {"ates_replayed_records", ATES_GAUGE,
                                            "Records applied anew at the last start."};
static const struct ates_figure dead_letters = {"ates_dead_letters", ATES_GAUGE,
                                                "Followed events that could not be applied."};
static const struct ates_figure unknown_commands = {
    "ates_unknown_commands_total", ATES_COUNTER,
    "Commands refused since there is none of their name."};
static const struct ates_figure undeliverable = {"ates_undeliverable_replies_total", ATES_COUNTER,
                                                 "Replies whose client was gone."};
static const struct ates_figure waiting = {"ates_waiting_replies", ATES_GAUGE,
                                           "Replies that wait for a job's end."};
static const struct ates_figure jobs = {"ates_jobs_under_way", ATES_GAUGE,
                                        "1 while a job has steps left."};
static const struct ates_figure worker_queue = {"ates_worker_queue", ATES_GAUGE,
                                                "Tasks that wait for a worker thread."};

static void add_commands(struct ates_figures *figures, const struct ates_actor *actor)
{
    for (size_t i = 0; i < actor->route_count; i++) {
        const struct actor_route *route = &actor->routes[i];

        for (int status = 0; status < ATES_STATUS_COUNT; status++) {
            if (route->count[status] > 0) {
                ates_figures_add(figures, &commands, (int64_t)route->count[status],
                                 "command=\"%s.%s\",status=\"%s\"", actor->name,
                                 route->command->name, ates_status_name((enum ates_status)status));
            }
        }
    }
    for (size_t i = 0; i < actor->route_count; i++) {
        const struct actor_route *route = &actor->routes[i];

        if (ates_histogram_count(&route->took_us) > 0) {
            ates_figures_add_histogram(figures, &command_time, &route->took_us, &ates_time_scale,
                                       "command=\"%s.%s\"", actor->name, route->command->name);
        }
    }
}

static void add_followers(struct ates_figures *figures, const struct ates_actor *actor)
{
    for (size_t i = 0; i < actor->follower_count; i++) {
        const struct ates_follower *follower = actor->followers[i];
        const char *producer = ates_follower_producer(follower);

        ates_figures_add(figures, &position, (int64_t)ates_follower_position(follower),
                         "producer=\"%s\"", producer);
        ates_figures_add(figures, &lag, (int64_t)ates_follower_lag(follower), "producer=\"%s\"",
                         producer);
        ates_figures_add(figures, &stopped, ates_follower_stopped(follower), "producer=\"%s\"",
                         producer);
    }
    for (size_t i = 0; i < actor->domain->follow_count; i++) {
        const struct ates_follow *follow = &actor->domain->follows[i];

        ates_figures_add(figures, &followed, 1, "producer=\"%s\",event=\"%s\",version=\"%u\"",
                         follow->producer, follow->event->name, (unsigned)follow->version);
    }
}

static void add_engine(struct ates_figures *figures, struct ates_engine *engine)
{
    const struct ates_engine_figures *counted = ates_engine_figures(engine);
    const struct ates_log_head *head = ates_engine_head(engine);
    const struct ates_base_note *base = ates_log_base(ates_engine_log(engine));
    const uint64_t cut = base != NULL ? base->head.number : 0;

    ates_figures_add_histogram(figures, &batch_records, &counted->batch_records, &ates_batch_scale,
                               NULL);
    ates_figures_add_histogram(figures, &commit_time, &counted->commit_us, &ates_time_scale, NULL);
    ates_figures_add_histogram(figures, &checkpoint_time, &counted->checkpoint_us, &ates_time_scale,
                               NULL);
    ates_figures_add(figures, &store_used, ates_log_used_permille(ates_engine_log(engine)),
                     "store=\"log\"");
    ates_figures_add(figures, &store_used, ates_engine_state_used_permille(engine),
                     "store=\"state\"");
    ates_figures_add(figures, &has_room, ates_engine_has_room(engine), NULL);
    ates_figures_add(figures, &log_head, (int64_t)head->seq, NULL);
    ates_figures_add(figures, &log_records, (int64_t)(head->number - cut), NULL);
    ates_figures_add(figures, &replayed, (int64_t)counted->replayed, NULL);
}

int actor_metrics(struct ates_actor *actor, const void *body, struct ates_buffer *reply,
                  struct ates_refusal *refusal)
{
    struct ates_figures *figures = ates_figures_new(actor->arena, actor->name);
    struct ates_txn *txn = ates_engine_txn(actor->engine);
    uint64_t dead = 0;

    (void)body;
    (void)refusal;
    int r = ates_count_rows(txn, ATES_TABLE_DEAD_LETTERS, &dead);
    if (r == 0 && actor->domain->measure != NULL) {
        r = actor->domain->measure(txn, figures);
    }
    if (r != 0) {
        return r < 0 ? r : -EUCLEAN;
    }
    add_commands(figures, actor);
    add_followers(figures, actor);
    add_engine(figures, actor->engine);
    ates_figures_add(figures, &dead_letters, (int64_t)dead, NULL);
    ates_figures_add(figures, &unknown_commands, (int64_t)actor->unknown_commands, NULL);
    ates_figures_add(figures, &undeliverable, (int64_t)actor->undeliverable, NULL);
    ates_figures_add(figures, &waiting, (int64_t)actor->waiter_count, NULL);
    ates_figures_add(figures, &jobs, ates_engine_has_steps(actor->engine), NULL);
    ates_figures_add(figures, &worker_queue, (int64_t)ates_workers_pending(actor->workers), NULL);
    const struct ates_metrics_result result = ates_figures_result(figures);
    ates_message_encode(&ates_metrics_result_message, &result, reply);
    return 0;
}
