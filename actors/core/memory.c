/* The arena and the growing buffer. Invariant: neither ever returns without the memory asked for;
 * sizes are bounded by what was already received, so running out means that the machine has none
 * left. */
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ates/message.h>

#define CHUNK_SIZE (64u * 1024u)

struct chunk {
    struct chunk *next;
    size_t capacity;
    alignas(max_align_t) uint8_t bytes[];
};

/* The first chunk stays through a reset, so an ordinary command allocates nothing. */
struct ates_arena {
    struct chunk *first;
    struct chunk *last;
    size_t used;  /* of the last chunk */
    size_t taken; /* in all since the last reset */
};

static _Noreturn void out_of_memory(void)
{
    (void)fputs("ates: out of memory\n", stderr);
    abort();
}

static struct chunk *new_chunk(size_t capacity)
{
    struct chunk *chunk = NULL;

    if (capacity <= SIZE_MAX - sizeof *chunk) {
        chunk = malloc(sizeof *chunk + capacity);
    }
    if (chunk != NULL) {
        chunk->next = NULL;
        chunk->capacity = capacity;
    }
    return chunk;
}

struct ates_arena *ates_arena_new(void)
{
    struct ates_arena *self = calloc(1, sizeof *self);

    if (self == NULL) {
        out_of_memory();
    }
    self->first = new_chunk(CHUNK_SIZE);
    if (self->first == NULL) {
        out_of_memory();
    }
    self->last = self->first;
    return self;
}

void ates_arena_free(struct ates_arena **self)
{
    if (self == NULL || *self == NULL) {
        return;
    }
    ates_arena_reset(*self);
    free((*self)->first);
    free(*self);
    *self = NULL;
}

void ates_arena_reset(struct ates_arena *self)
{
    struct chunk *chunk = self->first->next;

    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    self->first->next = NULL;
    self->last = self->first;
    self->used = 0;
    self->taken = 0;
}

/* Takes size bytes as they are. */
static void *take(struct ates_arena *self, size_t size)
{
    const size_t mask = alignof(max_align_t) - 1;

    if (size > SIZE_MAX / 2) {
        out_of_memory();
    }
    size = (size + mask) & ~mask;
    if (size > self->last->capacity - self->used) {
        struct chunk *chunk = new_chunk(size > CHUNK_SIZE ? size : CHUNK_SIZE);
        if (chunk == NULL) {
            out_of_memory();
        }
        self->last->next = chunk;
        self->last = chunk;
        self->used = 0;
    }
    void *bytes = self->last->bytes + self->used;
    self->used += size;
    self->taken += size;
    return bytes;
}

void *ates_arena_alloc(struct ates_arena *self, size_t size)
{
    return memset(take(self, size), 0, size);
}

void *ates_arena_copy(struct ates_arena *self, const void *data, size_t size)
{
    void *copy = take(self, size);

    if (size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}

size_t ates_arena_size(const struct ates_arena *self)
{
    return self->taken;
}

void ates_buffer_append(struct ates_buffer *self, const void *data, size_t size)
{
    if (size > self->capacity - self->size) {
        if (size > SIZE_MAX / 2 - self->size) {
            out_of_memory();
        }
        size_t capacity = self->capacity < 256 ? 256 : self->capacity;
        while (capacity < self->size + size) {
            capacity *= 2;
        }
        uint8_t *grown = realloc(self->data, capacity);
        if (grown == NULL) {
            out_of_memory();
        }
        self->data = grown;
        self->capacity = capacity;
    }
    if (size > 0) {
        memcpy(self->data + self->size, data, size);
        self->size += size;
    }
}

void ates_buffer_release(struct ates_buffer *self)
{
    free(self->data);
    *self = (struct ates_buffer){0};
}
