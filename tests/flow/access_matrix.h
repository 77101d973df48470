/* Who may do what, transcribed from PROTOCOL.md section 7 by hand. Invariant: it is derived from no
 * table of the services, so that a wrong entry there shows. */
#ifndef ATES_ACCESS_MATRIX_H
#define ATES_ACCESS_MATRIX_H

#include <ates/service.h>

enum caller {
    BY_NOBODY,
    BY_ADMINISTRATOR,
    BY_MANAGER,
    BY_DEVELOPER,
    BY_BOSS,
    BY_ACCOUNTANT,
    BY_INTERNALSERVICE, /* a user with this role */
    BY_OTHER,
    BY_SERVICE, /* a service itself, by a token of its own */
    CALLERS
};

/* Whose thing the command is about. */
enum ownership {
    OF_NOBODY,
    OF_SELF,       /* user_id is left out */
    OF_SELF_NAMED, /* user_id is the caller's */
    OF_ANOTHER,    /* user_id is somebody else's */
    TASK_ASSIGNED, /* to the caller, created by somebody else */
    TASK_FINISHED, /* the same, and completed already */
    TASK_CREATED,  /* by the caller, assigned to somebody else */
    TASK_OF_OTHERS
};

enum outcome {
    YES,
    TOKEN,       /* UNAUTHENTICATED / TOKEN_MISSING */
    ROLE,        /* PERMISSION_DENIED / ROLE_NOT_ALLOWED */
    NOT_OTHERS,  /* the same, field user_id */
    NOT_AS,      /* the same, field role */
    NO_ASSIGNEE, /* PERMISSION_DENIED / NOT_ASSIGNEE */
    NOT_YOURS,   /* PERMISSION_DENIED / NOT_YOUR_TASK */
    NO_USER,     /* NOT_FOUND / USER_UNKNOWN: a service is no user */
    NO_SESSION,  /* FAILED_PRECONDITION / NO_SESSION: nor has it one */
    FINISHED,    /* FAILED_PRECONDITION / ALREADY_FINISHED */
    NO_MAIL,     /* NOT_FOUND / MAIL_UNKNOWN */
    UNBOOKED,    /* FAILED_PRECONDITION / NO_TRANSFERS, field business_date */
    NOT_DEAD,    /* NOT_FOUND / DEAD_LETTER_UNKNOWN, field seq */
    UNCUT,       /* FAILED_PRECONDITION / NOT_COMPACTED: no log here was */
    NEVER /* it cannot come about: no task is assigned to this role, and a service is no user */
};

struct access_row {
    const struct ates_service *service;
    const char *command;
    enum ownership ownership;
    const char *fields; /* of the body, separated by spaces */
    enum outcome outcomes[CALLERS];
    enum ates_role role; /* in the body */
    bool spoils;         /* whoever it is about is of no further use where it is done */
    bool signs_in;       /* the caller needs a session */
};

extern const struct access_row access_matrix[];
extern const size_t access_matrix_rows;

#endif
