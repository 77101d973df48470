/* admin keys: which keys there are. Invariant: no secret is shown, nor anything made of one but its
 * key's public id. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "admin.h"
#include "core/token.h"
#include "operate.h"
#include "output.h"

#define ERROR_SIZE 8192u

struct row {
    struct ates_text kid;
    struct ates_text may_sign;
    struct ates_text file;
    bool has_mode, has_created_at, has_note;
    struct ates_text mode;
    int64_t created_at;
    struct ates_text note;
};
static const struct ates_field row_fields[] = {
    {ATES_FIELD(row, kid), .type = ATES_TEXT, .summary = "as tokens name it"},
    {ATES_FIELD(row, may_sign), .type = ATES_TEXT, .summary = "whose tokens it may sign"},
    {ATES_FIELD(row, file), .type = ATES_TEXT, .summary = "of the secret key"},
    {ATES_OPTIONAL(row, mode), .type = ATES_TEXT, .summary = "of the file"},
    {ATES_OPTIONAL(row, created_at), .type = ATES_INT, .summary = "Unix ms"},
    {ATES_OPTIONAL(row, note), .type = ATES_TEXT, .summary = "where the secret key is not read"},
};
static ATES_MESSAGE(row, "key");

/* Looks at the file in which the secret key should be. */
static void look_at_secret(struct ctl *ctl, const char *folder, const struct ates_public_key *key,
                           struct row *row)
{
    char path[PATH_MAX + 32], *error = ates_arena_alloc(ctl->arena, ERROR_SIZE);
    char *mode = ates_arena_alloc(ctl->arena, 8);
    struct ates_secret_key secret;
    struct stat status;

    row->file = ates_text_from(ates_key_kinds[key->purpose].file);
    snprintf(path, sizeof path, "%s/%s", folder, ates_key_kinds[key->purpose].file);
    if (stat(path, &status) == 0) {
        snprintf(mode, 8, "%04o", (unsigned)status.st_mode & 07777);
        row->has_mode = row->has_created_at = true;
        row->mode = ates_text_from(mode);
        row->created_at = (int64_t)status.st_mtime * 1000;
    }
    row->has_note = true;
    if (ates_keys_load_secret(folder, key->purpose, &secret, error, ERROR_SIZE) != 0) {
        row->note = ates_text_from(error);
    } else if (strcmp(secret.kid, key->kid) != 0) {
        row->note = ates_text_from("the file holds another key: this one only checks tokens");
    } else {
        row->has_note = false;
    }
    sodium_memzero(&secret, sizeof secret);
}

static int list(struct ctl *ctl, const char *data_dir)
{
    char folder[PATH_MAX], error[ERROR_SIZE] = "";
    struct ates_public_key keys[ATES_KEYS_MAX];
    size_t count = 0;

    ates_keys_folder(data_dir, folder, sizeof folder);
    const int r = ates_keys_load_public(folder, keys, &count, error, sizeof error);
    if (r != 0) {
        return ctl_fail(r == -ENOENT   ? CTL_NOT_FOUND
                        : r == -EACCES ? CTL_FORBIDDEN
                                       : CTL_REFUSED,
                        r == -EACCES   ? "sudo atesctl admin keys ls"
                        : r == -ENOENT ? "--data DIR, or atesctl admin init"
                                       : NULL,
                        "%s", error);
    }
    struct ctl_listing *listing = ctl_listing_new(ctl, &row_message, NULL);
    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        struct row row = {.kid = ates_text_from(keys[i].kid),
                          .may_sign = ates_text_from(ates_key_kinds[keys[i].purpose].word)};

        look_at_secret(ctl, folder, &keys[i], &row);
        ctl_listing_add(listing, NULL, &row);
    }
    const int code = ctl_listing_end(listing, "the keyring is empty");
    ctl_listing_free(&listing);
    return code;
}

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    struct ates_config config;

    if (strcmp(input->arguments[0], "ls") != 0) {
        return ctl_fail(CTL_USAGE, "atesctl admin keys ls", "there is no admin keys '%.40s'",
                        input->arguments[0]);
    }
    const int code = admin_take_data(ctl, input, &config);
    return code == CTL_OK ? list(ctl, config.data_dir) : code;
}

static void tell_words(const struct ctl_input *input, ctl_word_fn *tell, void *context)
{
    if (input->count == 0) {
        tell(context, "ls", "list the keys");
    }
}

const struct ctl_command admin_keys_command = {
    .name = "keys",
    .arguments = "ls",
    .summary = "List the keys by which tokens are signed and checked; no secret is shown",
    .examples = "atesctl admin keys ls\n"
                "atesctl admin keys ls --data /var/lib/ates -o json",
    .options = admin_data_options,
    .min = 1,
    .max = 1,
    .run = run,
    .words = tell_words,
};
