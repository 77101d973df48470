/* Messages whose frames are not an aTES command, and metas that are none; see bad_input.h. */
#include "flow/bad_input.h"

#define VERSION BYTES("ATES/1")
#define NAME BYTES(SERVICE_MARK ".health")
#define MAP BYTES("\x80")
#define EMPTY BYTES("")
#define TAG BYTES("tag")

#define FRAMES(NUMBER) .frames = NUMBER, .frame_count = sizeof NUMBER / sizeof NUMBER[0]
#define INVALID .status = ATES_INVALID_ARGUMENT, .reason = "FRAMES_INVALID"
#define ANY_SERVICE .services = ANY

static const struct bad_bytes only_delimiter[] = {EMPTY};
static const struct bad_bytes only_route[] = {TAG, EMPTY};
static const struct bad_bytes one[] = {TAG, EMPTY, VERSION};
static const struct bad_bytes two[] = {TAG, EMPTY, VERSION, NAME};
static const struct bad_bytes three[] = {TAG, EMPTY, VERSION, NAME, MAP};
static const struct bad_bytes four[] = {TAG, EMPTY, VERSION, NAME, MAP, MAP};
static const struct bad_bytes five[] = {TAG, EMPTY, VERSION, NAME, MAP, MAP, MAP};
static const struct bad_bytes no_delimiter[] = {VERSION, NAME, MAP, MAP};
static const struct bad_bytes tag_alone[] = {TAG};
static const struct bad_bytes second_delimiter[] = {TAG, EMPTY, EMPTY, VERSION, NAME, MAP, MAP};
static const struct bad_bytes late_delimiter[] = {TAG, VERSION, EMPTY, NAME, MAP, MAP};
static const struct bad_bytes delimiter_for_meta[] = {VERSION, NAME, EMPTY, MAP};
static const struct bad_bytes delimiter_at_end[] = {VERSION, NAME, MAP, MAP, EMPTY};
static const struct bad_bytes swapped[] = {TAG, EMPTY, NAME, VERSION, MAP, MAP};
static const struct bad_bytes event[] = {BYTES("tasks.task_created.v1"), MAP};
static const struct bad_bytes long_route[] = {TAG,   TAG,     TAG,  TAG, TAG, TAG, TAG,
                                              TAG,   TAG,     TAG,  TAG, TAG, TAG, TAG,
                                              EMPTY, VERSION, NAME, MAP, MAP};
static const struct bad_bytes too_long_route[] = {TAG, TAG,   TAG,     TAG,  TAG, TAG, TAG,
                                                  TAG, TAG,   TAG,     TAG,  TAG, TAG, TAG,
                                                  TAG, EMPTY, VERSION, NAME, MAP, MAP};

#define BAD_VERSION(WHAT, ...)                                                                     \
    {                                                                                              \
        .what = WHAT, ANY_SERVICE, .command = "health", .version = __VA_ARGS__,                    \
        .status = ATES_UNIMPLEMENTED, .reason = "VERSION_UNSUPPORTED"                              \
    }
#define BAD_NAME(WHAT, ...)                                                                        \
    {                                                                                              \
        .what = WHAT, ANY_SERVICE, .name = __VA_ARGS__, .status = ATES_UNIMPLEMENTED,              \
        .reason = "COMMAND_UNKNOWN"                                                                \
    }
#define OTHERS_COMMAND(SERVICES, NAME)                                                             \
    {                                                                                              \
        .what = "another service's " NAME, .services = SERVICES, .name = BYTES(NAME),              \
        .status = ATES_UNIMPLEMENTED, .reason = "COMMAND_UNKNOWN"                                  \
    }

static const struct bad_input frames[] = {
    {"the delimiter alone", ANY_SERVICE, FRAMES(only_delimiter), INVALID},
    {"a route alone", ANY_SERVICE, FRAMES(only_route), INVALID},
    {"one frame", ANY_SERVICE, FRAMES(one), INVALID},
    {"two frames", ANY_SERVICE, FRAMES(two), INVALID},
    {"three frames", ANY_SERVICE, FRAMES(three), INVALID},
    {"five frames", ANY_SERVICE, FRAMES(five), INVALID},
    {"five frames, the last empty", ANY_SERVICE, FRAMES(four), .empty_frames = 1, INVALID},
    {"as many frames as are held", ANY_SERVICE, FRAMES(four), .empty_frames = 9, INVALID},
    {"one frame more than is held", ANY_SERVICE, FRAMES(four), .empty_frames = 10, INVALID},
    {"20 frames", ANY_SERVICE, FRAMES(four), .empty_frames = 16, INVALID},
    {"2,000 frames", ANY_SERVICE, FRAMES(four), .empty_frames = 1996, INVALID},
    {"four empty frames", ANY_SERVICE, FRAMES(only_delimiter), .empty_frames = 3, INVALID},
    {"no delimiter", ANY_SERVICE, FRAMES(no_delimiter)},
    {"a tag without delimiter", ANY_SERVICE, FRAMES(tag_alone)},
    {"an event in place of a command", ANY_SERVICE, FRAMES(event)},
    {"a second delimiter", ANY_SERVICE, FRAMES(second_delimiter), INVALID},
    {"the delimiter after the version", ANY_SERVICE, FRAMES(late_delimiter), INVALID},
    {"an empty meta where no delimiter is", ANY_SERVICE, FRAMES(delimiter_for_meta), INVALID},
    {"the delimiter behind all", ANY_SERVICE, FRAMES(delimiter_at_end), INVALID},
    {"a route of 15 frames leaves no room", ANY_SERVICE, FRAMES(long_route), INVALID},
    {"a route of 16 frames", ANY_SERVICE, FRAMES(too_long_route)},
    {.what = "name before version",
     ANY_SERVICE,
     FRAMES(swapped),
     .status = ATES_UNIMPLEMENTED,
     .reason = "VERSION_UNSUPPORTED"},
    {.what = "five empty frames",
     ANY_SERVICE,
     FRAMES(only_delimiter),
     .empty_frames = 4,
     .status = ATES_UNIMPLEMENTED,
     .reason = "VERSION_UNSUPPORTED"},

    BAD_VERSION("an empty version", BYTES("")),
    BAD_VERSION("a later version", BYTES("ATES/2")),
    BAD_VERSION("version 0", BYTES("ATES/0")),
    BAD_VERSION("version 10", BYTES("ATES/10")),
    BAD_VERSION("version 1.0", BYTES("ATES/1.0")),
    BAD_VERSION("no number", BYTES("ATES/")),
    BAD_VERSION("a version in small letters", BYTES("ates/1")),
    BAD_VERSION("a version with a space", BYTES("ATES/1 ")),
    BAD_VERSION("a version with a NUL", BYTES("ATES/1\0")),
    BAD_VERSION("another protocol", BYTES("HTTP/1.1")),
    BAD_VERSION("a version in msgpack", BYTES("\246ATES/1")),
    BAD_VERSION("a version of no text", BYTES("\xff\xfe\x00\x01")),
    BAD_VERSION("a version of 64 KiB", REPEATED("ATES/1", "A", 65536, "")),

    BAD_NAME("an empty name", BYTES("")),
    BAD_NAME("a dot", BYTES(".")),
    BAD_NAME("the service alone", BYTES(SERVICE_MARK)),
    BAD_NAME("the service and a dot", BYTES(SERVICE_MARK ".")),
    BAD_NAME("no service", BYTES("health")),
    BAD_NAME("an empty service", BYTES(".health")),
    BAD_NAME("a command that there is not", BYTES(SERVICE_MARK ".nothing")),
    BAD_NAME("a capital letter", BYTES(SERVICE_MARK ".Health")),
    BAD_NAME("a part of a command's name", BYTES(SERVICE_MARK ".healt")),
    BAD_NAME("more than a command's name", BYTES(SERVICE_MARK ".healthy")),
    BAD_NAME("a space behind", BYTES(SERVICE_MARK ".health ")),
    BAD_NAME("a newline behind", BYTES(SERVICE_MARK ".health\n")),
    BAD_NAME("a NUL behind", BYTES(SERVICE_MARK ".health\0")),
    BAD_NAME("a NUL within", BYTES(SERVICE_MARK "\0health")),
    BAD_NAME("two dots", BYTES(SERVICE_MARK "..health")),
    BAD_NAME("a name twice", BYTES(SERVICE_MARK ".health.health")),
    BAD_NAME("a slash", BYTES(SERVICE_MARK "/health")),
    BAD_NAME("printf's signs", BYTES(SERVICE_MARK ".%s%s%s%n")),
    BAD_NAME("a name of no text", BYTES(SERVICE_MARK ".\xff\xfe")),
    BAD_NAME("a name of 64 KiB", REPEATED(SERVICE_MARK ".", "a", 65536, "")),
    BAD_NAME("an event's name", BYTES(SERVICE_MARK ".head.v1")),
    BAD_NAME("the common table's own name", BYTES("common.health")),
    BAD_NAME("a service that is not there yet", BYTES("web.health")),
    OTHERS_COMMAND(ANY & ~AUTH, "auth.health"),
    OTHERS_COMMAND(ANY & ~TASKS, "tasks.create_task"),
    OTHERS_COMMAND(ANY & ~ACCOUNTING, "accounting.pay_to_workers"),
    OTHERS_COMMAND(ANY & ~ANALYTICS, "analytics.today_income"),
    OTHERS_COMMAND(ANY & ~PAYMENT, "payment.run_payment"),
};

const struct bad_table bad_frames = BAD_TABLE("frames", frames);

#define META(WHAT, REASON, FIELD, ...)                                                             \
    {                                                                                              \
        .what = WHAT, ANY_SERVICE, .command = "health", .meta = __VA_ARGS__,                       \
        .status = ATES_INVALID_ARGUMENT, .reason = REASON, .field = FIELD                          \
    }
#define NO_MAP(WHAT, ...) META(WHAT, "BODY_INVALID", "meta", __VA_ARGS__)
#define NO_TOKEN_TEXT(WHAT, ...) META(WHAT, "FIELD_INVALID", "meta.token", __VA_ARGS__)
#define NO_ID(WHAT, ...) META(WHAT, "FIELD_INVALID", "meta.request_id", __VA_ARGS__)
#define NO_TIMEOUT(WHAT, ...) META(WHAT, "FIELD_INVALID", "meta.timeout_ms", __VA_ARGS__)
#define NO_PARENT(WHAT, ...) META(WHAT, "FIELD_INVALID", "meta.traceparent", __VA_ARGS__)
#define NO_CLIENT(WHAT, ...) META(WHAT, "FIELD_INVALID", "meta.client", __VA_ARGS__)

#define TOKEN_KEY "\x81\xa5token"
#define ID_KEY "\x81\xaarequest_id"
#define TIMEOUT_KEY "\x81\xaatimeout_ms"
#define PARENT_KEY "\x81\xabtraceparent"
#define CLIENT_KEY "\x81\246client"

static const struct bad_input meta[] = {
    NO_MAP("an empty meta", BYTES("")),
    NO_MAP("nil", BYTES("\xc0")),
    NO_MAP("true", BYTES("\xc3")),
    NO_MAP("0", BYTES("\x00")),
    NO_MAP("-1", BYTES("\xff")),
    NO_MAP("a float", BYTES("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00")),
    NO_MAP("a text", BYTES("\xa0")),
    NO_MAP("bytes", BYTES("\xc4\x00")),
    NO_MAP("a list", BYTES("\x90")),
    NO_MAP("an extension", BYTES("\xd4\x00\x00")),
    NO_MAP("the byte that msgpack never uses", BYTES("\xc1")),
    NO_MAP("JSON", BYTES("{\"token\":\"x\"}")),
    NO_MAP("two maps", BYTES("\x80\x80")),
    NO_MAP("bytes behind", REPEATED("\x80", "\x00", 1000, "")),
    NO_MAP("a map without its pair", BYTES("\x81")),
    NO_MAP("a map without its value", BYTES(TOKEN_KEY)),
    NO_MAP("a map of 15 pairs that are not there", BYTES("\x8f")),
    NO_MAP("a map of 65,535", BYTES("\xde\xff\xff")),
    NO_MAP("a map of 2^32-1", BYTES("\xdf\xff\xff\xff\xff")),
    NO_MAP("a map's cut size", BYTES("\xdf\x00\x00")),
    NO_MAP("an integer for a key", BYTES("\x81\x01\x01")),
    NO_MAP("nil for a key", BYTES("\x81\xc0\xc0")),
    NO_MAP("bytes for a key", BYTES("\x81\xc4\x05token\xa1x")),
    NO_MAP("a list for a key", BYTES("\x81\x90\x01")),
    NO_MAP("a key that is not UTF-8", BYTES("\x81\xa2\xc0\x80\x01")),
    NO_MAP("a request_id beyond the frame", BYTES(ID_KEY "\245ab")),
    NO_MAP("a request_id of 255 bytes beyond it", BYTES(ID_KEY "\xd9\377ab")),
    NO_MAP("a request_id of 2^32-1 bytes beyond it", BYTES(ID_KEY "\xdb\xff\xff\xff\377ab")),
    NO_MAP("lists in lists, 200,000 deep", REPEATED("", "\x91", 200000, "\x01")),
    META("an unknown key", "FIELD_UNKNOWN", "meta.user", BYTES("\x81\xa4user\x01")),
    META("an empty key", "FIELD_UNKNOWN", "meta.\"\"", BYTES("\x81\xa0\x01")),
    META("a key in capitals", "FIELD_UNKNOWN", "meta.Token", BYTES("\x81\xa5Token\xa1x")),
    META("a key with a NUL", "FIELD_UNKNOWN", "meta.token?", BYTES("\x81\xa6token\x00\xa1x")),
    META("a known key and an unknown", "FIELD_UNKNOWN", "meta.user",
         BYTES("\x82\xaarequest_id\xa1x\xa4user\x01")),
    META("an unknown key that is cut where it is named", "FIELD_UNKNOWN",
         "meta.xжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжжж",
         REPEATED("\x81\xd9\xc9x", "\xd0\xb6", 100, "\x01")),
    META("a token twice", "FIELD_DUPLICATE", "meta.token",
         BYTES("\x82\xa5token\xa1x\xa5token\xa1x")),
    META("a request_id twice", "FIELD_DUPLICATE", "meta.request_id",
         BYTES("\x82\xaarequest_id\xa1x\xaarequest_id\xa1y")),
    META("a timeout twice", "FIELD_DUPLICATE", "meta.timeout_ms",
         BYTES("\x82\xaatimeout_ms\x01\xaatimeout_ms\x01")),
    NO_TOKEN_TEXT("nil for a token", BYTES(TOKEN_KEY "\xc0")),
    NO_TOKEN_TEXT("an integer for a token", BYTES(TOKEN_KEY "\x01")),
    NO_TOKEN_TEXT("bytes for a token", BYTES(TOKEN_KEY "\xc4\x01x")),
    NO_TOKEN_TEXT("an empty token", BYTES(TOKEN_KEY "\xa0")),
    NO_TOKEN_TEXT("a token of 2,049 characters", REPEATED(TOKEN_KEY "\xda\x08\x01", "v", 2049, "")),
    NO_TOKEN_TEXT("a token of 200,000",
                  REPEATED(TOKEN_KEY "\xdb\x00\x03\x0d\x40", "v", 200000, "")),
    NO_TOKEN_TEXT("a token with a newline", BYTES(TOKEN_KEY "\xa3v4\n")),
    NO_TOKEN_TEXT("a token that is not ASCII", BYTES(TOKEN_KEY "\xa2\xd1\x8f")),
    NO_TOKEN_TEXT("a token in lists, 100,000 deep", REPEATED(TOKEN_KEY, "\x91", 100000, "\x01")),
    NO_ID("an empty request_id", BYTES(ID_KEY "\xa0")),
    NO_ID("a request_id of 65 characters", REPEATED(ID_KEY "\xd9\x41", "r", 65, "")),
    NO_ID("a request_id of 60,000", REPEATED(ID_KEY "\xda\xea\x60", "r", 60000, "")),
    NO_ID("a request_id that is not ASCII", BYTES(ID_KEY "\xa2\xc3\xa9")),
    NO_ID("a request_id with a newline", BYTES(ID_KEY "\xa2r\n")),
    NO_ID("a request_id with a NUL", BYTES(ID_KEY "\xa2r\x00")),
    NO_ID("a request_id with a DEL", BYTES(ID_KEY "\xa2r\x7f")),
    NO_ID("a request_id that is not UTF-8", BYTES(ID_KEY "\xa1\xff")),
    NO_ID("nil for a request_id", BYTES(ID_KEY "\xc0")),
    NO_ID("an integer for a request_id", BYTES(ID_KEY "\x07")),
    NO_ID("bytes for a request_id", BYTES(ID_KEY "\xc4\x01r")),
    NO_ID("a map for a request_id", BYTES(ID_KEY "\x80")),
    NO_ID("an extension for a request_id", BYTES(ID_KEY "\xd8\0010123456789abcdef")),
    NO_TIMEOUT("a timeout of -1", BYTES(TIMEOUT_KEY "\xff")),
    NO_TIMEOUT("a timeout of 2^53", BYTES(TIMEOUT_KEY "\xcf\x00\x20\x00\x00\x00\x00\x00\x00")),
    NO_TIMEOUT("a timeout of 2^64-1", BYTES(TIMEOUT_KEY "\xcf\xff\xff\xff\xff\xff\xff\xff\xff")),
    NO_TIMEOUT("a timeout of -2^63", BYTES(TIMEOUT_KEY "\xd3\x80\x00\x00\x00\x00\x00\x00\x00")),
    NO_TIMEOUT("a text for a timeout", BYTES(TIMEOUT_KEY "\2411")),
    NO_TIMEOUT("a float for a timeout", BYTES(TIMEOUT_KEY "\xca\x3f\x80\x00\x00")),
    NO_TIMEOUT("true for a timeout", BYTES(TIMEOUT_KEY "\xc3")),
    NO_TIMEOUT("nil for a timeout", BYTES(TIMEOUT_KEY "\xc0")),
    NO_PARENT("an empty traceparent", BYTES(PARENT_KEY "\xa0")),
    NO_PARENT("a traceparent of 257 characters", REPEATED(PARENT_KEY "\xda\x01\x01", "0", 257, "")),
    NO_PARENT("a traceparent that is not ASCII", BYTES(PARENT_KEY "\xa2\xd1\x8f")),
    NO_PARENT("an integer for a traceparent", BYTES(PARENT_KEY "\x00")),
    NO_CLIENT("an empty client", BYTES(CLIENT_KEY "\xa0")),
    NO_CLIENT("a client of 65 characters", REPEATED(CLIENT_KEY "\xd9\x41", "c", 65, "")),
    NO_CLIENT("a client with a newline", BYTES(CLIENT_KEY "\242c\n")),
    NO_CLIENT("a client that is not ASCII", BYTES(CLIENT_KEY "\xa2\xd1\x8f")),
    NO_CLIENT("a list for a client", BYTES(CLIENT_KEY "\x91\241c")),
};

const struct bad_table bad_meta = BAD_TABLE("meta", meta);
