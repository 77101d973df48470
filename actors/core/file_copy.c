/* A small file copied whole; see file_copy.h. */
#include "core/file_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"

static int fail(const char *path, char *error, size_t error_size)
{
    const int fault = -errno;

    snprintf(error, error_size, "%s: %s", path, strerror(-fault));
    return fault;
}

static int read_whole(const char *path, void *data, size_t *size, mode_t *mode, char *error,
                      size_t error_size)
{
    const int fd = ates_file_open(path, error, error_size);
    struct stat status;
    size_t done = 0;
    ssize_t n = 1;
    int r = 0;

    if (fd < 0) {
        return fd;
    }
    while (n > 0 && done <= ATES_FILE_COPY_MAX) {
        n = read(fd, (uint8_t *)data + done, ATES_FILE_COPY_MAX + 1 - done);
        done += n > 0 ? (size_t)n : 0;
    }
    if (n < 0 || fstat(fd, &status) != 0) {
        r = fail(path, error, error_size);
    } else if (done > ATES_FILE_COPY_MAX) {
        errno = EFBIG;
        r = fail(path, error, error_size);
    } else {
        *size = done;
        *mode = status.st_mode & 0777;
    }
    close(fd);
    return r;
}

static int write_whole(const char *path, const void *data, size_t size, mode_t mode, char *error,
                       size_t error_size)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    int r = 0;

    if (fd < 0) {
        return fail(path, error, error_size);
    }
    errno = ENOSPC; /* what a short write means */
    if (fchmod(fd, mode) != 0 || write(fd, data, size) != (ssize_t)size || fsync(fd) != 0) {
        r = fail(path, error, error_size);
    }
    close(fd);
    return r;
}

int ates_file_copy(const char *from, const char *to, uint64_t *size, uint8_t digest[ATES_HASH_SIZE],
                   char *error, size_t error_size)
{
    uint8_t *data = malloc(ATES_FILE_COPY_MAX + 1);
    size_t read = 0;
    mode_t mode = 0;

    if (data == NULL) {
        errno = ENOMEM;
        return fail(from, error, error_size);
    }
    int r = read_whole(from, data, &read, &mode, error, error_size);
    if (r == 0 && to != NULL) {
        r = write_whole(to, data, read, mode, error, error_size);
    }
    if (r == 0) {
        *size = read;
        crypto_generichash(digest, ATES_HASH_SIZE, data, read, NULL, 0);
    }
    sodium_memzero(data, read); /* it may be a key */
    free(data);
    return r;
}
