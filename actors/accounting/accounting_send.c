/* One attempt to send a mail; see accounting_send.h. */
#include "accounting/accounting_send.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "accounting/accounting_letter.h"
#include "core/engine.h"
#include "core/file.h"
#include "mail/mail_letter.h"
#include "mail/mail_outbox.h"

#define FROM_NAME "aTES"
#define ID_DOMAIN_MAX 150u /* bytes with its @, so that an id has room before it */

/* Outlives every attempt: the workers end before the domain is closed. */
struct sending {
    const struct ates_config *config;
    struct mail_settings settings;
    char password[256];
    char outbox[sizeof((struct ates_config *)NULL)->data_dir + 32];
};

struct send_input {
    const struct sending *sending;
    char from[MAIL_ADDRESS_MAX + 1];
    char to[MAIL_ADDRESS_MAX + 1];
    char name[64]; /* of the file */
    size_t size;
    uint8_t message[];
};

static void write_file(const struct send_input *input, struct mail_result *result)
{
    const int r =
        mail_outbox_write(input->sending->outbox, input->name, input->message, input->size);

    result->outcome = r == 0 ? MAIL_SENT : MAIL_TEMPORARY;
    if (r != 0) {
        snprintf(result->words, sizeof result->words, "%s: %s", input->name, strerror(-r));
    }
}

static void run(const void *work_input, void *output, const atomic_bool *stopping)
{
    const struct send_input *input = work_input;
    struct mail_result *result = output;

    if (input->sending->settings.url[0] == '\0') {
        write_file(input, result);
        return;
    }
    struct mail_session *session = mail_session_of_thread(&input->sending->settings);
    if (session == NULL) {
        result->outcome = MAIL_TEMPORARY;
        snprintf(result->words, sizeof result->words, "out of memory");
        return;
    }
    mail_session_send(session, input->from, input->to, input->message, input->size, stopping,
                      result);
}

const struct ates_work accounting_send_work = {
    .name = "send_mail", .run = run, .output_size = sizeof(struct mail_result)};

/* Its first line. */
static int read_password(const char *path, char *password, size_t size, char *error,
                         size_t error_size)
{
    const int fd = ates_file_open_setting("smtp/password_file", path, error, error_size);
    struct stat status;
    ssize_t got;

    if (fd < 0) {
        return fd;
    }
    if (fstat(fd, &status) != 0) {
        const int r = -errno;

        snprintf(error, error_size, "smtp/password_file: %s: %s", path, strerror(-r));
        close(fd);
        return r;
    }
    if ((status.st_mode & 077) != 0) {
        snprintf(error, error_size,
                 "smtp/password_file: %s: others may read it; it should have mode 0600", path);
        close(fd);
        return -EPERM;
    }
    got = read(fd, password, size - 1);
    close(fd);
    password[got > 0 ? got : 0] = '\0';
    password[strcspn(password, "\r\n")] = '\0';
    if (password[0] == '\0' || (size_t)got == size - 1) {
        snprintf(error, error_size,
                 "smtp/password_file: %s: a password of 1 to %zu bytes is expected", path,
                 size - 2);
        return -EINVAL;
    }
    return 0;
}

static int check_ca_file(const char *path, char *error, size_t error_size)
{
    const int fd = ates_file_open_setting("smtp/ca_file", path, error, error_size);

    if (fd < 0) {
        return fd;
    }
    close(fd);
    return 0;
}

int accounting_send_open(const struct ates_config *config, void **memory, char *error,
                         size_t error_size)
{
    struct sending *self = calloc(1, sizeof *self);
    int r = 0;

    if (self == NULL) {
        return -ENOMEM;
    }
    self->config = config;
    snprintf(self->outbox, sizeof self->outbox, "%s/accounting/mails", config->data_dir);
    self->settings = (struct mail_settings){.url = config->smtp_url,
                                            .user = config->smtp_user,
                                            .password = self->password,
                                            .ca_file = config->smtp_ca_file};
    if (!mail_address_valid(ates_text_from(config->smtp_from))) {
        snprintf(error, error_size, "smtp/from: no mail can carry the address \"%s\"",
                 config->smtp_from);
        r = -EINVAL;
    } else if ((config->smtp_user[0] != '\0') != (config->smtp_password_file[0] != '\0')) {
        snprintf(error, error_size, "smtp/user and smtp/password_file come together or not at all");
        r = -EINVAL;
    } else if (config->smtp_password_file[0] != '\0') {
        r = read_password(config->smtp_password_file, self->password, sizeof self->password, error,
                          error_size);
    }
    if (r == 0 && config->smtp_ca_file[0] != '\0') {
        r = check_ca_file(config->smtp_ca_file, error, error_size);
    }
    *memory = self;
    if (r != 0) {
        accounting_send_close(memory);
    }
    return r;
}

void accounting_send_close(void **memory)
{
    struct sending *self = *memory;

    sodium_memzero(self->password, sizeof self->password);
    free(self);
    *memory = NULL;
}

/* The sender's, with its @, where an id can hold it: an address may be longer, and in any script. */
static const char *id_domain(const struct ates_config *config)
{
    static const char other[] = "@localhost";
    const char *domain = strchr(config->smtp_from, '@');
    size_t size = 0;

    if (domain == NULL) {
        return other;
    }
    while (domain[size] > ' ' && domain[size] <= '~') {
        size++;
    }
    return domain[size] == '\0' && size <= ID_DOMAIN_MAX ? domain : other;
}

/* The same for every attempt, and like no other's: a server that takes a mail twice, as its answer
 * was lost, can tell. */
static struct ates_text message_id(struct ates_call *call, const struct accounting_mail_row *mail)
{
    char *id = ates_arena_alloc(call->arena, MAIL_ADDRESS_MAX + 1);
    const int size =
        snprintf(id, MAIL_ADDRESS_MAX + 1, "payout.%.*s.%" PRIu64 ".%s%s",
                 (int)mail->business_date.size, mail->business_date.data, mail->user_id,
                 ates_log_id(ates_engine_log(call->engine)), id_domain(call->config));

    return (struct ates_text){id, (size_t)size};
}

static int render(struct ates_call *call, const struct accounting_mail_row *mail,
                  struct ates_buffer *out)
{
    struct accounting_letter letter;

    int r = accounting_letter_write(call, mail, &letter);
    if (r != 0) {
        return r;
    }
    const struct mail_letter message = {
        .from = ates_text_from(call->config->smtp_from),
        .from_name = ates_text_from(FROM_NAME),
        .to = mail->to,
        .to_name = letter.to_name,
        .subject = letter.subject,
        .message_id = message_id(call, mail),
        .date_ms = mail->created_at,
        .text = letter.text,
        .html = letter.html,
    };
    return mail_letter_render(&message, out);
}

int accounting_send(struct ates_call *call, const struct accounting_mail_row *mail)
{
    struct ates_buffer message = {0};

    int r = mail->to.size <= MAIL_ADDRESS_MAX ? render(call, mail, &message) : -EINVAL;
    if (r != 0) {
        ates_buffer_release(&message);
        return r;
    }
    const size_t size = sizeof(struct send_input) + message.size;
    struct send_input *input = ates_arena_alloc(call->arena, size);
    input->sending = call->domain;
    snprintf(input->from, sizeof input->from, "%s", call->config->smtp_from);
    memcpy(input->to, mail->to.data, mail->to.size);
    snprintf(input->name, sizeof input->name, "%.*s-%" PRIu64, (int)mail->business_date.size,
             mail->business_date.data, mail->user_id);
    input->size = message.size;
    memcpy(input->message, message.data, message.size);
    ates_buffer_release(&message);
    ates_begin(call, &accounting_send_work, mail->id, input, size);
    return 0;
}
