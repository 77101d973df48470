/* The settings there are: the table, and what their values may be. */
#ifndef ATES_SETTING_H
#define ATES_SETTING_H

#include "core/config.h"

#define ATES_SETTING_NAME_SIZE 64u

struct ates_setting_type {
    const char *name;     /* path in the file; ATES_NAME in the environment, with _ for / */
    const char *fallback; /* the value where no source names one */
    /* Checks value and puts it into member. Returns 0, or -EINVAL with a phrase in why. */
    int (*read)(const struct ates_setting_type *type, const char *value, void *member, char *why,
                size_t why_size);
    size_t offset; /* of the member of struct ates_config, an array of size or an int64_t */
    size_t size;
    int64_t min, max, unit; /* of a number: the member holds number * unit */
};

/* The formats in which atesctl prints; NULL at the end. */
extern const char *const ates_output_names[];

extern const struct ates_setting_type ates_setting_types[];
extern const size_t ates_setting_count;

/* Its environment variable: ATES_LOG_LEVEL of log/level. Returns out. */
const char *ates_setting_variable(const struct ates_setting_type *type,
                                  char out[ATES_SETTING_NAME_SIZE + 8]);

/* The value that config holds, as a file would write it. Returns out. */
#define ATES_SETTING_TEXT_SIZE 4096u
const char *ates_setting_text(const struct ates_setting_type *type,
                              const struct ates_config *config, char out[ATES_SETTING_TEXT_SIZE]);

/* The index of the setting with this name, or ates_setting_count. */
size_t ates_setting_find(const char *name);

#endif
