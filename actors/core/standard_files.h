/* Standard input, output and error of a program. */
#ifndef ATES_STANDARD_FILES_H
#define ATES_STANDARD_FILES_H

/* Sees to it that all three are open, for the programs' main before anything else is opened: whoever
 * starts a program with one of them closed (`2>&-`) would have its words written into the file that got
 * the descriptor next, as a database. What was closed can neither be read nor, but for standard error,
 * written to, as before. 0 or -errno. */
int ates_standard_files_open(void);

#endif
