/* Sends messages to an SMTP server, through libcurl.
 *
 * Invariants: a message is said to be sent exactly where the server answered its end with 2xx; it
 * is never sent twice by one call; credentials go over checked TLS only, and nothing goes in clear
 * once TLS was begun or is required. */
#ifndef MAIL_SMTP_H
#define MAIL_SMTP_H

#include <stdatomic.h>
#include <stddef.h>

#define MAIL_TIMEOUT_S 60
#define MAIL_CONNECT_TIMEOUT_S 10
#define MAIL_WORDS_SIZE 256u

/* With user or ca_file TLS is required, else it is used where the server offers STARTTLS;
 * certificates and host names are checked either way. */
struct mail_settings {
    const char *url;       /* smtp://HOST[:PORT] or smtps://HOST[:PORT] */
    const char *user;      /* NULL or empty: no AUTH */
    const char *password;  /* NULL: empty */
    const char *ca_file;   /* trusted instead of the system's; NULL or empty: the system's */
    int timeout_s;         /* that one message may take; 0: MAIL_TIMEOUT_S */
    int connect_timeout_s; /* up to the first command for a message; 0: MAIL_CONNECT_TIMEOUT_S */
};

enum mail_outcome {
    MAIL_SENT,      /* the server has taken it over */
    MAIL_TEMPORARY, /* worth another try: 4xx, no answer, or what only the operator can mend */
    MAIL_PERMANENT, /* the server refused this message for good */
    MAIL_STOPPED    /* *stopping was set before the server decided */
};

struct mail_result {
    enum mail_outcome outcome;
    int response_code; /* of the reply that decided; 0 where none did */
    /* That reply, its lines joined to one; or why there was none. One line of valid UTF-8. */
    char words[MAIL_WORDS_SIZE];
};

/* A server with its settings (copied), and the connection to it, kept between messages. For one
 * thread at a time. */
struct mail_session;

/* NULL when out of memory. */
struct mail_session *mail_session_new(const struct mail_settings *settings);
/* NULL-safe, sets *self to NULL. An open connection is closed without waiting for the server. */
void mail_session_free(struct mail_session **self);

/* The calling thread's own session with these settings, made anew where they are others than last
 * time; it is freed at the thread's end. NULL when out of memory. */
struct mail_session *mail_session_of_thread(const struct mail_settings *settings);

/* Sends one message (mail_letter_render's) from one address to another. An address that is not
 * mail_address_valid is not sent: MAIL_PERMANENT for the recipient's, MAIL_TEMPORARY for the
 * sender's, which is the operator's. Ends within a second once *stopping (may be NULL) is set:
 * MAIL_STOPPED. */
void mail_session_send(struct mail_session *self, const char *from, const char *to,
                       const void *message, size_t size, const atomic_bool *stopping,
                       struct mail_result *result);

#endif
