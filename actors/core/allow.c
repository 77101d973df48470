/* The allow list; see allow.h. Invariant: a key is allowed only while its file is there. Files that
 * come and go, and a mode, change the folder's change time, which nobody can set and which is asked
 * for at every use. As that time has the clock's ticks for a unit, a folder that changed just now
 * counts as unread; what was written into a file in its place is seen within a second. */
#include "core/allow.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/catalogue.h"
#include "core/cert.h"
#include "core/random.h"

#define SETTLED_NS INT64_C(50000000)
#define REREAD_US 1000000

struct ates_allow {
    char folder[PATH_MAX];
    char (*keys)[ATES_CURVE_KEY_SIZE]; /* sorted */
    size_t count;
    bool is_read;
    struct timespec changed; /* the folder, when it was read */
    ino_t inode;
    int64_t read_us;
    uint64_t revoked;
    char said[256];
};

struct ates_allow *ates_allow_new(const char *dir, const char *name)
{
    struct ates_allow *self = calloc(1, sizeof *self);

    if (self != NULL) {
        self->keys = calloc(ATES_ALLOW_MAX, sizeof *self->keys);
        if (self->keys == NULL ||
            snprintf(self->folder, sizeof self->folder, "%s/%s", dir, name) >= PATH_MAX) {
            ates_allow_free(&self);
        }
    }
    return self;
}

void ates_allow_free(struct ates_allow **self)
{
    if (*self != NULL) {
        free((*self)->keys);
        free(*self);
        *self = NULL;
    }
}

/* Says once what is wrong, until it is another thing. */
static void say(struct ates_allow *self, const char *what, const char *why)
{
    const struct ates_log_field fields[] = {{"error", why, 0}, {NULL, NULL, 0}};
    char line[sizeof self->said];

    snprintf(line, sizeof line, "%.160s: %.90s", what, why);
    if (strcmp(line, self->said) != 0) {
        strcpy(self->said, line);
        ates_say(ATES_SAY_KEYS_UNUSABLE, "curve", fields, "%s", line);
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int is_cert(const struct dirent *entry)
{
    const size_t size = strlen(entry->d_name), ending = sizeof ATES_CERT_ENDING - 1;

    return size > ending && entry->d_name[0] != '.' &&
           strcmp(entry->d_name + size - ending, ATES_CERT_ENDING) == 0;
}

/* Reads every certificate. Returns how many, or -errno. */
static int read_keys(struct ates_allow *self, char (*keys)[ATES_CURVE_KEY_SIZE])
{
    struct dirent **entries = NULL;
    const int found = scandir(self->folder, &entries, is_cert, NULL);
    int count = found < 0 ? -errno : found > (int)ATES_ALLOW_MAX ? -E2BIG : 0;

    for (int i = 0; i < found; i++) {
        char path[sizeof self->folder + NAME_MAX + 2], error[sizeof path + 128];
        struct ates_cert cert;

        snprintf(path, sizeof path, "%s/%s", self->folder, entries[i]->d_name);
        if (count >= 0 && ates_cert_load_public(path, &cert, error, sizeof error) == 0) {
            strcpy(keys[count++], cert.public_key);
        } else if (count >= 0 && access(path, F_OK) == 0) {
            say(self, entries[i]->d_name, error);
        }
        free(entries[i]);
    }
    free(entries);
    if (count > 0) {
        qsort(keys, (size_t)count, sizeof *keys, compare);
    }
    return count;
}

static bool finds(char (*keys)[ATES_CURVE_KEY_SIZE], size_t count, const char *key)
{
    return bsearch(key, keys, count, sizeof *keys, compare) != NULL;
}

static void take_keys(struct ates_allow *self, char (*keys)[ATES_CURVE_KEY_SIZE], size_t count)
{
    bool lost = false;

    for (size_t i = 0; i < self->count && !lost; i++) {
        lost = !finds(keys, count, self->keys[i]);
    }
    self->revoked += lost;
    memcpy(self->keys, keys, count * sizeof *keys);
    self->count = count;
}

static bool is_settled(const struct stat *status)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t age_ns = (int64_t)(now.tv_sec - status->st_ctim.tv_sec) * 1000000000 +
                           (now.tv_nsec - status->st_ctim.tv_nsec);
    return age_ns > SETTLED_NS || age_ns < 0;
}

static void refresh(struct ates_allow *self)
{
    const int64_t now_us = ates_monotonic_us();
    struct stat status;
    int count = 0;

    const bool found = stat(self->folder, &status) == 0;
    if (found && self->is_read && status.st_ino == self->inode &&
        status.st_ctim.tv_sec == self->changed.tv_sec &&
        status.st_ctim.tv_nsec == self->changed.tv_nsec && now_us - self->read_us < REREAD_US) {
        return;
    }
    char(*keys)[ATES_CURVE_KEY_SIZE] = calloc(ATES_ALLOW_MAX, sizeof *keys);
    if (!found) {
        count = -errno;
    } else if (keys == NULL) {
        count = -ENOMEM;
    } else if ((status.st_mode & 022) != 0) {
        count = -EPERM;
    } else {
        count = read_keys(self, keys);
    }
    if (count < 0) {
        say(self, self->folder,
            count == -EPERM ? "others may write here: nobody is let in" : strerror(-count));
    }
    take_keys(self, keys, count > 0 ? (size_t)count : 0);
    free(keys);
    self->is_read = count >= 0 && is_settled(&status);
    if (found) {
        self->inode = status.st_ino;
        self->changed = status.st_ctim;
    }
    self->read_us = now_us;
}

bool ates_allow_has(struct ates_allow *self, const char *key)
{
    refresh(self);
    return strlen(key) == ATES_CURVE_KEY_SIZE - 1 && finds(self->keys, self->count, key);
}

uint64_t ates_allow_revoked(struct ates_allow *self)
{
    refresh(self);
    return self->revoked;
}
