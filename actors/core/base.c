/* A compacted log's base; see base.h. */
#include "core/base.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/datadir.h"
#include "core/engine.h"

#define COPY_WRITES 100000u /* in one transaction */
#define BASE_PATH_SIZE (sizeof((struct ates_config *)0)->data_dir + 32 + ATES_BASE_FOLDER_SIZE)

void ates_base_folder(const struct ates_base_note *note, char folder[ATES_BASE_FOLDER_SIZE])
{
    snprintf(folder, ATES_BASE_FOLDER_SIZE, ATES_BASE_PREFIX "%" PRIu64 "-v%" PRIu64,
             note->head.number, note->state_version);
}

static void path_of(const struct ates_domain *domain, const struct ates_config *config,
                    const struct ates_base_note *note, char path[BASE_PATH_SIZE])
{
    char folder[ATES_BASE_FOLDER_SIZE];

    ates_base_folder(note, folder);
    snprintf(path, BASE_PATH_SIZE, "%s/%s/%s", config->data_dir, domain->service->name, folder);
}

int ates_base_open(struct ates_base *base, const struct ates_domain *domain,
                   const struct ates_config *config, const struct ates_base_note *note, char *error,
                   size_t error_size)
{
    const char *tables[ATES_TABLES_MAX];
    const size_t table_count = ates_domain_tables(domain, tables);
    struct ates_base opened = {.store = NULL};
    char path[BASE_PATH_SIZE];

    path_of(domain, config, note, path);
    if (access(path, F_OK) != 0) { /* or it would be made, empty */
        const int r = -errno;

        snprintf(error, error_size, "%s: %s: the log begins with this base", path, strerror(-r));
        return r;
    }
    opened.arena = ates_arena_new();
    int r = opened.arena == NULL ? -ENOMEM
                                 : ates_store_open(&opened.store, path, (size_t)config->map_size,
                                                   tables, table_count, error, error_size);
    if (r == 0) {
        r = ates_txn_begin(&opened.txn, opened.store, true, opened.arena);
    }
    if (r != 0) {
        ates_base_close(&opened);
        return r;
    }
    *base = opened;
    return 0;
}

void ates_base_close(struct ates_base *base)
{
    ates_txn_abort(&base->txn);
    ates_buffer_release(&base->txn.scratch);
    ates_store_close(&base->store);
    ates_arena_free(&base->arena);
}

static void add(crypto_generichash_state *digest, struct ates_bytes part)
{
    const uint64_t size = part.size;

    crypto_generichash_update(digest, (const uint8_t *)&size, sizeof size);
    crypto_generichash_update(digest, part.data, part.size);
}

static int put(struct ates_txn *to, unsigned table, struct ates_bytes key, struct ates_bytes value)
{
    int r = ates_append(to, table, key, value);

    if (r != 0 || to->writes < COPY_WRITES) {
        return r;
    }
    r = ates_txn_commit(to);
    const int begun = ates_txn_begin(to, to->store, false, to->arena);
    return r != 0 ? r : begun;
}

/* Reads a table to the end: into the digest and, unless it is NULL, into the other state. */
static int read_table(struct ates_txn *txn, unsigned table, const char *name,
                      crypto_generichash_state *digest, struct ates_txn *to)
{
    struct ates_bytes key, value;
    struct ates_scan scan;
    int r = ates_scan_open(&scan, txn, table, NULL, NULL);

    if (r != 0) {
        return r;
    }
    while ((r = ates_scan_next(&scan, &key, &value)) == 0) {
        add(digest, (struct ates_bytes){(const uint8_t *)name, strlen(name)});
        add(digest, key);
        add(digest, value);
        r = to != NULL ? put(to, table, key, value) : 0;
        if (r != 0) {
            break;
        }
    }
    ates_scan_close(&scan);
    return r == ATES_NOT_FOUND ? 0 : r;
}

static int read_tables(struct ates_txn *txn, const struct ates_domain *domain, struct ates_txn *to,
                       uint8_t out[ATES_HASH_SIZE])
{
    const char *names[ATES_TABLES_MAX];
    const size_t count = ates_domain_tables(domain, names);
    crypto_generichash_state digest;
    int r = 0;

    crypto_generichash_init(&digest, NULL, 0, ATES_HASH_SIZE);
    for (unsigned table = ATES_TABLE_META + 1; r == 0 && table < count; table++) {
        r = read_table(txn, table, names[table], &digest, to);
    }
    crypto_generichash_final(&digest, out, ATES_HASH_SIZE);
    return r;
}

int ates_base_write(const struct ates_domain *domain, const struct ates_config *config,
                    struct ates_txn *state, struct ates_base_note *note, char *error,
                    size_t error_size)
{
    const char *tables[ATES_TABLES_MAX];
    const size_t table_count = ates_domain_tables(domain, tables);
    struct ates_txn txn = {.mdb = NULL};
    struct ates_store *store = NULL;
    char path[BASE_PATH_SIZE];

    path_of(domain, config, note, path);
    int r = ates_store_open(&store, path, (size_t)config->map_size, tables, table_count, error,
                            error_size);
    if (r != 0) {
        return r;
    }
    r = ates_txn_begin(&txn, store, false, state->arena);
    if (r == 0) {
        r = read_tables(state, domain, &txn, note->digest);
    }
    if (r == 0) {
        r = ates_txn_commit(&txn);
    }
    if (r != 0) {
        snprintf(error, error_size, "%s: %s", path, strerror(r < 0 ? -r : EIO));
    }
    ates_txn_abort(&txn);
    ates_store_close(&store);
    return r == 0 ? ates_sync_folder(path, error, error_size) : r;
}

static int compare(const struct ates_base_note *note, const uint8_t digest[ATES_HASH_SIZE])
{
    return memcmp(digest, note->digest, ATES_HASH_SIZE) == 0 ? 0 : -EBADMSG;
}

int ates_base_check(struct ates_base *base, const struct ates_domain *domain,
                    const struct ates_base_note *note)
{
    uint8_t digest[ATES_HASH_SIZE];
    int r = read_tables(&base->txn, domain, NULL, digest);

    return r != 0 ? r : compare(note, digest);
}

static int refuse_form(const struct ates_domain *domain, const struct ates_base_note *note,
                       char *error, size_t error_size)
{
    snprintf(error, error_size,
             "%s: the log begins with a state of form %" PRIu64
             ", from which this program cannot make "
             "its own, %" PRIu64 "; run a release that can, or restore a backup of an older one",
             domain->service->name, note->state_version, domain->state_version);
    return -EPROTONOSUPPORT;
}

int ates_base_copy(const struct ates_domain *domain, const struct ates_config *config,
                   const struct ates_base_note *note, struct ates_txn *txn, char *error,
                   size_t error_size)
{
    const bool is_older = note->state_version != domain->state_version;
    uint8_t digest[ATES_HASH_SIZE];
    struct ates_base base;

    if (is_older && (domain->upgrade == NULL || note->state_version > domain->state_version)) {
        return refuse_form(domain, note, error, error_size);
    }
    int r = ates_base_open(&base, domain, config, note, error, error_size);
    if (r != 0) {
        return r;
    }
    r = ates_txn_clear(txn);
    if (r == 0) {
        r = read_tables(&base.txn, domain, txn, digest);
    }
    ates_base_close(&base);
    if (r == 0) {
        r = compare(note, digest);
    }
    if (r == 0 && is_older) {
        r = domain->upgrade(txn, note->state_version);
        r = r > 0 ? -EUCLEAN : r;
    }
    if (r != 0) {
        snprintf(error, error_size, "%s: the base of its log %s: %s", domain->service->name,
                 r == -EBADMSG ? "is damaged" : "cannot be taken over", strerror(-r));
    }
    return r;
}
