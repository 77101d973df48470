/* Attempts that are really made: into files, and to a server; and with which settings none are. */
#include "accounting/accounting_send.h"

#include <dirent.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounting/accounting_letter.h"
#include "mail/mail_letter.h"
#include "support/payout_fixture.h"
#include "support/smtp_server.h"

TestSuite(accounting_send, .init = open_payouts, .fini = close_payouts, .timeout = 120);

static void run_begun(void)
{
    struct ates_begun *begun;

    while ((begun = fixture_take_begun(&fixture)) != NULL) {
        fixture_run_begun(&fixture, begun);
        run_steps();
    }
}

static void pay_one(uint64_t user_id)
{
    fixture_register_user(&fixture, user_id, ATES_DEVELOPER);
    cr_assert_eq(
        create_task(FIXTURE_TIME, 50 + user_id, "Weigh <3 eggs> & \"count\" попугов", SINK), 0);
    cr_assert_eq(complete_task(FIXTURE_TIME, 50 + user_id, user_id), 0);
}

/* A file below the data folder's mails; its size, and its first bytes in data. */
static size_t read_mail(const char *name, char *data, size_t size)
{
    char path[200];

    snprintf(path, sizeof path, "%s/accounting/mails/%s", fixture.folder, name);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s: %s", path, strerror(errno));
    const size_t got = fread(data, 1, size - 1, file);
    fclose(file);
    data[got] = '\0';
    return got;
}

static size_t count_files(void)
{
    char path[200];
    size_t count = 0;

    snprintf(path, sizeof path, "%s/accounting/mails", fixture.folder);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return 0;
    }
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count - 2;
}

static struct ates_text domain_of_id = {"@localhost", 10};

/* What Python should read in the mail's file. */
static void write_wanted(uint64_t mail_id)
{
    const struct accounting_mail_row mail = mail_row(mail_id);
    struct ates_call call = {
        .txn = txn(), .arena = fixture.arena, .config = &fixture.config, .engine = fixture.engine};
    struct accounting_letter letter;
    char path[200], id[300];

    cr_assert_eq(accounting_letter_write(&call, &mail, &letter), 0);
    snprintf(id, sizeof id, "payout." TODAY ".%d.%s%.*s", (int)mail.user_id,
             ates_log_id(ates_engine_log(fixture.engine)), (int)domain_of_id.size,
             domain_of_id.data);
    json_t *wanted = json_pack(
        "{ss ss so ss ss so so so sI}", "from", fixture.config.smtp_from, "from_name", "aTES", "to",
        json_stringn(mail.to.data, mail.to.size), "to_name", "user5", "message_id", id, "subject",
        json_stringn(letter.subject.data, letter.subject.size), "text",
        json_stringn(letter.text.data, letter.text.size), "html",
        json_stringn(letter.html.data, letter.html.size), "date_ms", (json_int_t)FIXTURE_TIME);
    cr_assert_not_null(wanted);
    snprintf(path, sizeof path, "%s/accounting/mails/" TODAY "-%d.json", fixture.folder,
             (int)mail.user_id);
    cr_assert_eq(json_dump_file(wanted, path, 0), 0);
    json_decref(wanted);
}

static void python_agrees(void)
{
    char command[500];

    snprintf(command, sizeof command,
             "/usr/bin/python3 " ATES_SOURCE_ROOT
             "/tests/support/check_letter.py %s/accounting/mails >&2",
             fixture.folder);
    cr_expect_eq(system(command), 0, "Python reads something else (above)");
}

Test(accounting_send, without_a_server_mails_are_files_that_python_reads)
{
    pay_one(5);
    cr_assert_eq(pay(TODAY).paid_count, 1);
    fixture.now_ms += 1000;
    run_begun();
    cr_expect_eq(mail_row(1).state, ACCOUNTING_MAIL_SENT);
    cr_expect_eq(mail_row(1).attempts, 1);
    cr_expect_not(mail_row(1).has_last_error);
    cr_expect_eq(count_files(), 1);
    write_wanted(1);
    python_agrees();
    fixture_check_rebuild(&fixture);
}

Test(accounting_send, in_russian_python_reads_it_too)
{
    strcpy(fixture.config.mail_language, "ru");
    strcpy(fixture.config.smtp_from, "payouts+ates@uberpopug.example");
    domain_of_id = ates_text_from("@uberpopug.example");
    fixture_reopen(&fixture);
    pay_one(5);
    pay(TODAY);
    run_begun();
    write_wanted(1);
    python_agrees();
}

/* The sender's domain cannot stand in a Message-ID, or is too long for it. */
Test(accounting_send, an_id_needs_no_senders_domain)
{
    static char bytes[65536];

    pay_one(5);
    strcpy(fixture.config.smtp_from, "ates@попуг.рф");
    fixture_reopen(&fixture);
    pay(TODAY);
    run_begun();
    cr_expect_eq(mail_row(1).state, ACCOUNTING_MAIL_SENT);
    read_mail(TODAY "-5.eml", bytes, sizeof bytes);
    cr_expect_not_null(strstr(bytes, "@localhost>\r\n"));

    pay_one(6);
    memset(fixture.config.smtp_from, 'd', MAIL_ADDRESS_MAX);
    fixture.config.smtp_from[1] = '@';
    fixture_reopen(&fixture);
    fixture.now_ms += DAY_MS;
    pay(NULL);
    run_begun();
    cr_expect_eq(mail_row(2).state, ACCOUNTING_MAIL_SENT);
    read_mail("2023-11-16-6.eml", bytes, sizeof bytes);
    cr_expect_not_null(strstr(bytes, "@localhost>\r\n"));
}

/* The end of the first attempt is never told, as if the process had died after it. */
Test(accounting_send, every_attempt_sends_the_same_bytes)
{
    static char first[65536], second[65536];
    static const atomic_bool never = false;
    struct mail_result result = {.outcome = MAIL_PERMANENT};

    pay_one(5);
    pay(TODAY);
    struct ates_begun *begun = fixture_take_begun(&fixture);
    cr_assert_not_null(begun);
    begun->work->run(begun->input, &result, &never);
    cr_expect_eq(result.outcome, MAIL_SENT);
    const size_t size = read_mail(TODAY "-5.eml", first, sizeof first);
    char path[200];
    snprintf(path, sizeof path, "%s/accounting/mails/" TODAY "-5.eml", fixture.folder);
    cr_assert_eq(unlink(path), 0);
    fixture_check_rebuild(&fixture);
    earn(FIXTURE_TIME + 1, 5);
    fixture.now_ms += 2 * DAY_MS;
    run_steps();
    run_begun();
    cr_expect_eq(mail_row(1).state, ACCOUNTING_MAIL_SENT);
    cr_expect_eq(read_mail(TODAY "-5.eml", second, sizeof second), size);
    cr_expect_str_eq(first, second);
}

Test(accounting_send, a_file_that_cannot_be_written_is_tried_again)
{
    char path[200];

    snprintf(path, sizeof path, "%s/accounting/mails", fixture.folder);
    FILE *file = fopen(path, "w"); /* in the folder's place */
    cr_assert_not_null(file);
    fclose(file);
    pay_one(5);
    pay(TODAY);
    run_begun();
    cr_expect_eq(mail_row(1).state, ACCOUNTING_MAIL_QUEUED);
    cr_expect_eq(mail_row(1).failures, 1);
    text_is(mail_row(1).last_error, TODAY "-5: Not a directory");
    cr_assert_eq(unlink(path), 0);
    fixture.now_ms += ates_engine_wakes_in(fixture.engine);
    run_steps();
    run_begun();
    cr_expect_eq(mail_row(1).state, ACCOUNTING_MAIL_SENT);
    cr_expect_eq(count_files(), 1);
}

Test(accounting_send, a_server_gets_the_mail_in_the_end)
{
    struct smtp_server server;

    smtp_server_start(&server, NULL);
    strcpy(fixture.config.smtp_url, server.url);
    fixture_reopen(&fixture);
    smtp_server_kill(&server); /* nobody listens */
    pay_one(5);
    pay(TODAY);
    run_begun();
    cr_expect_eq(mail_row(1).state, ACCOUNTING_MAIL_QUEUED);
    cr_expect_eq(mail_row(1).attempts, 1);
    cr_expect(mail_row(1).has_last_error && mail_row(1).last_error.size > 0);
    smtp_server_restart(&server, NULL);
    fixture.now_ms += ates_engine_wakes_in(fixture.engine);
    run_steps();
    run_begun();
    cr_expect_eq(mail_row(1).state, ACCOUNTING_MAIL_SENT);
    cr_expect_eq(mail_row(1).attempts, 2);
    cr_expect_eq(count_files(), 0);
    cr_expect_eq(smtp_server_count(&server, "message"), 1);
    struct ates_buffer message = smtp_server_message(&server, 1);
    cr_expect_not_null(memmem(message.data, message.size, "user5@uberpopug.example", 23));
    ates_buffer_release(&message);
    smtp_server_stop(&server);
    fixture_check_rebuild(&fixture);
}

/* Settings. */

static char password_path[128];

static int write_password(const char *words, mode_t mode)
{
    snprintf(password_path, sizeof password_path, "%s/password", fixture.folder);
    unlink(password_path);
    FILE *file = fopen(password_path, "w");
    cr_assert_not_null(file);
    fputs(words, file);
    fclose(file);
    return chmod(password_path, mode);
}

/* error_part: NULL where they must be taken. */
static void settings_are(const char *error_part)
{
    char error[512] = "";
    void *memory = NULL;

    const int r = accounting_send_open(&fixture.config, &memory, error, sizeof error);
    if (error_part == NULL) {
        cr_expect_eq(r, 0, "%s", error);
        cr_assert_not_null(memory);
        accounting_send_close(&memory);
    } else {
        cr_expect(r < 0 && strstr(error, error_part) != NULL, "%d: '%s' is not '%s'", r, error,
                  error_part);
    }
    cr_expect_null(memory);
}

Test(accounting_send, a_password_file_is_its_owners_and_has_a_password)
{
    char longest[300];

    settings_are(NULL);
    strcpy(fixture.config.smtp_user, "popug");
    settings_are("smtp/user and smtp/password_file come together or not at all");
    snprintf(fixture.config.smtp_password_file, sizeof fixture.config.smtp_password_file,
             "%s/password", fixture.folder);
    settings_are("password: No such file");
    cr_assert_eq(write_password("secret\n", 0600), 0);
    settings_are(NULL);
    cr_assert_eq(write_password("secret", 0400), 0);
    settings_are(NULL);
    static const mode_t open_modes[] = {0644, 0640, 0604, 0620, 0601};
    for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++) {
        cr_assert_eq(write_password("secret\n", open_modes[i]), 0);
        settings_are("others may read it; it should have mode 0600");
    }
    static const char *const empty[] = {"", "\n", "\r\nsecret\n"};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        cr_assert_eq(write_password(empty[i], 0600), 0);
        settings_are("a password of 1 to 254 bytes is expected");
    }
    memset(longest, 'p', sizeof longest);
    longest[254] = '\0';
    cr_assert_eq(write_password(longest, 0600), 0);
    settings_are(NULL);
    longest[254] = 'p';
    longest[255] = '\0';
    cr_assert_eq(write_password(longest, 0600), 0);
    settings_are("a password of 1 to 254 bytes is expected");
    cr_assert_eq(write_password("secret", 0600), 0);
    fixture.config.smtp_user[0] = '\0';
    settings_are("smtp/user and smtp/password_file come together or not at all");
}

Test(accounting_send, other_files_and_addresses_are_looked_at_too)
{
    snprintf(fixture.config.smtp_ca_file, sizeof fixture.config.smtp_ca_file, "%s/ca.pem",
             fixture.folder);
    settings_are("smtp/ca_file: ");
    settings_are("ca.pem: No such file");
    FILE *file = fopen(fixture.config.smtp_ca_file, "w");
    cr_assert_not_null(file);
    fclose(file);
    settings_are(NULL);
    cr_assert_eq(unlink(fixture.config.smtp_ca_file), 0);
    cr_assert_eq(mkfifo(fixture.config.smtp_ca_file, 0600), 0);
    settings_are("ca.pem: not a regular file");
    strcpy(fixture.config.smtp_password_file, fixture.config.smtp_ca_file);
    strcpy(fixture.config.smtp_user, "ates");
    fixture.config.smtp_ca_file[0] = '\0';
    settings_are("smtp/password_file: ");
    settings_are("ca.pem: not a regular file"); /* and nobody waits for its writer */
    fixture.config.smtp_password_file[0] = fixture.config.smtp_user[0] = '\0';
    strcpy(fixture.config.smtp_from, "ates(popug)@localhost");
    settings_are("smtp/from: no mail can carry the address \"ates(popug)@localhost\"");
}

/* As the service's start does it. */
Test(accounting_send, an_engine_does_not_open_with_settings_that_contradict)
{
    char error[512] = "";
    struct ates_engine *second = NULL;
    const struct ates_source source = *ates_engine_source(fixture.engine);

    ates_engine_close(&fixture.engine);
    strcpy(fixture.config.smtp_user, "popug");
    cr_assert_lt(ates_engine_open(&second, &accounting_domain, &fixture.config, &source, error,
                                  sizeof error),
                 0);
    cr_expect_null(second);
    cr_expect_not_null(strstr(error, "smtp/password_file"), "%s", error);
    fixture.config.smtp_user[0] = '\0';
    fixture_reopen(&fixture);
}
