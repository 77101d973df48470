/* The commands that tell of the others: help, and what it is made of for other readers. */
#ifndef CTL_MANUAL_H
#define CTL_MANUAL_H

#include <stdio.h>

#include "ctl.h"

extern const struct ctl_command ctl_errors_command, ctl_completion_command, ctl_complete_command,
    ctl_manual_command;

/* How a document is written. Texts are as people read them: each writes them with its own escapes.
 */
struct ctl_markup {
    void (*title)(FILE *out);
    void (*heading)(FILE *out, int level, const char *text);
    void (*paragraph)(FILE *out, const char *text);
    void (*begin_code)(FILE *out);
    void (*end_code)(FILE *out);
    void (*item)(FILE *out, const char *term, const char *text); /* of a list of terms */
    void (*end_items)(FILE *out);
};
extern const struct ctl_markup ctl_scdoc, ctl_markdown;

/* Writes the whole manual of atesctl, from the tables. */
void ctl_manual(FILE *out, const struct ctl_markup *markup);

#endif
