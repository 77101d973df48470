/* Bodies of auth's commands with a field that may not be so; see bad_input.h. */
#include "flow/bad_input.h"

#define GOOD_LOGIN "\xa5popug"
#define GOOD_EMAIL "\xa5p@x.y"
#define GOOD_PASSWORD "\xa8longword"
#define GOOD_ROLE "\251developer"

#define EMAIL_KEY "\245email"
#define AFTER_LOGIN EMAIL_KEY GOOD_EMAIL AFTER_EMAIL
#define AFTER_EMAIL "\xa8password" GOOD_PASSWORD AFTER_PASSWORD
#define AFTER_PASSWORD "\xa4role" GOOD_ROLE
#define LOGIN_KEY "\x84\xa5login"
#define BEFORE_EMAIL LOGIN_KEY GOOD_LOGIN EMAIL_KEY
#define BEFORE_PASSWORD BEFORE_EMAIL GOOD_EMAIL "\xa8password"
#define BEFORE_ROLE BEFORE_PASSWORD GOOD_PASSWORD "\xa4role"

#define REGISTER(WHAT, FIELD, ...)                                                                 \
    BODY(AUTH, "register_user", WHAT, "FIELD_INVALID", FIELD, __VA_ARGS__)
#define LOGIN(WHAT, VALUE) REGISTER(WHAT, "login", BYTES(LOGIN_KEY VALUE AFTER_LOGIN))
#define EMAIL(WHAT, VALUE) REGISTER(WHAT, "email", BYTES(BEFORE_EMAIL VALUE AFTER_EMAIL))
#define PASSWORD(WHAT, VALUE)                                                                      \
    REGISTER(WHAT, "password", BYTES(BEFORE_PASSWORD VALUE AFTER_PASSWORD))
#define ROLE(WHAT, VALUE) REGISTER(WHAT, "role", BYTES(BEFORE_ROLE VALUE))
#define MISSING(COMMAND, FIELD, ...)                                                               \
    BODY(AUTH, COMMAND, "no " FIELD, "FIELD_MISSING", FIELD, __VA_ARGS__)
#define USER_ID(COMMAND, WHAT, VALUE)                                                              \
    BODY(AUTH, COMMAND, WHAT, "FIELD_INVALID", "user_id", BYTES("\x81\xa7user_id" VALUE))
#define LIST(WHAT, FIELD, VALUE)                                                                   \
    BODY(AUTH, "show_all_users", WHAT, "FIELD_INVALID", FIELD, BYTES("\x81" VALUE))
#define IDS(WHAT, FIELD, VALUE)                                                                    \
    BODY(AUTH, "show_logins", WHAT, "FIELD_INVALID", FIELD, BYTES("\x81\xa8user_ids" VALUE))
#define PREFIX(WHAT, VALUE)                                                                        \
    BODY(AUTH, "find_logins", WHAT, "FIELD_INVALID", "prefix", BYTES("\x81\246prefix" VALUE))
#define AFTER(WHAT, VALUE)                                                                         \
    SIGNED_BODY(AUTH, "show_all_users", WHAT, "FIELD_INVALID", "after",                            \
                BYTES("\x81\245after" VALUE))

static const struct bad_input fields[] = {
    MISSING("register_user", "login", BYTES("\x83" AFTER_LOGIN)),
    MISSING("register_user", "email", BYTES("\x83\xa5login" GOOD_LOGIN AFTER_EMAIL)),
    MISSING("register_user", "password",
            BYTES("\x83\xa5login" GOOD_LOGIN EMAIL_KEY GOOD_EMAIL AFTER_PASSWORD)),
    MISSING("register_user", "role",
            BYTES("\x83\xa5login" GOOD_LOGIN EMAIL_KEY GOOD_EMAIL "\xa8password" GOOD_PASSWORD)),
    BODY(AUTH, "register_user", "a login twice", "FIELD_DUPLICATE", "login",
         BYTES("\x85\xa5login" GOOD_LOGIN "\xa5login" GOOD_LOGIN AFTER_LOGIN)),
    BODY(AUTH, "register_user", "a field more", "FIELD_UNKNOWN", "is_admin",
         BYTES("\x85\xa5login" GOOD_LOGIN AFTER_LOGIN "\xa8is_admin\xc3")),
    LOGIN("an empty login", "\xa0"),
    REGISTER("a login of 65 characters", "login",
             REPEATED(LOGIN_KEY "\xd9\x41", "a", 65, AFTER_LOGIN)),
    REGISTER("a login of 200,000", "login",
             REPEATED(LOGIN_KEY "\xdb\x00\x03\x0d\x40", "a", 200000, AFTER_LOGIN)),
    LOGIN("a login with a space", "\243a b"),
    LOGIN("a login with an umlaut", "\xa2\xc3\xa4"),
    LOGIN("a login in another script", "\xa2\xd0\xb0"),
    LOGIN("a login with a slash", "\243a/b"),
    LOGIN("a login with an @", "\243a@b"),
    LOGIN("a login with a NUL", "\243a\000b"),
    LOGIN("a login with a newline", "\242a\n"),
    LOGIN("a login that is not UTF-8", "\242a\xff"),
    LOGIN("an integer for a login", "\x01"),
    LOGIN("nil for a login", "\xc0"),
    LOGIN("bytes for a login", "\xc4\001a"),
    EMAIL("an empty email", "\xa0"),
    EMAIL("an email without @", "\xa5"
                                "p.x.y"),
    EMAIL("an email with nothing before @", "\xa4@x.y"),
    EMAIL("an email with nothing behind @", "\xa4pop@"),
    EMAIL("an email with two @", "\xa5p@x@y"),
    EMAIL("an email with a space", "\xa5p @xy"),
    EMAIL("an email that ends a line", "\xa6p@x.y\n"),
    EMAIL("an email with a header", "\xaep@x.y\r\nBcc: a@b"),
    EMAIL("an email with a C1 control", "\xa5p@x\xc2\x85"),
    EMAIL("an email that is not UTF-8", "\xa6p@x.\xd1"
                                        "y"),
    EMAIL("an integer for an email", "\x01"),
    EMAIL("nil for an email", "\xc0"),
    REGISTER("an email of 255 bytes", "email",
             REPEATED(BEFORE_EMAIL "\xd9\xffp@", "x", 253, AFTER_EMAIL)),
    PASSWORD("an empty password", "\xa0"),
    PASSWORD("a password of 7 characters", "\xa7shortpw"),
    PASSWORD("a password of 7 characters in 14 bytes",
             "\xae\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f\xd1\x8f"),
    REGISTER("a password of 257 characters", "password",
             REPEATED(BEFORE_PASSWORD "\xda\x01\x01", "p", 257, AFTER_PASSWORD)),
    REGISTER("a password of 200,000", "password",
             REPEATED(BEFORE_PASSWORD "\xdb\x00\x03\x0d\x40", "p", 200000, AFTER_PASSWORD)),
    PASSWORD("a password with a NUL", "\xa9longword\x00"),
    PASSWORD("a password that is not UTF-8", "\xa9longword\xfe"),
    PASSWORD("bytes for a password", "\xc4\x08longword"),
    PASSWORD("an integer for a password", "\xce\x05\xf5\xe1\x00"),
    ROLE("an empty role", "\xa0"),
    ROLE("a role that there is not", "\xa4root"),
    ROLE("a role in capitals", "\251Developer"),
    ROLE("a role and a space", "\252developer "),
    ROLE("a role and a NUL", "\252developer\x00"),
    ROLE("a part of a role", "\243dev"),
    ROLE("a role that is not UTF-8", "\xa1\xff"),
    ROLE("a role's number", "\x02"),
    ROLE("nil for a role", "\xc0"),
    ROLE("a list of a role", "\x91\251developer"),

    MISSING("auth_user", "login", BYTES("\x81\xa8password" GOOD_PASSWORD)),
    MISSING("auth_user", "password", BYTES("\x81\xa5login" GOOD_LOGIN)),
    BODY(AUTH, "auth_user", "an empty login", "FIELD_INVALID", "login",
         BYTES("\x82\xa5login\xa0\xa8password" GOOD_PASSWORD)),
    BODY(AUTH, "auth_user", "a login with a quote", "FIELD_INVALID", "login",
         BYTES("\x82\xa5login\xa8' OR 1=1\xa8password" GOOD_PASSWORD)),
    BODY(AUTH, "auth_user", "an empty password", "FIELD_INVALID", "password",
         BYTES("\x82\xa5login" GOOD_LOGIN "\xa8password\xa0")),
    BODY(AUTH, "auth_user", "a password of 257 characters", "FIELD_INVALID", "password",
         REPEATED("\x82\xa5login" GOOD_LOGIN "\xa8password\xda\x01\x01", "p", 257, "")),
    BODY(AUTH, "auth_user", "a map for a password", "FIELD_INVALID", "password",
         BYTES("\x82\xa5login" GOOD_LOGIN "\xa8password\x81\xa3$ne\xc0")),
    BODY(AUTH, "renew_token", "a field where none is", "FIELD_UNKNOWN", "user_id",
         BYTES("\x81\xa7user_id\x01")),
    USER_ID("revoke_sessions", "user 0", "\x00"),
    USER_ID("revoke_sessions", "user -1", "\xff"),
    USER_ID("revoke_sessions", "user nil", "\xc0"),
    USER_ID("revoke_sessions", "user 2^53", "\xcf\x00\x20\x00\x00\x00\x00\x00\x00"),
    MISSING("change_password", "old_password", BYTES("\x81\xacnew_password" GOOD_PASSWORD)),
    MISSING("change_password", "new_password", BYTES("\x81\xacold_password" GOOD_PASSWORD)),
    BODY(AUTH, "change_password", "an empty old password", "FIELD_INVALID", "old_password",
         BYTES("\x82\xacold_password\xa0\xacnew_password" GOOD_PASSWORD)),
    BODY(AUTH, "change_password", "a short new password", "FIELD_INVALID", "new_password",
         BYTES("\x82\xacold_password" GOOD_PASSWORD "\xacnew_password\xa7shortpw")),
    MISSING("reset_password", "user_id", BYTES("\x81\xacnew_password" GOOD_PASSWORD)),
    MISSING("reset_password", "new_password", BYTES("\x81\xa7user_id\x01")),
    BODY(AUTH, "reset_password", "user 0", "FIELD_INVALID", "user_id",
         BYTES("\x82\xa7user_id\x00\xacnew_password" GOOD_PASSWORD)),
    BODY(AUTH, "reset_password", "a short new password", "FIELD_INVALID", "new_password",
         BYTES("\x82\xa7user_id\x01\xacnew_password\xa7shortpw")),
    MISSING("change_role", "user_id", BYTES("\x81\xa4role" GOOD_ROLE)),
    MISSING("change_role", "role", BYTES("\x81\xa7user_id\x01")),
    BODY(AUTH, "change_role", "a role that there is not", "FIELD_INVALID", "role",
         BYTES("\x82\xa7user_id\x01\xa4role\xa4root")),
    BODY(AUTH, "change_role", "true for a role", "FIELD_INVALID", "role",
         BYTES("\x82\xa7user_id\x01\xa4role\xc3")),
    MISSING("disable_user", "user_id", BYTES("\x80")),
    USER_ID("disable_user", "user 0", "\x00"),
    USER_ID("disable_user", "a user's name", "\xa5user1"),
    USER_ID("disable_user", "a list of users", "\x91\x01"),
    MISSING("enable_user", "user_id", BYTES("\x80")),
    USER_ID("enable_user", "user 1.0", "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"),
    USER_ID("show_user", "user 0", "\x00"),
    USER_ID("show_user", "user true", "\xc3"),
    USER_ID("show_user", "user 2^64-1", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
    LIST("a role that there is not", "role", "\xa4role\xa4root"),
    LIST("nil for a role", "role", "\xa4role\xc0"),
    LIST("an empty query", "query", "\xa5query\xa0"),
    LIST("a query with a newline", "query", "\xa5query\243a\nb"),
    LIST("a query that is not UTF-8", "query", "\xa5query\xa2\xc1\xbf"),
    LIST("an integer for a query", "query", "\xa5query\x01"),
    BODY(AUTH, "show_all_users", "a query of 201 characters", "FIELD_INVALID", "query",
         REPEATED("\x81\xa5query\xd9\xc9", "q", 201, "")),
    LIST("an empty after", "after", "\245after\xa0"),
    LIST("an integer for after", "after", "\245after\x01"),
    BODY(AUTH, "show_all_users", "an after of 257 characters", "FIELD_INVALID", "after",
         REPEATED("\x81\245after\xda\x01\x01", "1", 257, "")),
    LIST("a limit of 0", "limit", "\xa5limit\x00"),
    LIST("a limit of 1001", "limit", "\xa5limit\xcd\x03\xe9"),
    LIST("a limit of -1", "limit", "\xa5limit\xff"),
    AFTER("an after of letters", "\xa1x"),
    AFTER("a negative after", "\xa2-1"),
    AFTER("an after with a plus", "\xa2+1"),
    AFTER("an after with a space", "\xa2 1"),
    AFTER("an after with letters behind", "\2421x"),
    AFTER("an after in hexadecimal", "\2440x10"),
    AFTER("an after of 17 digits", "\26112345678901234567"),
    AFTER("an after of another script's digits", "\xa3\xef\xbc\x91"),
    MISSING("show_logins", "user_ids", BYTES("\x80")),
    IDS("no users", "user_ids", "\x90"),
    IDS("a user that is no list", "user_ids", "\x01"),
    IDS("user -1", "user_ids[1]", "\x92\x01\xff"),
    IDS("user 2^53", "user_ids[0]", "\x91\xcf\x00\x20\x00\x00\x00\x00\x00\x00"),
    IDS("a user's name", "user_ids[0]", "\x91\xa5user1"),
    IDS("a list of users in the list", "user_ids[0]", "\x91\x91\x01"),
    BODY(AUTH, "show_logins", "101 users", "FIELD_INVALID", "user_ids",
         REPEATED("\x81\xa8user_ids\xdc\x00\x65", "\x01", 101, "")),
    MISSING("find_logins", "prefix", BYTES("\x80")),
    PREFIX("an empty prefix", "\xa0"),
    PREFIX("a prefix with a star", "\xa2u*"),
    PREFIX("a prefix of two words", "\xa3u v"),
    PREFIX("a prefix of another script", "\xa2\xd0\xbf"),
    PREFIX("a prefix that is a number", "\x01"),
    BODY(AUTH, "find_logins", "a prefix of 65 characters", "FIELD_INVALID", "prefix",
         REPEATED("\x81\246prefix\xd9\x41", "u", 65, "")),
};

const struct bad_table bad_auth_fields = BAD_TABLE("auth's fields", fields);
