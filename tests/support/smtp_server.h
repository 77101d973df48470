/* A real SMTP server for a test, whose behaviour is scripted: smtp_server.py, a process of its own
 * that ends with the test. Every function fails the test where anything goes wrong. */
#ifndef ATES_TEST_SMTP_SERVER_H
#define ATES_TEST_SMTP_SERVER_H

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

#include <ates/message.h>

#include "support/temp_folder.h"

struct smtp_server {
    pid_t pid;
    int port;
    char url[64];     /* smtp://127.0.0.1:PORT, or smtps: */
    char ca_file[96]; /* of the authority that signed its certificate */
    char folder[TEMP_FOLDER_SIZE];
    FILE *in, *out;
};

/* Starts it in a folder of its own, with smtp_server.py's options, NULL at the end (options itself
 * may be NULL). Another process may use the port; no test does after stop. */
void smtp_server_start(struct smtp_server *server, const char *const *options);
/* Ends it at once, and removes the folder. */
void smtp_server_stop(struct smtp_server *server);
/* Ends the process only, and starts it again on the same port with these options: messages and log
 * stay. */
void smtp_server_kill(struct smtp_server *server);
void smtp_server_restart(struct smtp_server *server, const char *const *options);

/* One line of the script (smtp_server.py says which there are), in force at return. */
__attribute__((format(printf, 2, 3))) void smtp_server_tell(struct smtp_server *server,
                                                            const char *format, ...);

/* The log's entries of one event ("connect", "command", "message", ...), oldest first: an array
 * that the caller releases. */
json_t *smtp_server_log(const struct smtp_server *server, const char *event);
size_t smtp_server_count(const struct smtp_server *server, const char *event);
/* How many messages came to this outcome. */
size_t smtp_server_count_outcome(const struct smtp_server *server, const char *outcome);
/* How often this command was sent. */
size_t smtp_server_count_command(const struct smtp_server *server, const char *verb);

/* The bytes of an accepted message, from 1; the caller releases them. */
struct ates_buffer smtp_server_message(const struct smtp_server *server, unsigned number);

#endif
