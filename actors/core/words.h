/* Words of a text for search: case-folded in every script (Unicode NFKC_Casefold by utf8proc), cut
 * at what is neither letter, mark nor digit. */
#ifndef ATES_WORDS_H
#define ATES_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ates/message.h>

#define ATES_WORD_MAX 32u    /* bytes of a word kept; longer ones are cut at a character */
#define ATES_WORDS_MAX 2048u /* distinct words kept of one text */

struct ates_words {
    size_t count;
    struct ates_text *items; /* distinct, sorted bytewise; from the arena */
};

/* The distinct words of the texts together. ASCII text takes a fast path. Out of words: the first
 * ATES_WORDS_MAX distinct ones are kept, in order of appearance, then sorted. */
void ates_words_split(const struct ates_text *texts, size_t text_count, struct ates_arena *arena,
                      struct ates_words *words);

/* Whether every word of query is a prefix of some word of words (both from ates_words_split). */
bool ates_words_match(const struct ates_words *words, const struct ates_words *query);

#endif
