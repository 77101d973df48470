/* The OpenAPI 3.1 document, made from the routes and the message tables. */
#ifndef WEB_OPENAPI_H
#define WEB_OPENAPI_H

#include <ates/message.h>

/* Appends the document (JSON) to out. */
void web_openapi_write(struct ates_buffer *out);

#endif
