/* /healthz: this service lives; /readyz: every service answers; /metrics: what all of them count,
 * in Prometheus's text format. */
#ifndef WEB_HEALTH_H
#define WEB_HEALTH_H

#include "web/web_request.h"

struct web_health;

/* Forgets what the services last said. NULL-safe; after the server, before the backend. */
void web_health_free(struct web_health **self);

void web_handle_healthz(struct web_request *request);
void web_handle_readyz(struct web_request *request);
/* Open to an administrator, to who knows the metrics token, and, where neither that token nor an
 * origin is configured, to clients on this machine (web_scrape.c). */
void web_handle_metrics(struct web_request *request);

#endif
