/* Every message table of the program, for targets that choose one by number; and values of any table. */
#ifndef ATES_FUZZ_TABLES_H
#define ATES_FUZZ_TABLES_H

#include <ates/message.h>

size_t fuzz_table_count(void);
const struct ates_message *fuzz_table(size_t index); /* modulo the count */

/* An upper bound of what the arena gives for one byte of such a message. */
size_t fuzz_table_growth(size_t index);

/* Appends a good value of the message to out, made by its schema: the smallest, or one with all fields;
 * nothing where a schema cannot say all that the table wants. */
void fuzz_put_value(const struct ates_message *message, bool all, struct ates_buffer *out);

#endif
