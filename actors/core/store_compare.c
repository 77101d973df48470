/* Two states held against each other; see store_compare.h. */
#include "core/store_compare.h"

#include <sodium.h>
#include <string.h>

/* One side's walk: its row in hand, until there is none. */
struct side {
    struct ates_scan scan;
    struct ates_bytes key, value;
    bool ended;
};

static int advance(struct side *self, uint64_t *rows)
{
    int r = ates_scan_next(&self->scan, &self->key, &self->value);

    self->ended = r == ATES_NOT_FOUND;
    *rows += r == 0;
    return self->ended ? 0 : r;
}

/* LMDB's order: by bytes, then the shorter first. */
static int order(const struct side *left, const struct side *right)
{
    if (left->ended || right->ended) {
        return left->ended - right->ended;
    }
    const size_t common = left->key.size < right->key.size ? left->key.size : right->key.size;
    const int r = memcmp(left->key.data, right->key.data, common);
    return r != 0 ? r : (left->key.size > right->key.size) - (left->key.size < right->key.size);
}

static bool same_value(const struct side *left, const struct side *right)
{
    return left->value.size == right->value.size &&
           (left->value.size == 0 ||
            memcmp(left->value.data, right->value.data, left->value.size) == 0);
}

static void note(struct ates_table_comparison *self, struct ates_bytes key)
{
    const size_t most = (sizeof self->first_key - 1) / 2;

    if (self->differences++ == 0) {
        sodium_bin2hex(self->first_key, sizeof self->first_key, key.data,
                       key.size < most ? key.size : most);
    }
}

/* A walk reads leaf after leaf; a row must also be found from the root, or its service would not see
 * it. */
static int look_up(struct ates_txn *txn, unsigned table, const struct side *self,
                   struct ates_table_comparison *comparison)
{
    const int r = ates_has(txn, table, self->key);

    if (r == ATES_NOT_FOUND) {
        note(comparison, self->key);
        return 0;
    }
    return r;
}

static int walk(struct ates_txn *txn, unsigned table, struct side *left, struct side *right,
                struct ates_table_comparison *comparison)
{
    int r = advance(left, &comparison->left_rows);

    if (r == 0) {
        r = advance(right, &comparison->right_rows);
    }
    while (r == 0 && !(left->ended && right->ended)) {
        const int first = order(left, right);

        if (first != 0 || !same_value(left, right)) {
            note(comparison, first <= 0 ? left->key : right->key);
        } else {
            r = look_up(txn, table, left, comparison);
        }
        if (r == 0 && first <= 0) {
            r = advance(left, &comparison->left_rows);
        }
        if (r == 0 && first >= 0) {
            r = advance(right, &comparison->right_rows);
        }
    }
    return r;
}

int ates_store_compare(struct ates_txn *left, struct ates_txn *right, unsigned table,
                       struct ates_table_comparison *comparison)
{
    struct ates_table_comparison found = {.left_rows = 0};
    struct side sides[2] = {{.ended = false}};

    int r = ates_scan_open(&sides[0].scan, left, table, NULL, NULL);
    if (r == 0) {
        r = ates_scan_open(&sides[1].scan, right, table, NULL, NULL);
    }
    if (r == 0) {
        r = walk(left, table, &sides[0], &sides[1], &found);
    }
    ates_scan_close(&sides[1].scan);
    ates_scan_close(&sides[0].scan);
    if (r == 0) {
        *comparison = found;
    }
    return r;
}
