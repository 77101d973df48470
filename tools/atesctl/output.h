/* Data on stdout, by the message tables: a table's columns are the fields of the message. Amounts
 * (*_cents) and times (*_at, timestamp) are written for people in tables, as integers elsewhere.
 * The name of a value is its first field, an id as a rule. Secret fields are never written. */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include "ctl.h"

/* One value: in a table, a line a field. */
int ctl_print(const struct ctl *ctl, const struct ates_message *message, const void *value);

/* Many values of one message. All formats are written as values come, but for a table. */
struct ctl_listing;

/* label: the name of a column before the message's, NULL for none. NULL when out of memory. */
struct ctl_listing *ctl_listing_new(const struct ctl *ctl, const struct ates_message *message,
                                    const char *label);
/* label_value: what the label's column holds. */
void ctl_listing_add(struct ctl_listing *self, const char *label_value, const void *value);
/* Whether more need not be added: whoever read stdout has gone away. */
bool ctl_listing_is_over(const struct ctl_listing *self);
/* Ends the output. nothing: what to say of an empty table; NULL: no word. */
int ctl_listing_end(struct ctl_listing *self, const char *nothing);
void ctl_listing_free(struct ctl_listing **self);

/* Lists what a command with `after` and `limit` gives, following `next` to the end or to the
 * option --limit, and, where the command knows it, by the option --newest-first. body is the
 * command's, its filters set; nothing as above. */
int ctl_list(struct ctl *ctl, const struct ctl_input *input, const struct ates_service *service,
             const char *name, void *body, const char *nothing);

/* The pages of one service, added to a listing; *left is how many items are still wanted. */
int ctl_list_pages(struct ctl *ctl, const struct ates_service *service,
                   const struct ates_command *command, void *body, const char *label_value,
                   struct ctl_listing *listing, uint64_t *left);
/* Days with their income_cents. Unless whole, those before the first with money in it are left out;
 * the last one is shown in any case. */
void ctl_listing_add_income(struct ctl_listing *self, const struct ates_message *message,
                            const struct ates_list *days, bool whole);
/* The message of such a command's items. */
const struct ates_message *ctl_item_message(const struct ates_command *command);
int ctl_parse_limit(const char *limit, uint64_t *left);

#define CTL_TIME_SIZE 32u
/* "2026-11-22 13:53 MSK", in the business time zone; a moment with seconds. */
void ctl_format_time(int64_t time_ms, char out[CTL_TIME_SIZE]);
void ctl_format_moment(int64_t time_ms, char out[CTL_TIME_SIZE]);
void ctl_format_cents(int64_t cents, char out[CTL_TIME_SIZE]);

/* A CSV field (RFC 4180), quoted where it must be. */
void ctl_csv_field(struct ates_buffer *out, const char *data, size_t size);

/* An id or count that ctl_say told of, for programs: not shown where both go to a terminal. */
int ctl_print_number(uint64_t number);

/* Whether stdout took everything. A reader that went away is nobody to complain to. */
int ctl_flush(void);

#endif
