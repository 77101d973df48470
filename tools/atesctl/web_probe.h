/* Asking the web service whether it is ready. */
#ifndef CTL_WEB_PROBE_H
#define CTL_WEB_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "core/config.h"

/* Asks the web service that RUN/web.address tells of for /readyz. Returns the HTTP status; 0: no
 * web service was started there; or -1. why (size bytes) says what was asked where, and what failed.
 */
int ctl_web_probe(const struct ates_config *config, int64_t timeout_ms, char *why, size_t size);

#endif
