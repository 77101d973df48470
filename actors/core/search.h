/* The index of words behind every `query`: which ids have a word that begins so.
 *
 * Ids are indexed in segments of 4,096 neighbours, each a small index of its own: a row's key is
 * the segment (id / 4,096, 8 bytes, big-endian), the word's bytes, 0x00, and the id's place in its
 * segment (2 bytes, big-endian); its value is empty. New ids are larger than old ones, so new rows
 * fall into the few pages of the last segment, and a checkpoint writes those instead of a page for
 * every word (ARCHITECTURE.md, "Decisions", tells the figures).
 *
 * Invariant: a search costs one look into each segment that it passes, and the rows of the hits in
 * the segments that it reads; never the rows there are. */
#ifndef ATES_SEARCH_H
#define ATES_SEARCH_H

#include "core/domain.h"
#include "core/words.h"

#define ATES_SEARCH_SEGMENT 4096u

/* Index rows that one query word may be the beginning of within one segment: some milliseconds of
 * work. */
#define ATES_SEARCH_ROWS_MAX 100000u

/* Indexes an id under each of these words, or takes it out again (ATES_NOT_FOUND where it was not
 * in). */
int ates_search_put(struct ates_txn *txn, unsigned table, const struct ates_words *words,
                    uint64_t id);
int ates_search_delete(struct ates_txn *txn, unsigned table, const struct ates_words *words,
                       uint64_t id);
/* 0 where the id is indexed under each of these words, ATES_NOT_FOUND where it is not. */
int ates_search_has(struct ates_txn *txn, unsigned table, const struct ates_words *words,
                    uint64_t id);

/* One search: the ids under every indexed word that begins with the query's longest one. */
struct ates_search {
    struct ates_call *call;
    struct ates_scan scan;
    struct ates_text prefix;
    uint64_t from_id;
    bool down, ended;
    uint64_t segment;
    uint64_t hits[ATES_SEARCH_SEGMENT / 64]; /* of the segment in hand: a bit an id not given yet */
    unsigned word;                           /* of hits, where the next one may be */
};

/* Starts at the first id >= from_id, or, down, at the last id < from_id. The caller checks the query's other words, and its filters,
 * against the row itself (ates_words_match). A query without words finds nothing. The state must
 * not be written until the search is closed. Open and next refuse INVALID_ARGUMENT /
 * QUERY_TOO_BROAD, field query. */
int ates_search_open(struct ates_search *search, struct ates_call *call, unsigned table,
                     const struct ates_words *query, uint64_t from_id, bool down);
/* The next id, in ascending order, or, down, in descending order, each once; ATES_NOT_FOUND at the
 * end. */
int ates_search_next(struct ates_search *search, uint64_t *id);
void ates_search_close(struct ates_search *search); /* after a successful open only */

#endif
