/* The keys of a backup; see restore_keys.h. */
#include "core/restore_keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/datadir.h"
#include "core/file_copy.h"

static int compare(const char *path, const struct ates_manifest_key *noted, uint64_t size,
                   const uint8_t digest[ATES_HASH_SIZE], char *error, size_t error_size)
{
    if (size == noted->size && memcmp(digest, noted->digest, ATES_HASH_SIZE) == 0) {
        return 0;
    }
    snprintf(error, error_size, "%s: it is another file than the manifest says", path);
    return -EBADMSG;
}

/* to: the folder that it goes to; NULL: it is only checked. What an interrupted restore put there
 * already is as good. */
static int unpack_key(const struct ates_restore_keys *plan, const struct ates_manifest_key *noted,
                      const char *to, char *error, size_t error_size)
{
    char from[4200], path[4300];
    uint8_t digest[ATES_HASH_SIZE];
    struct stat status;
    uint64_t size = 0;

    snprintf(from, sizeof from, "%s/keys/%s", plan->backup, noted->name);
    int r = ates_file_copy(from, NULL, &size, digest, error, error_size);
    if (r == 0) {
        r = compare(from, noted, size, digest, error, error_size);
    }
    if (r != 0 || to == NULL) {
        return r;
    }
    snprintf(path, sizeof path, "%s/%s", to, noted->name);
    r = ates_file_copy(from, path, &size, digest, error, error_size);
    if (r == -EEXIST) {
        r = ates_file_copy(path, NULL, &size, digest, error, error_size);
        return r == 0 ? compare(path, noted, size, digest, error, error_size) : r;
    }
    if (r == 0 && geteuid() == 0 &&
        (stat(to, &status) != 0 || chown(path, status.st_uid, status.st_gid) != 0)) {
        r = -errno;
        snprintf(error, error_size, "%s: %s", path, strerror(-r));
    }
    return r;
}

int ates_restore_keys(const struct ates_restore_keys *plan, bool *kept, char *error,
                      size_t error_size)
{
    const size_t count = plan->manifest->key_count;
    char folder[4200], keyring[4300];
    int r = 0;

    snprintf(folder, sizeof folder, "%s/keys", plan->data_dir);
    snprintf(keyring, sizeof keyring, "%s/keyring", folder);
    *kept = access(keyring, F_OK) == 0;
    if (access(folder, F_OK) != 0) {
        snprintf(folder, sizeof folder, "%s/keys", plan->work);
    }
    const bool wanted = !plan->verify_only && !*kept && count > 0;
    if (wanted && mkdir(folder, 0700) != 0 && errno != EEXIST) {
        r = -errno;
        snprintf(error, error_size, "%s: %s", folder, strerror(-r));
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = unpack_key(plan, &plan->manifest->keys[i], wanted ? folder : NULL, error, error_size);
    }
    return r == 0 && wanted ? ates_sync_folder(folder, error, error_size) : r;
}
