/* The socket that listens, made here rather than by the HTTP library, so that what is wrong with an
 * address can be said. */
#ifndef WEB_LISTEN_H
#define WEB_LISTEN_H

#include <stddef.h>

/* Listens on "ADDR:PORT" or "[ADDR]:PORT" in numbers (port 0: any free one). Returns a descriptor
 * that does not block, and the bound "http://ADDR:PORT" in text; or -errno with one line in error
 * that names the setting and the address. */
int web_listen(const char *address, char *text, size_t text_size, char *error, size_t error_size);

#endif
