/* admin keys: which keys there are, and the words for making and changing them. Invariant: no secret
 * is shown, nor anything made of one but its key's public id. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "admin_curve.h"
#include "core/curve.h"
#include "core/random.h"
#include "core/token.h"
#include "operate.h"
#include "output.h"
#include "owner.h"

#define ERROR_SIZE 8192u

struct row {
    struct ates_text kid;
    bool has_may_sign, has_may_connect_to;
    struct ates_text may_sign, may_connect_to;
    struct ates_text file;
    bool has_mode, has_created_at, has_note;
    struct ates_text mode;
    int64_t created_at;
    struct ates_text note;
};
static const struct ates_field row_fields[] = {
    {ATES_FIELD(row, kid), .type = ATES_TEXT,
     .summary = "as tokens name it, or CURVE's public key"},
    {ATES_OPTIONAL(row, may_sign), .type = ATES_TEXT, .summary = "whose tokens it may sign"},
    {ATES_OPTIONAL(row, may_connect_to), .type = ATES_TEXT, .summary = "over tcp"},
    {ATES_FIELD(row, file), .type = ATES_TEXT,
     .summary = "of the secret key, or the public one that is allowed"},
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

/* Where the rows of CURVE go. */
struct curve_rows {
    struct ctl *ctl;
    struct ctl_listing *listing;
};

static struct ates_text keep_text(struct ctl *ctl, const char *text)
{
    const size_t size = strlen(text);

    return (struct ates_text){ates_arena_copy(ctl->arena, text, size), size};
}

static void add_curve(void *context, const char *path, const char *name, const char *kind)
{
    struct curve_rows *self = context;
    char error[ERROR_SIZE] = "", mode[8];
    struct ates_cert cert = {.public_key = ""};
    struct stat status;
    struct row row = {.file = keep_text(self->ctl, name)};

    if (ates_cert_load_public(path, &cert, error, sizeof error) != 0) {
        row.has_note = true;
        row.note = keep_text(self->ctl, error);
    }
    row.kid = keep_text(self->ctl, cert.public_key);
    row.has_may_connect_to = kind != NULL;
    row.may_connect_to = ates_text_from(kind != NULL ? kind : "");
    if (stat(path, &status) == 0) {
        snprintf(mode, sizeof mode, "%04o", (unsigned)status.st_mode & 07777);
        row.has_mode = row.has_created_at = true;
        row.mode = keep_text(self->ctl, mode);
        row.created_at = (int64_t)status.st_mtime * 1000;
    }
    ctl_listing_add(self->listing, NULL, &row);
}

static int list(struct ctl *ctl, const struct ates_config *config)
{
    const char *data_dir = config->data_dir;
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
                          .has_may_sign = true,
                          .may_sign = ates_text_from(ates_key_kinds[keys[i].purpose].word)};

        look_at_secret(ctl, folder, &keys[i], &row);
        ctl_listing_add(listing, NULL, &row);
    }
    struct curve_rows rows = {ctl, listing};
    admin_curve_each(config, add_curve, &rows);
    const int code = ctl_listing_end(listing, "the keyring is empty");
    ctl_listing_free(&listing);
    return code;
}

static int list_all(struct ctl *ctl, const struct ctl_input *input)
{
    struct ates_config *config = ates_arena_alloc(ctl->arena, sizeof *config);
    const int code = admin_take_data(ctl, input, config);

    return code == CTL_OK ? list(ctl, config) : code;
}

static int purpose_of(const char *word, enum ates_key_purpose *purpose)
{
    for (enum ates_key_purpose i = ATES_KEY_USERS; i <= ATES_KEY_SERVICES; i++) {
        if (strcmp(ates_key_kinds[i].word, word) == 0) {
            *purpose = i;
            return CTL_OK;
        }
    }
    return ctl_fail(CTL_USAGE, "atesctl admin keys rotate users",
                    "'%.40s' is neither users nor services", word);
}

static int finish(const char *folder, enum ates_key_purpose purpose, int64_t life_ms)
{
    const struct ates_source source = ates_source_system();
    char error[ERROR_SIZE] = "";
    int64_t wait_ms = 0;
    size_t removed = 0;
    const int r = ates_keys_finish(folder, purpose, ates_now_ms(&source), life_ms, &removed,
                                   &wait_ms, error, sizeof error);

    if (r == -EBUSY) {
        return ctl_fail(CTL_CONFLICT, "again then",
                        "tokens signed by the old key may still be in use for %lld min",
                        (long long)((wait_ms + 59999) / 60000));
    }
    if (r != 0) {
        return admin_fail(r, error);
    }
    ctl_say("%zu old key%s of %s taken out of the keyring", removed, removed == 1 ? "" : "s",
            ates_key_kinds[purpose].word);
    return CTL_OK;
}

static int rotate(struct ctl *ctl, const struct ctl_input *input)
{
    struct ates_config *config = ates_arena_alloc(ctl->arena, sizeof *config);
    char folder[PATH_MAX], error[ERROR_SIZE] = "";
    enum ates_key_purpose purpose = ATES_KEY_USERS;
    int code = purpose_of(input->arguments[1], &purpose);

    if (code == CTL_OK) {
        code = admin_take_data(ctl, input, config);
    }
    if (code != CTL_OK) {
        return code;
    }
    snprintf(folder, sizeof folder, "%.4000s/keys", config->data_dir);
    code = ctl_become_owner(folder);
    if (code != CTL_OK) {
        return code;
    }
    if (ctl_value(input, "finish") != NULL) {
        return finish(folder, purpose, config->access_ms);
    }
    const int r = ates_keys_rotate(folder, purpose, error, sizeof error);
    if (r == -ENOSPC) {
        return ctl_fail(CTL_REFUSED, "atesctl admin keys rotate ... --finish", "%s", error);
    }
    if (r != 0) {
        return admin_fail(r, error);
    }
    ctl_say("tokens of %s are signed with a new key; the old one checks them until: atesctl admin "
            "keys rotate %s --finish",
            ates_key_kinds[purpose].word, ates_key_kinds[purpose].word);
    return CTL_OK;
}

static const struct {
    const char *word, *summary, *argument; /* NULL: it takes none */
    int (*run)(struct ctl *ctl, const struct ctl_input *input);
} words[] = {
    {"ls", "list the keys", NULL, list_all},
    {"new", "make a CURVE pair, for tcp", "NAME", admin_curve_new},
    {"allow", "let a CURVE key connect to a kind of socket", "NAME|FILE", admin_curve_allow},
    {"revoke", "let it connect no longer, and cut it off", "NAME", admin_curve_revoke},
    {"rotate", "sign tokens with a new key", "users|services", rotate},
};
#define WORD_COUNT (sizeof words / sizeof words[0])

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    for (size_t i = 0; i < WORD_COUNT; i++) {
        if (strcmp(input->arguments[0], words[i].word) != 0) {
            continue;
        }
        if ((input->count == 2) == (words[i].argument != NULL)) {
            return words[i].run(ctl, input);
        }
        return ctl_fail(CTL_USAGE, "atesctl admin keys --help", "admin keys %s: %s%s",
                        words[i].word, words[i].argument != NULL ? "needs " : "takes no more words",
                        words[i].argument != NULL ? words[i].argument : "");
    }
    return ctl_fail(CTL_USAGE, "atesctl admin keys ls", "there is no admin keys '%.40s'",
                    input->arguments[0]);
}

static void tell_words(const struct ctl_input *input, ctl_word_fn *tell, void *context)
{
    for (size_t i = 0; input->count == 0 && i < WORD_COUNT; i++) {
        tell(context, words[i].word, words[i].summary);
    }
}

static const struct ctl_option options[] = {
    {"data", "DIR", "where the services keep their data"},
    {"folder", "DIR",
     "where new makes the pair, as on a client's machine (default: the curve folder)"},
    {"socket", "KIND", "what allow and revoke are about: commands, events or publish",
     ates_curve_kinds},
    {"finish", NULL, "rotate: take the old keys out of the keyring, once their tokens have ended"},
    {NULL, NULL, NULL},
};

const struct ctl_command admin_keys_command = {
    .name = "keys",
    .arguments = "ls|new|allow|revoke|rotate [NAME]",
    .summary =
        "The keys by which tokens are signed, and CURVE's, by which clients are let in over tcp",
    .notes =
        "\n"
        "new makes NAME.cert_secret, for its owner alone, and NAME.cert, to be given away, and\n"
        "prints the public key; the pair called server is this machine's. allow lets the key of\n"
        "a certificate connect: to commands, to events, or to publish, which is for services that\n"
        "run elsewhere. Services look by themselves: both hold at once, also for who is "
        "connected.\n"
        "No secret is shown.\n"
        "\n"
        "rotate users, or services, makes a new key by which their tokens are signed from then "
        "on;\n"
        "the keyring keeps the old one until --finish, which waits for the tokens' life\n"
        "(auth/access_minutes). Services take both over by themselves; where systemd hands the "
        "keys\n"
        "out they have to be restarted in between.\n",
    .examples = "atesctl admin keys ls\n"
                "sudo atesctl admin keys new server\n"
                "atesctl admin keys new ann --folder ~/.config/ates\n"
                "sudo atesctl admin keys allow ann.cert --socket commands\n"
                "sudo atesctl admin keys revoke ann\n"
                "sudo atesctl admin keys rotate users\n"
                "sudo atesctl admin keys rotate users --finish",
    .look = "atesctl admin keys ls",
    .options = options,
    .min = 1,
    .max = 2,
    .run = run,
    .words = tell_words,
};
