/* Contexts: settings under a name, as ates.conf writes them, each in a file of its own below
 * ${XDG_CONFIG_HOME:-~/.config}/ates/contexts. Which of them is in use is told by the file `context`
 * beside that folder. Functions return CTL_OK, or another code with the reason said. */
#ifndef CTL_CONTEXT_STORE_H
#define CTL_CONTEXT_STORE_H

#include "ctl.h"

/* Puts the name of the context to use into name: given (--context), ATES_CONTEXT's, or the one that
 * ctl_context_keep kept; empty where there is none. */
int ctl_context_choose(const char *given, char name[CTL_CONTEXT_SIZE],
                       enum ctl_context_source *source);

/* The path of a context's file; the name is checked. */
int ctl_context_path(const char *name, char *path, size_t size);

/* The same, where there must be such a context. */
int ctl_context_find(const char *name, char *path, size_t size);

/* The name of the one that is kept; empty where there is none. */
int ctl_context_kept(char name[CTL_CONTEXT_SIZE]);

/* Keeps this one as the one in use; "": none. */
int ctl_context_keep(const char *name);

/* Tells each context's name, in the order of the alphabet. */
void ctl_context_each(ctl_word_fn *tell, void *context);

#endif
