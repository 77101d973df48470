/* Bodies of the tasks service's commands with a field that may not be so; see bad_input.h. */
#include "flow/bad_input.h"

#define NAME_KEY "\x82\xa4name"
#define GOOD_NAME "\xa4name"
#define DESCRIPTION_KEY "\253description"
#define GOOD_DESCRIPTION "\xa0"
#define AFTER_NAME DESCRIPTION_KEY GOOD_DESCRIPTION
#define BEFORE_DESCRIPTION NAME_KEY GOOD_NAME DESCRIPTION_KEY

#define CREATE(WHAT, FIELD, ...)                                                                   \
    BODY(TASKS, "create_task", WHAT, "FIELD_INVALID", FIELD, __VA_ARGS__)
#define NAME(WHAT, VALUE) CREATE(WHAT, "name", BYTES(NAME_KEY VALUE AFTER_NAME))
#define DESCRIPTION(WHAT, VALUE) CREATE(WHAT, "description", BYTES(BEFORE_DESCRIPTION VALUE))
#define TASK_ID(COMMAND, WHAT, VALUE)                                                              \
    BODY(TASKS, COMMAND, WHAT, "FIELD_INVALID", "task_id", BYTES("\x81\xa7task_id" VALUE))
#define NO_TASK_ID(COMMAND)                                                                        \
    BODY(TASKS, COMMAND, "no task_id", "FIELD_MISSING", "task_id", BYTES("\x80"))
#define DRY_RUN(WHAT, VALUE)                                                                       \
    BODY(TASKS, "reassign_tasks", WHAT, "FIELD_INVALID", "dry_run", BYTES("\x81\247dry_run" VALUE))
#define MINE(WHAT, FIELD, VALUE)                                                                   \
    BODY(TASKS, "show_my_assigned_tasks", WHAT, "FIELD_INVALID", FIELD, BYTES("\x81" VALUE))
#define ALL(WHAT, FIELD, VALUE)                                                                    \
    BODY(TASKS, "show_all_assigned_tasks", WHAT, "FIELD_INVALID", FIELD, BYTES("\x81" VALUE))
#define AFTER(COMMAND, WHAT, VALUE)                                                                \
    SIGNED_BODY(TASKS, COMMAND, WHAT, "FIELD_INVALID", "after", BYTES("\x81\245after" VALUE))
/* The log is of task 1, which is there. */
#define LOG_AFTER(WHAT, VALUE)                                                                     \
    SIGNED_BODY(TASKS, "show_task_log", WHAT, "FIELD_INVALID", "after",                            \
                BYTES("\x82\xa7task_id\x01\245after" VALUE))

static const struct bad_input fields[] = {
    BODY(TASKS, "create_task", "no name", "FIELD_MISSING", "name", BYTES("\x81" AFTER_NAME)),
    BODY(TASKS, "create_task", "no description", "FIELD_MISSING", "description",
         BYTES("\x81\xa4name" GOOD_NAME)),
    BODY(TASKS, "create_task", "no field", "FIELD_MISSING", "name", BYTES("\x80")),
    BODY(TASKS, "create_task", "an assignee", "FIELD_UNKNOWN", "assigned_to",
         BYTES("\x83\xa4name" GOOD_NAME AFTER_NAME "\253assigned_to\x02")),
    BODY(TASKS, "create_task", "a name twice", "FIELD_DUPLICATE", "name",
         BYTES("\x83\xa4name" GOOD_NAME "\xa4name" GOOD_NAME AFTER_NAME)),
    BODY(TASKS, "create_task", "a description twice", "FIELD_DUPLICATE", "description",
         BYTES("\x83\xa4name" GOOD_NAME AFTER_NAME AFTER_NAME)),
    NAME("an empty name", "\xa0"),
    CREATE("a name of 201 characters", "name", REPEATED(NAME_KEY "\xd9\xc9", "n", 201, AFTER_NAME)),
    CREATE("a name of 201 characters of four bytes", "name",
           REPEATED(NAME_KEY "\xda\x03\x24", "\xf0\x9f\xa6\x9c", 201, AFTER_NAME)),
    CREATE("a name of 200,000", "name",
           REPEATED(NAME_KEY "\xdb\x00\x03\x0d\x40", "n", 200000, AFTER_NAME)),
    NAME("a name with a NUL", "\xa5name\x00"),
    NAME("a name with a bell", "\xa5name\x07"),
    NAME("a name with an escape", "\xa5\x1b[31m"),
    NAME("a name with a carriage return", "\xa5name\r"),
    NAME("a name with a DEL", "\xa5name\x7f"),
    NAME("a name with a C1 control", "\xa6name\xc2\x85"),
    NAME("an overlong NUL in a name", "\xa2\xc0\x80"),
    NAME("an overlong A in a name", "\xa2\xc1\x81"),
    NAME("an overlong character of three bytes", "\xa3\xe0\x9f\xbf"),
    NAME("an overlong character of four bytes", "\xa4\xf0\x8f\xbf\xbf"),
    NAME("a high surrogate", "\xa3\xed\xa0\x80"),
    NAME("a low surrogate", "\xa3\xed\xbf\xbf"),
    NAME("a pair of surrogates", "\xa6\xed\xa0\xbd\xed\xb8\x80"),
    NAME("a character beyond U+10FFFF", "\xa4\xf4\x90\x80\x80"),
    NAME("a character of five bytes", "\xa5\xf8\x88\x80\x80\x80"),
    NAME("a character of two bytes, cut", "\xa5name\xd1"),
    NAME("a character of three bytes, cut", "\xa6name\xe2\x82"),
    NAME("a character of four bytes, cut", "\xa7name\xf0\x9f\x98"),
    NAME("a lone later byte", "\xa5name\x80"),
    NAME("a character broken off by a letter", "\xa6name\xd1x"),
    NAME("UTF-16", "\xa4\xff\xfen\x00"),
    NAME("nil for a name", "\xc0"),
    NAME("true for a name", "\xc3"),
    NAME("an integer for a name", "\x01"),
    NAME("a float for a name", "\xca\x00\x00\x00\x00"),
    NAME("bytes for a name", "\xc4\x04name"),
    NAME("a list for a name", "\x91\xa4name"),
    NAME("a map for a name", "\x81\xa4name\xa4name"),
    NAME("an extension for a name", "\xd4\x01\x00"),
    CREATE("a description of 10,001 characters", "description",
           REPEATED(BEFORE_DESCRIPTION "\xda\x27\x11", "d", 10001, "")),
    CREATE("a description that fills the frame", "description",
           REPEATED(BEFORE_DESCRIPTION "\xdb\x00\x03\xff\xe4", "d", 262116, "")),
    DESCRIPTION("a description with a NUL", "\242d\x00"),
    DESCRIPTION("a description with a form feed", "\242d\f"),
    DESCRIPTION("a description that is not UTF-8", "\242d\xff"),
    DESCRIPTION("a surrogate in a description", "\xa3\xed\xa0\x80"),
    DESCRIPTION("nil for a description", "\xc0"),
    DESCRIPTION("an integer for a description", "\x00"),
    DESCRIPTION("bytes for a description", "\xc4\x00"),

    BODY(TASKS, "reassign_tasks", "a field that it has not", "FIELD_UNKNOWN", "task_id",
         BYTES("\x81\xa7task_id\x01")),
    DRY_RUN("a number for a dry run", "\x01"),
    DRY_RUN("a text for a dry run", "\xa4true"),
    DRY_RUN("nil for a dry run", "\xc0"),
    NO_TASK_ID("complete_task"),
    TASK_ID("complete_task", "task 0", "\x00"),
    TASK_ID("complete_task", "task -1", "\xff"),
    TASK_ID("complete_task", "task 2^53", "\xcf\x00\x20\x00\x00\x00\x00\x00\x00"),
    TASK_ID("complete_task", "task 2^64-1", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
    TASK_ID("complete_task", "task 1.0", "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"),
    TASK_ID("complete_task", "task \"1\"", "\2411"),
    TASK_ID("complete_task", "task nil", "\xc0"),
    TASK_ID("complete_task", "task true", "\xc3"),
    TASK_ID("complete_task", "a list of tasks", "\x92\x01\x02"),
    TASK_ID("complete_task", "a map", "\x80"),
    TASK_ID("complete_task", "bytes", "\xc4\x01\x01"),
    NO_TASK_ID("show_task"),
    TASK_ID("show_task", "task 0", "\x00"),
    TASK_ID("show_task", "task -2^63", "\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
    NO_TASK_ID("show_task_log"),
    TASK_ID("show_task_log", "task 0", "\x00"),
    BODY(TASKS, "show_task_log", "a limit of 0", "FIELD_INVALID", "limit",
         BYTES("\x82\xa7task_id\x01\xa5limit\x00")),
    BODY(TASKS, "show_task_log", "a limit of 1001", "FIELD_INVALID", "limit",
         BYTES("\x82\xa7task_id\x01\xa5limit\xcd\x03\xe9")),
    BODY(TASKS, "show_task_log", "a status", "FIELD_UNKNOWN", "status",
         BYTES("\x82\xa7task_id\x01\xa6status\xa4open")),
    MINE("a status that there is not", "status", "\xa6status\244done"),
    MINE("an empty status", "status", "\xa6status\xa0"),
    MINE("a status in capitals", "status", "\xa6status\xa4Open"),
    MINE("a status's number", "status", "\xa6status\x00"),
    MINE("an empty query", "query", "\xa5query\xa0"),
    MINE("a query with a tab", "query", "\xa5query\243a\tb"),
    MINE("a query that is not UTF-8", "query", "\xa5query\xa1\xbf"),
    BODY(TASKS, "show_my_assigned_tasks", "a query of 201 characters of two bytes", "FIELD_INVALID",
         "query", REPEATED("\x81\xa5query\xda\x01\x92", "\xd1\x8f", 201, "")),
    MINE("an empty after", "after", "\245after\xa0"),
    MINE("an after with a NUL", "after", "\245after\2421\x00"),
    MINE("an order in words", "newest_first", "\254newest_first\xa4true"),
    MINE("a number for the order", "newest_first", "\254newest_first\x01"),
    MINE("a limit of 0", "limit", "\xa5limit\x00"),
    MINE("a limit of 1001", "limit", "\xa5limit\xcd\x03\xe9"),
    BODY(TASKS, "show_my_assigned_tasks", "somebody's tasks", "FIELD_UNKNOWN", "assigned_to",
         BYTES("\x81\253assigned_to\x01")),
    ALL("user 0", "assigned_to", "\253assigned_to\x00"),
    ALL("a user's name", "assigned_to", "\253assigned_to\xa5user1"),
    ALL("a time in words", "created_from", "\254created_from\xa9yesterday"),
    ALL("a time with a fraction", "created_from",
        "\254created_from\xcb\x42\x70\x00\x00\x00\x00\x00\x00"),
    ALL("a time of 2^53", "created_to", "\252created_to\xcf\x00\x20\x00\x00\x00\x00\x00\x00"),
    ALL("a time of -2^53", "created_to", "\252created_to\xd3\xff\xe0\x00\x00\x00\x00\x00\x00"),
    ALL("a timestamp", "created_to", "\252created_to\xd6\xff\x00\x00\x00\x00"),
    ALL("a status that there is not", "status", "\xa6status\246closed"),
    ALL("a limit of 2^64-1", "limit", "\xa5limit\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
    AFTER("show_my_assigned_tasks", "an after of letters", "\xa1x"),
    AFTER("show_my_assigned_tasks", "a negative after", "\xa2-1"),
    AFTER("show_my_assigned_tasks", "an after of 17 digits", "\26112345678901234567"),
    AFTER("show_all_assigned_tasks", "an after with a dot", "\2431.0"),
    AFTER("show_all_assigned_tasks", "an after of two ids", "\2431-1"),
    AFTER("show_all_assigned_tasks", "an after of another script's digits", "\xa2\xd9\xa1"),
    LOG_AFTER("an after of letters", "\243end"),
    LOG_AFTER("an after with a space", "\2421 "),
};

const struct bad_table bad_tasks_fields = BAD_TABLE("the tasks service's fields", fields);
