/* Writes what others build on, from the message tables: the files of schemas/, and the tables of
 * PROTOCOL.md's section 12. A test holds the tree against it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "asyncapi.h"
#include "core/contract.h"
#include "domains.h"
#include "fields.h"

/* Takes the value. */
static int write_file(const char *folder, const char *name, json_t *value)
{
    char path[4096];
    int r = snprintf(path, sizeof path, "%s/%s.json", folder, name) < (int)sizeof path ? 0 : -1;
    FILE *file = r == 0 ? fopen(path, "w") : NULL;

    if (file != NULL) {
        r = json_dumpf(value, file, JSON_INDENT(2));
        r |= fputc('\n', file) == EOF ? -1 : 0;
        r |= fclose(file);
    }
    json_decref(value);
    if (file == NULL || r != 0) {
        fprintf(stderr, "contract: %s cannot be written: %s\n", path, strerror(errno));
        return 1;
    }
    return 0;
}

static int write_service(const char *folder, const struct ates_service *service)
{
    struct ates_contract_entry entry;
    char name[ATES_CONTRACT_NAME_SIZE + 8];
    int failed = 0;

    for (size_t i = 0; ates_contract_at(service, i, &entry); i++) {
        failed |= write_file(folder, entry.name, ates_contract_schema(&entry));
        if (entry.command != NULL) {
            snprintf(name, sizeof name, "%s.result", entry.name);
            failed |= write_file(folder, name, ates_contract_result_schema(&entry));
        }
    }
    return failed;
}

static int write_schemas(const char *folder)
{
    const struct ates_message *frame;
    int failed = write_service(folder, &ates_common_service);

    for (size_t i = 0; (frame = ates_contract_frame(i)) != NULL; i++) {
        failed |= write_file(folder, frame->name, ates_contract_frame_schema(frame));
    }
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        failed |= write_service(folder, ates_domains[i]->service);
    }
    return failed | write_file(folder, "asyncapi", contract_asyncapi());
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "schemas") == 0) {
        return write_schemas(argv[2]);
    }
    if (argc == 2 && strcmp(argv[1], "fields") == 0) {
        contract_print_fields(stdout);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    fputs("Usage: contract schemas FOLDER | contract fields\n", stderr);
    return 2;
}
