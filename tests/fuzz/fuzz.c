/* What the fuzz targets share; see fuzz.h. */
#include "fuzz.h"

#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"

bool fuzz_is_line(const char *words)
{
    size_t characters;

    return words[0] != '\0' &&
           ates_text_scan(ates_text_from(words), ATES_RULE_LINE, &characters) == NULL;
}

void fuzz_check_refusal(const struct ates_refusal *refusal, int status)
{
    static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    const char *reason = refusal->reason;

    fuzz_require(status > ATES_OK && status < (int)ATES_STATUS_COUNT);
    fuzz_require((int)refusal->status == status);
    fuzz_require(reason[0] != '\0' && reason[strspn(reason, word)] == '\0');
    fuzz_require(fuzz_is_line(refusal->message));
    fuzz_require(refusal->field[0] == '\0' || fuzz_is_line(refusal->field));
    fuzz_require(strncmp(reason, "FIELD_", 6) != 0 || refusal->field[0] != '\0');
}

const char *fuzz_file(struct ates_bytes bytes)
{
    static char path[32];
    static int descriptor = -1;

    if (descriptor < 0) {
        descriptor = memfd_create("fuzz", MFD_CLOEXEC);
        fuzz_require(descriptor >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    }
    fuzz_require(ftruncate(descriptor, 0) == 0);
    fuzz_require(bytes.size == 0 ||
                 pwrite(descriptor, bytes.data, bytes.size, 0) == (ssize_t)bytes.size);
    return path;
}

static char folder[64];

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_folder(void)
{
    if (folder[0] == '\0') {
        snprintf(folder, sizeof folder, "%s/ates-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        fuzz_require(mkdtemp(folder) != NULL);
        atexit(remove_folder);
    }
    return folder;
}
