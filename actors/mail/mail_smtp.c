/* Sends messages to an SMTP server; see mail_smtp.h. */
#include "mail/mail_smtp.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "mail/mail_letter.h"
#include "mail/mail_reply.h"

#define SOCKETS_MAX 8u /* open at once: one, or one for each address tried */

struct mail_session {
    char *url, *user, *password, *ca_file; /* the last three may be empty */
    int timeout_s, connect_timeout_s;
    CURL *curl;
    int sockets[SOCKETS_MAX]; /* -1: none */
    char fault[CURL_ERROR_SIZE];
    /* Of the message that is being sent. */
    struct mail_reply reply;
    const uint8_t *message;
    size_t size, at;
    const atomic_bool *stopping;
};

static once_flag once = ONCE_FLAG_INIT;
static bool is_ready;
static tss_t thread_session;

static void free_thread_session(void *value)
{
    struct mail_session *session = value;

    mail_session_free(&session);
}

static void start(void)
{
    is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
               tss_create(&thread_session, free_thread_session) == thrd_success;
}

static const char *or_empty(const char *string)
{
    return string != NULL ? string : "";
}

struct mail_session *mail_session_new(const struct mail_settings *settings)
{
    call_once(&once, start);
    struct mail_session *self = is_ready ? calloc(1, sizeof *self) : NULL;

    if (self == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        self->sockets[i] = -1;
    }
    self->url = strdup(or_empty(settings->url));
    self->user = strdup(or_empty(settings->user));
    self->password = strdup(or_empty(settings->password));
    self->ca_file = strdup(or_empty(settings->ca_file));
    self->timeout_s = settings->timeout_s > 0 ? settings->timeout_s : MAIL_TIMEOUT_S;
    self->connect_timeout_s =
        settings->connect_timeout_s > 0 ? settings->connect_timeout_s : MAIL_CONNECT_TIMEOUT_S;
    self->curl = curl_easy_init();
    if (self->url == NULL || self->user == NULL || self->password == NULL ||
        self->ca_file == NULL || self->curl == NULL) {
        mail_session_free(&self);
    }
    return self;
}

/* A server may take long to answer QUIT, or never do; nothing depends on it. */
static void shut_sockets(const struct mail_session *self)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        if (self->sockets[i] >= 0) {
            shutdown(self->sockets[i], SHUT_RDWR);
        }
    }
}

void mail_session_free(struct mail_session **self)
{
    struct mail_session *session = *self;

    if (session == NULL) {
        return;
    }
    shut_sockets(session);
    curl_easy_cleanup(session->curl); /* calls close_socket */
    if (session->password != NULL) {
        sodium_memzero(session->password, strlen(session->password));
    }
    free(session->url);
    free(session->user);
    free(session->password);
    free(session->ca_file);
    free(session);
    *self = NULL;
}

static bool has_settings(const struct mail_session *self, const struct mail_settings *settings)
{
    return strcmp(self->url, or_empty(settings->url)) == 0 &&
           strcmp(self->user, or_empty(settings->user)) == 0 &&
           strcmp(self->password, or_empty(settings->password)) == 0 &&
           strcmp(self->ca_file, or_empty(settings->ca_file)) == 0 &&
           self->timeout_s == (settings->timeout_s > 0 ? settings->timeout_s : MAIL_TIMEOUT_S) &&
           self->connect_timeout_s == (settings->connect_timeout_s > 0 ? settings->connect_timeout_s
                                                                       : MAIL_CONNECT_TIMEOUT_S);
}

struct mail_session *mail_session_of_thread(const struct mail_settings *settings)
{
    call_once(&once, start);
    struct mail_session *session = is_ready ? tss_get(thread_session) : NULL;

    if (!is_ready || (session != NULL && has_settings(session, settings))) {
        return session;
    }
    mail_session_free(&session);
    session = mail_session_new(settings);
    if (tss_set(thread_session, session) != thrd_success) {
        mail_session_free(&session);
        tss_set(thread_session, NULL);
    }
    return session;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct mail_session *self = context;
    const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)purpose;
    for (size_t i = 0; fd >= 0 && i < SOCKETS_MAX; i++) {
        if (self->sockets[i] < 0) {
            self->sockets[i] = fd;
            break;
        }
    }
    return fd;
}

static int close_socket(void *context, curl_socket_t fd)
{
    struct mail_session *self = context;

    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        if (self->sockets[i] == fd) {
            self->sockets[i] = -1;
        }
    }
    return close(fd);
}

static size_t read_message(char *out, size_t unit, size_t count, void *context)
{
    struct mail_session *self = context;
    const size_t left = self->size - self->at;
    const size_t size = left < unit * count ? left : unit * count;

    memcpy(out, self->message + self->at, size);
    self->at += size;
    return size;
}

static size_t take_line(char *line, size_t unit, size_t count, void *context)
{
    struct mail_session *self = context;

    mail_reply_line(&self->reply, line, unit * count);
    return unit * count;
}

/* What curl sends, AUTH's secrets included, comes by here: it is looked at and forgotten. */
static int take_trace(CURL *curl, curl_infotype type, char *data, size_t size, void *context)
{
    struct mail_session *self = context;

    (void)curl;
    if (type != CURLINFO_HEADER_OUT) {
        return 0;
    }
    mail_reply_command(&self->reply, data, size);
    if (size >= 4 && memcmp(data, "QUIT", 4) == 0) {
        shut_sockets(self); /* after what was written */
    }
    return 0;
}

static bool is_stopping(const struct mail_session *self)
{
    return self->stopping != NULL && atomic_load(self->stopping);
}

static int look_at_stopping(void *context, curl_off_t download_size, curl_off_t downloaded,
                            curl_off_t upload_size, curl_off_t uploaded)
{
    (void)download_size, (void)downloaded, (void)upload_size, (void)uploaded;
    return is_stopping(context) ? 1 : 0;
}

static int set_callbacks(struct mail_session *self)
{
    CURL *curl = self->curl;
    int bad = 0;

    bad |= curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    bad |= curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, self);
    bad |= curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    bad |= curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, self);
    bad |= curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_message);
    bad |= curl_easy_setopt(curl, CURLOPT_READDATA, self);
    bad |= curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_line);
    bad |= curl_easy_setopt(curl, CURLOPT_HEADERDATA, self);
    bad |= curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_at_stopping);
    bad |= curl_easy_setopt(curl, CURLOPT_XFERINFODATA, self);
    bad |= curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    bad |= curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, take_trace);
    bad |= curl_easy_setopt(curl, CURLOPT_DEBUGDATA, self);
    bad |= curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    bad |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, self->fault);
    return bad;
}

static int set_security(struct mail_session *self)
{
    const bool has_user = self->user[0] != '\0', has_ca = self->ca_file[0] != '\0';
    CURL *curl = self->curl;
    int bad = 0;

    bad |= curl_easy_setopt(curl, CURLOPT_USE_SSL,
                            has_user || has_ca ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
    bad |= curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    bad |= curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    bad |= curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    /* In the URL they would go to any server, in clear too. */
    bad |= curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    if (has_ca) {
        bad |= curl_easy_setopt(curl, CURLOPT_CAINFO, self->ca_file);
        bad |= curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
        /* Read for every connection: an operator who mends the file need not start us again. */
        bad |= curl_easy_setopt(curl, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    }
    if (has_user) {
        bad |= curl_easy_setopt(curl, CURLOPT_USERNAME, self->user);
        bad |= curl_easy_setopt(curl, CURLOPT_PASSWORD, self->password);
        bad |= curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
    }
    return bad;
}

static int set_transfer(struct mail_session *self, const char *from,
                        const struct curl_slist *recipients, int64_t timeout_ms, bool anew)
{
    CURL *curl = self->curl;
    int bad = 0;

    bad |= curl_easy_setopt(curl, CURLOPT_URL, self->url);
    bad |= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    bad |= curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* none of the environment's either */
    bad |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* wait for no name server at the end */
    bad |= curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L);
    bad |= curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, anew ? 1L : 0L);
    bad |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)self->connect_timeout_s);
    bad |= curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    bad |= curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)self->timeout_s);
    bad |= curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    bad |= curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)self->timeout_s);
    bad |= curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
    bad |= curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    bad |= curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    bad |= curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)self->size);
    return bad;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static CURLcode transfer(struct mail_session *self, const char *from, const char *to,
                         int64_t timeout_ms, bool anew)
{
    struct curl_slist *recipients = curl_slist_append(NULL, to);
    CURLcode code = CURLE_OUT_OF_MEMORY;

    self->reply = (struct mail_reply){0};
    self->at = 0;
    self->fault[0] = '\0';
    curl_easy_reset(self->curl); /* keeps the connection */
    if (recipients != NULL && set_callbacks(self) == 0 && set_security(self) == 0 &&
        set_transfer(self, from, recipients, timeout_ms, anew) == 0) {
        code = curl_easy_perform(self->curl);
    }
    curl_slist_free_all(recipients);
    return code;
}

/* Whether a kept connection turned out to be closed: the server answered nothing to the first
 * command, or that it closes (421). It has got nothing of the message, so a second try sends
 * nothing twice. */
static bool was_stale(const struct mail_session *self, CURLcode code)
{
    long connects = 1;

    if (code == CURLE_OK || code == CURLE_OPERATION_TIMEDOUT || code == CURLE_ABORTED_BY_CALLBACK ||
        curl_easy_getinfo(self->curl, CURLINFO_NUM_CONNECTS, &connects) != CURLE_OK ||
        connects != 0) {
        return false;
    }
    return self->reply.count == 0 || (self->reply.count == 1 && self->reply.code == 421);
}

static const char *fault_words(const struct mail_session *self, CURLcode code)
{
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        return "stopped";
    }
    return self->fault[0] != '\0' ? self->fault : curl_easy_strerror(code);
}

void mail_session_send(struct mail_session *self, const char *from, const char *to,
                       const void *message, size_t size, const atomic_bool *stopping,
                       struct mail_result *result)
{
    *result = (struct mail_result){.outcome = MAIL_TEMPORARY};
    if (!mail_address_valid(ates_text_from(from))) {
        strcpy(result->words, "the sender's address cannot be written into a command");
        return;
    }
    if (!mail_address_valid(ates_text_from(to))) {
        result->outcome = MAIL_PERMANENT;
        strcpy(result->words, "the recipient's address cannot be written into a command");
        return;
    }
    self->message = message;
    self->size = size;
    self->stopping = stopping;
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    self->reply = (struct mail_reply){0};
    if (!is_stopping(self)) {
        const int64_t timeout_ms = self->timeout_s * INT64_C(1000), begun_ms = now_ms();

        code = transfer(self, from, to, timeout_ms, false);
        const int64_t left_ms = timeout_ms - (now_ms() - begun_ms);
        if (left_ms > 0 && was_stale(self, code)) {
            code = transfer(self, from, to, left_ms, true);
        }
    }
    mail_reply_judge(&self->reply, fault_words(self, code), result);
    if (code == CURLE_ABORTED_BY_CALLBACK && result->response_code == 0) {
        result->outcome = MAIL_STOPPED;
    }
    self->message = NULL;
    self->stopping = NULL;
}
