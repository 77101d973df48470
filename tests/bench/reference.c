/* The bare reference loop; see reference.h. */
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/engine.h"
#include "core/request.h"
#include "core/socket.h"

#define BATCH_MAX 512u
#define WORDS 6 /* of the driver's titles: five of one of its texts, and a number */

/* The rows that create_task writes, by table: names are for reading only. */
enum { TASKS, BY_STATUS, BY_ASSIGNEE, LOGS, COUNTERS, WORD_INDEX, REQUESTS, AGES, TABLES };
static const char *const tables[TABLES] = {"tasks",    "by_status", "by_assignee", "logs",
                                           "counters", "words",     "requests",    "ages"};

struct reference {
    void *router;
    struct ates_log *log;
    struct ates_store *store;
    struct ates_txn txn;
    struct ates_arena *arena;
    struct ates_log_head head;
    uint8_t record[4096];
    size_t record_size;
    int64_t checkpointed_us;
    unsigned long budget;
};

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "bench: reference: %s\n", what);
        exit(1);
    }
}

/* Random enough for keys, and nothing beside a put (SplitMix64's step). */
static uint64_t draw(void)
{
    static uint64_t state;
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void put_rows(struct reference *self, uint64_t id)
{
    static const uint8_t row[160] = {1};
    struct ates_txn *txn = &self->txn;
    struct ates_key key = ates_key_u64(id);
    const uint64_t assignee = draw() % 7;
    const uint64_t hash[2] = {draw(), draw()};
    int r = ates_put(txn, TASKS, &key, row, 160);

    r |= ates_put(txn, LOGS, &key, row, 70);
    key = (struct ates_key){.size = 0};
    ates_key_add_u8(&key, 0);
    ates_key_add_u64(&key, id);
    r |= ates_put(txn, BY_STATUS, &key, "", 0);
    key = ates_key_u64(assignee);
    ates_key_add_u8(&key, 0);
    ates_key_add_u64(&key, id);
    r |= ates_put(txn, BY_ASSIGNEE, &key, "", 0);
    key = ates_key_u64(0);
    r |= ates_put(txn, COUNTERS, &key, row, 16);
    for (unsigned i = 0; i < WORDS; i++) {
        key = ates_key_u64(i < WORDS - 1 ? (id % 5) << 8 | i : id % 1000 << 16);
        ates_key_add_u64(&key, id);
        r |= ates_put(txn, WORD_INDEX, &key, "", 0);
    }
    key = (struct ates_key){.size = 0};
    ates_key_add_bytes(&key, hash, sizeof hash);
    r |= ates_put(txn, REQUESTS, &key, row, 48);
    key = ates_key_u64(id);
    ates_key_add_u64(&key, id);
    r |= ates_put(txn, AGES, &key, hash, sizeof hash);
    must(r == 0, "put");
}

/* As the engine does: at the latest after a second, or when a checkpoint would take longer than it
 * aims at. */
static void checkpoint(struct reference *self)
{
    const int64_t start = ates_monotonic_us();

    if (self->txn.writes < self->budget && start - self->checkpointed_us < 1000000) {
        return;
    }
    const unsigned long writes = self->txn.writes;
    must(ates_txn_commit(&self->txn) == 0, "checkpoint");
    must(ates_txn_begin(&self->txn, self->store, false, self->arena) == 0, "begin");
    self->checkpointed_us = ates_monotonic_us();
    self->budget = ates_checkpoint_budget(self->budget, writes, self->checkpointed_us - start);
}

static void serve_batch(struct reference *self)
{
    static struct ates_request_message requests[BATCH_MAX];
    static struct ates_stored_record records[BATCH_MAX];
    static const uint8_t meta[12] = {0x81, 0xa3, 's', 'e', 'q', 1}, body[150] = {0x80};
    struct ates_log_head head = self->head;
    size_t count = 0;

    while (count < BATCH_MAX && ates_request_receive(self->router, &requests[count]) == 0) {
        records[count] = (struct ates_stored_record){
            ++head.number, ++head.seq, {self->record, self->record_size}};
        put_rows(self, head.number);
        count++;
    }
    must(count == 0 || ates_log_append(self->log, &self->head, records, count, &head) == 0,
         "append");
    self->head = head;
    for (size_t i = 0; i < count; i++) {
        struct ates_route route;

        ates_request_take_route(&requests[i], &route);
        ates_reply_send(self->router, &route, "OK", (struct ates_bytes){meta, 6},
                        (struct ates_bytes){body, sizeof body});
        ates_request_release(&requests[i]);
    }
    ates_arena_reset(self->arena);
}

void reference_serve(const char *endpoint, const char *folder, size_t record_size)
{
    static struct reference self;
    const struct ates_source source = ates_source_system();
    char path[512], error[512];

    self.record_size = record_size < sizeof self.record ? record_size : sizeof self.record;
    randombytes_buf(self.record, self.record_size);
    self.arena = ates_arena_new();
    self.budget = 40000;
    snprintf(path, sizeof path, "%s/reference-log", folder);
    must(ates_log_open(&self.log, path, (size_t)16 << 30, &source, error, sizeof error) == 0,
         error);
    snprintf(path, sizeof path, "%s/reference-state", folder);
    must(ates_store_open(&self.store, path, (size_t)16 << 30, tables, TABLES, error,
                         sizeof error) == 0,
         error);
    must(ates_txn_begin(&self.txn, self.store, false, self.arena) == 0, "begin");
    self.checkpointed_us = ates_monotonic_us();
    self.router = ates_socket_open(zmq_ctx_new(), ZMQ_ROUTER);
    must(ates_socket_bind(self.router, endpoint) == 0, "bind");
    for (;;) {
        zmq_pollitem_t item = {self.router, 0, ZMQ_POLLIN, 0};

        zmq_poll(&item, 1, 1000);
        serve_batch(&self);
        checkpoint(&self);
    }
}

void echo_serve(const char *endpoint)
{
    void *router = ates_socket_open(zmq_ctx_new(), ZMQ_ROUTER);

    must(ates_socket_bind(router, endpoint) == 0, "bind");
    for (;;) {
        struct ates_request_message request;
        zmq_pollitem_t item = {router, 0, ZMQ_POLLIN, 0};

        zmq_poll(&item, 1, -1);
        while (ates_request_receive(router, &request) == 0) {
            static const uint8_t meta[6] = {0x81, 0xa3, 's', 'e', 'q', 1}, body[1] = {0x80};
            struct ates_route route;

            ates_request_take_route(&request, &route);
            ates_reply_send(router, &route, "OK", (struct ates_bytes){meta, 6},
                            (struct ates_bytes){body, 1});
            ates_request_release(&request);
        }
    }
}
