/* What the fuzz targets share. A target is one file that defines LLVMFuzzerTestOneInput, and maybe
 * the mutator; libFuzzer drives it (tests/fuzz/run), or replay.c with the inputs of its corpus.
 *
 * Invariant: what an input does depends on the input alone: no clock, no randomness, nothing that an
 * input before it has left behind. */
#ifndef ATES_FUZZ_H
#define ATES_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ates/message.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's own */

/* A property of the target; where it does not hold the input is a finding. */
#define fuzz_require(HOLDS)                                                                        \
    do {                                                                                           \
        if (!(HOLDS)) {                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #HOLDS);             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* An input that is read from its front; what is not there any more reads as zero, or as nothing. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

static inline unsigned fuzz_byte(struct fuzz_input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

/* At most size bytes. */
static inline struct ates_bytes fuzz_bytes(struct fuzz_input *input, size_t size)
{
    const struct ates_bytes bytes = {input->at, size < input->left ? size : input->left};

    input->at += bytes.size;
    input->left -= bytes.size;
    return bytes;
}

/* A part with its size (two bytes, big-endian) before it. */
static inline struct ates_bytes fuzz_part(struct fuzz_input *input)
{
    const size_t high = fuzz_byte(input);

    return fuzz_bytes(input, high << 8 | fuzz_byte(input));
}

/* The counterpart: puts a part behind the size bytes of data, which has room for 2 more than its size.
 * Returns how many there are then. */
static inline size_t fuzz_put_part(uint8_t *data, size_t size, struct ates_bytes part)
{
    data[size++] = (uint8_t)(part.size >> 8);
    data[size++] = (uint8_t)part.size;
    if (part.size > 0) {
        memcpy(data + size, part.data, part.size);
    }
    return size + part.size;
}

/* Whether these are words for people: UTF-8 on one line, and not none. */
bool fuzz_is_line(const char *words);

/* Requires of a refusal that it says what is wrong, and where, as PROTOCOL.md section 4 wants. */
void fuzz_check_refusal(const struct ates_refusal *refusal, int status);

/* A file in memory that holds these bytes, for readers that want a name: its path, valid until the
 * next call. */
const char *fuzz_file(struct ates_bytes bytes);

/* A folder of this process's own, on a file system in memory where there is one; it is gone when the
 * process ends. */
const char *fuzz_folder(void);

#endif
