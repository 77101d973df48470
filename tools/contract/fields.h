/* PROTOCOL.md's section 12: every field of every message, by the message tables. */
#ifndef CONTRACT_FIELDS_H
#define CONTRACT_FIELDS_H

#include <stdio.h>

/* Writes the section's tables, one a service, as Markdown. */
void contract_print_fields(FILE *out);

#endif
