/* The data folder that a restore fills; see restore_folder.h. */
#include "core/restore_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/datadir.h"

#define OPEN_FOLDERS 8

static int fail(const struct restore_folder *self, const char *what, int fault, char *error,
                size_t error_size)
{
    snprintf(error, error_size, "%s/%s: %s", self->data_dir, what, strerror(-fault));
    return fault;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* lost+found is a file system's own; a place for keys may be there before any data. */
static int refuse_others(const struct restore_folder *self, char *error, size_t error_size)
{
    DIR *folder = opendir(self->data_dir);
    const struct dirent *entry;
    int r = 0;

    if (folder == NULL) {
        return fail(self, "", -errno, error, error_size);
    }
    while (r == 0 && (entry = readdir(folder)) != NULL) {
        if (!is_dots(entry->d_name) && strcmp(entry->d_name, "lost+found") != 0 &&
            strcmp(entry->d_name, "keys") != 0 && strcmp(entry->d_name, ATES_RESTORE_FOLDER) != 0) {
            snprintf(error, error_size,
                     "%s is not empty: there is %s in it; a restore wants a folder of its own, so "
                     "that nothing is lost: move it away, or name another",
                     self->data_dir, entry->d_name);
            r = -ENOTEMPTY;
        }
    }
    closedir(folder);
    return r;
}

static int move_up(const struct restore_folder *self, char *error, size_t error_size)
{
    DIR *work = opendir(self->work);
    const struct dirent *entry;
    int r = 0;

    if (work == NULL) { /* all of it was moved */
        return errno == ENOENT ? 0 : fail(self, ATES_RESTORE_FOLDER, -errno, error, error_size);
    }
    while (r == 0 && (entry = readdir(work)) != NULL) {
        if (!is_dots(entry->d_name) &&
            renameat2(dirfd(work), entry->d_name, self->fd, entry->d_name, RENAME_NOREPLACE) != 0) {
            r = fail(self, entry->d_name, -errno, error, error_size);
        }
    }
    closedir(work);
    if (r == 0 && rmdir(self->work) != 0) {
        r = fail(self, ATES_RESTORE_FOLDER, -errno, error, error_size);
    }
    return r;
}

/* The last step, as often as it takes. */
static int finish(const struct restore_folder *self, char *error, size_t error_size)
{
    int r = move_up(self, error, error_size);

    if (r == 0 && fsync(self->fd) != 0) {
        r = fail(self, "", -errno, error, error_size);
    }
    if (r == 0 && (unlinkat(self->fd, ATES_RESTORE_MARK, 0) != 0 || fsync(self->fd) != 0)) {
        r = fail(self, ATES_RESTORE_MARK, -errno, error, error_size);
    }
    return r;
}

/* Root leaves to the folder's owner what is in it. */
static int give_away(const struct restore_folder *self, char *error, size_t error_size)
{
    char *const paths[] = {(char *)self->work, NULL};
    struct stat owner;
    FTSENT *entry;
    int r = 0;

    if (fstat(self->fd, &owner) != 0) {
        return fail(self, "", -errno, error, error_size);
    }
    if (geteuid() != 0 || (owner.st_uid == 0 && owner.st_gid == 0)) {
        return 0;
    }
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (tree == NULL) {
        return fail(self, ATES_RESTORE_FOLDER, -errno, error, error_size);
    }
    while (r == 0 && (entry = fts_read(tree)) != NULL) {
        if (entry->fts_info != FTS_DP &&
            lchown(entry->fts_accpath, owner.st_uid, owner.st_gid) != 0) {
            r = fail(self, entry->fts_accpath, -errno, error, error_size);
        }
    }
    fts_close(tree);
    return r;
}

/* The mark appears whole: it is made in the folder that is worked in. */
static int write_mark(const struct restore_folder *self, char *error, size_t error_size)
{
    const size_t size = strlen(self->mark);
    char path[sizeof self->work + sizeof ATES_RESTORE_MARK];

    snprintf(path, sizeof path, "%s/" ATES_RESTORE_MARK, self->work);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(self, ATES_RESTORE_MARK, -errno, error, error_size);
    }
    errno = ENOSPC; /* what a short write means */
    int r = write(fd, self->mark, size) == (ssize_t)size && fsync(fd) == 0 &&
                    renameat(AT_FDCWD, path, self->fd, ATES_RESTORE_MARK) == 0 &&
                    fsync(self->fd) == 0
                ? 0
                : fail(self, ATES_RESTORE_MARK, -errno, error, error_size);
    close(fd);
    return r;
}

static int complete(const struct restore_folder *self, bool *completed, char *error,
                    size_t error_size)
{
    char mark[RESTORE_MARK_SIZE] = "";
    const int fd = openat(self->fd, ATES_RESTORE_MARK, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        return errno == ENOENT ? 0 : fail(self, ATES_RESTORE_MARK, -errno, error, error_size);
    }
    const ssize_t size = read(fd, mark, sizeof mark - 1);
    close(fd);
    if (size < 0) {
        return fail(self, ATES_RESTORE_MARK, -EIO, error, error_size);
    }
    int r = finish(self, error, error_size);
    *completed = r == 0 && strcmp(mark, self->mark) == 0;
    if (r == 0 && !*completed) {
        snprintf(error, error_size,
                 "%s: another restore had been interrupted at its last step and is complete now; "
                 "move it away, or name another folder",
                 self->data_dir);
        r = -EALREADY;
    }
    return r;
}

static int open_folder(struct restore_folder *self, char *error, size_t error_size)
{
    self->made = mkdir(self->data_dir, 0700) == 0;
    if (!self->made && errno != EEXIST) {
        return fail(self, "", -errno, error, error_size);
    }
    self->fd = open(self->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->fd < 0) {
        return fail(self, "", -errno, error, error_size);
    }
    if (flock(self->fd, LOCK_EX | LOCK_NB) != 0) {
        snprintf(error, error_size, "%s: another restore is under way there", self->data_dir);
        return -EBUSY;
    }
    return 0;
}

int restore_folder_open(struct restore_folder *self, const char *data_dir, const char *mark,
                        bool *completed, char *error, size_t error_size)
{
    *self = (struct restore_folder){.data_dir = data_dir, .mark = mark, .fd = -1};
    *completed = false;
    if ((size_t)snprintf(self->work, sizeof self->work, "%s/" ATES_RESTORE_FOLDER, data_dir) >=
        sizeof self->work) {
        return fail(self, "", -ENAMETOOLONG, error, error_size);
    }
    int r = open_folder(self, error, error_size);
    if (r == 0) {
        r = complete(self, completed, error, error_size);
    }
    if (r == 0 && !*completed) {
        if (nftw(self->work, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) != 0 &&
            errno != ENOENT) {
            r = fail(self, ATES_RESTORE_FOLDER, -errno, error, error_size);
        }
        if (r == 0) {
            r = refuse_others(self, error, error_size);
        }
        if (r == 0 && mkdir(self->work, 0700) != 0) {
            r = fail(self, ATES_RESTORE_FOLDER, -errno, error, error_size);
        }
    }
    if (r != 0 && self->fd >= 0) {
        close(self->fd);
        self->fd = -1;
    }
    return r;
}

int restore_folder_keep(struct restore_folder *self, char *error, size_t error_size)
{
    char parent[sizeof self->work];
    /* Whoever came meanwhile would be in the way of the moves, for good. */
    int r = refuse_others(self, error, error_size);

    if (r == 0 && self->made) {
        snprintf(parent, sizeof parent, "%s/..", self->data_dir);
        r = ates_sync_folder(parent, error, error_size);
    }
    if (r == 0) {
        r = give_away(self, error, error_size);
    }
    if (r == 0) {
        r = write_mark(self, error, error_size);
    }
    return r == 0 ? finish(self, error, error_size) : r;
}

void restore_folder_close(struct restore_folder *self)
{
    if (self->fd < 0) {
        return;
    }
    if (faccessat(self->fd, ATES_RESTORE_MARK, F_OK, 0) != 0) {
        nftw(self->work, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
        if (self->made) {
            rmdir(self->data_dir); /* where it is empty */
        }
    }
    close(self->fd);
    self->fd = -1;
}
