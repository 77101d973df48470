/* Harm done on purpose; see damage.h. */
#include "support/damage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

/* The log's environment, open for writing at one of its records. */
struct place {
    MDB_env *env;
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key, value;
};

static void path_of(const struct fixture *fixture, const char *part, char path[160])
{
    snprintf(path, 160, "%s/%s/%s", fixture->folder, fixture->domain->service->name, part);
}

static struct place open_record(const struct fixture *fixture, uint64_t number)
{
    struct place place;
    char path[160];
    MDB_dbi table;

    path_of(fixture, "log", path);
    cr_assert_null(fixture->engine, "close the engine first: one environment a path");
    cr_assert_eq(mdb_env_create(&place.env), 0);
    cr_assert_eq(mdb_env_set_mapsize(place.env, (size_t)fixture->config.map_size), 0);
    cr_assert_eq(mdb_env_open(place.env, path, 0, 0600), 0);
    cr_assert_eq(mdb_txn_begin(place.env, NULL, 0, &place.txn), 0);
    cr_assert_eq(mdb_dbi_open(place.txn, NULL, 0, &table), 0);
    cr_assert_eq(mdb_cursor_open(place.txn, table, &place.cursor), 0);
    do {
        cr_assert_eq(mdb_cursor_get(place.cursor, &place.key, &place.value, MDB_NEXT), 0,
                     "no record %llu", (unsigned long long)number);
    } while (ates_u64_from(place.key.mv_data) == 0 ||
             ates_u64_from((const uint8_t *)place.key.mv_data + 8) != number);
    return place;
}

static void put_and_close(struct place *place, const void *data, size_t size)
{
    uint8_t key[16];
    MDB_val k = {sizeof key, key}, v = {size, (void *)data};

    memcpy(key, place->key.mv_data, sizeof key);
    if (data != NULL) {
        cr_assert_eq(mdb_cursor_put(place->cursor, &k, &v, MDB_CURRENT), 0);
    } else {
        cr_assert_eq(mdb_cursor_del(place->cursor, 0), 0);
    }
    mdb_cursor_close(place->cursor);
    cr_assert_eq(mdb_txn_commit(place->txn), 0);
    mdb_env_close(place->env);
}

void damage_flip_record(struct fixture *fixture, uint64_t number)
{
    struct place place = open_record(fixture, number);
    const size_t size = place.value.mv_size;
    uint8_t *bytes = malloc(size);

    cr_assert_not_null(bytes);
    memcpy(bytes, place.value.mv_data, size);
    bytes[size / 2] ^= 4;
    put_and_close(&place, bytes, size);
    free(bytes);
}

void damage_drop_record(struct fixture *fixture, uint64_t number)
{
    struct place place = open_record(fixture, number);

    put_and_close(&place, NULL, 0);
}

void damage_change_record(struct fixture *fixture, uint64_t number,
                          void (*change)(struct ates_record *record, struct ates_arena *arena))
{
    struct place place = open_record(fixture, number);
    struct ates_arena *arena = ates_arena_new();
    struct ates_buffer encoded = {0};
    struct ates_record record;

    cr_assert_eq(ates_record_decode(place.value.mv_data, place.value.mv_size, arena, &record), 0);
    change(&record, arena);
    ates_record_encode(&record, &encoded);
    put_and_close(&place, encoded.data, encoded.size);
    ates_buffer_release(&encoded);
    ates_arena_free(&arena);
}

void damage_applied(struct fixture *fixture, uint64_t number, uint64_t seq)
{
    const struct ates_key key = {.size = 7, .data = "applied"};
    struct ates_key row = ates_key_u64(number);
    struct ates_bytes before;

    fixture_reopen(fixture);
    cr_assert_eq(ates_get(ates_engine_txn(fixture->engine), ATES_TABLE_META, &key, &before), 0);
    ates_key_add_u64(&row, seq);
    ates_key_add_bytes(&row, before.data + 16, before.size - 16);
    ates_engine_close(&fixture->engine);
    damage_row(fixture, ATES_TABLE_META, &key, row.data, row.size);
}

void damage_row(struct fixture *fixture, unsigned table, const struct ates_key *key,
                const void *data, size_t size)
{
    const char *tables[ATES_TABLES_MAX];
    const size_t table_count = ates_domain_tables(fixture->domain, tables);
    struct ates_store *store;
    struct ates_txn txn = {.mdb = NULL};
    char path[160], error[256] = "";

    path_of(fixture, "state", path);
    cr_assert_null(fixture->engine, "close the engine first: one environment a path");
    cr_assert_eq(ates_store_open(&store, path, (size_t)fixture->config.map_size, tables,
                                 table_count, error, sizeof error),
                 0, "%s", error);
    cr_assert_eq(ates_txn_begin(&txn, store, false, fixture->arena), 0);
    cr_assert_eq(
        data != NULL ? ates_put(&txn, table, key, data, size) : ates_delete(&txn, table, key), 0);
    cr_assert_eq(ates_txn_commit(&txn), 0);
    ates_store_close(&store);
}

/* Of a byte of a mapped file. */
static uint64_t offset_in_file(const uint8_t *byte)
{
    const uintptr_t address = (uintptr_t)byte;
    uintptr_t from, to;
    unsigned long offset = 0;
    char line[512];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");

    cr_assert_not_null(maps);
    while (!found && fgets(line, sizeof line, maps) != NULL) {
        found = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %lx", &from, &to, &offset) == 3 &&
                address >= from && address < to;
    }
    fclose(maps);
    cr_assert(found);
    return offset + (address - from);
}

/* One of all rows that the cursors pass, each as likely: the n-th replaces the one before with a chance
 * of 1/n. */
static void draw_row(struct fixture *fixture, MDB_txn *txn, MDB_dbi table, size_t *seen,
                     const uint8_t **byte)
{
    MDB_cursor *cursor;
    MDB_val key, value;

    cr_assert_eq(mdb_cursor_open(txn, table, &cursor), 0);
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        if (fixture_draw(fixture, ++*seen) == 0) {
            const uint64_t place = fixture_draw(fixture, key.mv_size + value.mv_size);

            *byte = place < key.mv_size ? (const uint8_t *)key.mv_data + place
                                        : (const uint8_t *)value.mv_data + (place - key.mv_size);
        }
    }
    mdb_cursor_close(cursor);
}

uint64_t damage_find_byte(struct fixture *fixture, const char *part)
{
    const char *tables[ATES_TABLES_MAX];
    const size_t count = ates_domain_tables(fixture->domain, tables);
    const bool is_log = strcmp(part, "log") == 0;
    char path[160];
    const uint8_t *byte = NULL;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    uint64_t offset;
    size_t seen = 0;

    path_of(fixture, part, path);
    cr_assert_null(fixture->engine, "close the engine first: one environment a path");
    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_set_maxdbs(env, ATES_TABLES_MAX), 0);
    cr_assert_eq(mdb_env_open(env, path, MDB_RDONLY, 0600), 0);
    cr_assert_eq(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    for (size_t i = 0; i < (is_log ? 1 : count); i++) {
        if (mdb_dbi_open(txn, is_log ? NULL : tables[i], 0, &table) == 0) {
            draw_row(fixture, txn, table, &seen, &byte);
        }
    }
    cr_assert_not_null(byte);
    offset = offset_in_file(byte);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return offset;
}
