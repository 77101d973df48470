/* The bare gateway: the HTTP library on its epoll descriptor, connections suspended while an echo
 * answers over DEALER; nothing decoded, checked or limited. What the web service takes more than
 * this is what its logic, and the services behind it, cost. */
#ifndef ATES_BENCH_BARE_WEB_H
#define ATES_BENCH_BARE_WEB_H

#include <stddef.h>

/* Serves on a free port of 127.0.0.1, which is written to descriptor as an int, until the process
 * is killed. Every GET is answered with body_size bytes. The echo is a thread that listens at
 * endpoint. */
_Noreturn void bare_web_serve(const char *endpoint, size_t body_size, int descriptor);

#endif
