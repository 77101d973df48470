/* Runs a fuzz target without libFuzzer, as an ordinary test: first each input of its corpus as it is, then damaged
 * at random (ATES_SEED). usage: replay_TARGET FOLDER. An empty corpus is a failure. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>

#include "fuzz.h"
#include "support/sample.h"

#define INPUT_MAX 65536u /* bytes */
#define ROUNDS 20u       /* in which each input is damaged */
#define LONG_ROUNDS 2000u

__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                                                     unsigned seed)
{
    (void)seed;
    return LLVMFuzzerMutate(data, size, max_size);
}

static uint64_t seed;

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    struct ates_buffer bytes = {0};

    ates_buffer_append(&bytes, data, size);
    for (size_t i = sample_below(&seed, 4); i < 4; i++) {
        sample_damage(&seed, &bytes);
    }
    size = bytes.size < max_size ? bytes.size : max_size;
    if (size > 0) {
        memcpy(data, bytes.data, size);
    }
    ates_buffer_release(&bytes);
    return size;
}

/* An input is in memory of its own size, so that a sanitizer sees whoever reads behind it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    fuzz_require(copy != NULL);
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static size_t run_damaged(const uint8_t *data, size_t size, size_t rounds)
{
    static uint8_t damaged[INPUT_MAX];

    memcpy(damaged, data, size);
    for (size_t i = 0; i < rounds; i++) {
        size = LLVMFuzzerCustomMutator(damaged, size, sizeof damaged, (unsigned)seed_next(&seed));
        run(damaged, size);
    }
    return rounds;
}

static size_t read_input(const char *folder, const char *name, uint8_t data[INPUT_MAX])
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    fuzz_require(file != NULL);
    const size_t size = fread(data, 1, INPUT_MAX, file);
    fuzz_require(!ferror(file) && feof(file));
    fclose(file);
    return size;
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    static uint8_t data[INPUT_MAX];
    struct dirent **entries = NULL;
    const char *is_long = getenv("ATES_LONG");
    const size_t rounds = is_long != NULL && strcmp(is_long, "1") == 0 ? LONG_ROUNDS : ROUNDS;
    size_t damaged = 0;

    const int count = argc == 2 ? scandir(argv[1], &entries, is_input, alphasort) : -1;
    if (count <= 0) {
        fprintf(stderr, "%s: no corpus: %s\n", argc == 2 ? argv[1] : "usage: replay FOLDER",
                count == 0 ? "the folder is empty" : strerror(errno));
        return 1;
    }
    seed = seed_start();
    for (int i = 0; i < count; i++) {
        fprintf(stderr, "%s\n", entries[i]->d_name); /* meson keeps it where the test fails */
        const size_t size = read_input(argv[1], entries[i]->d_name, data);

        run(data, size);
        damaged += run_damaged(data, size, rounds);
        free(entries[i]);
    }
    free(entries);
    printf("%d inputs of the corpus, %zu damaged ones\n", count, damaged);
    return 0;
}
