/* AsyncAPI 3.0 of the events: what aTES sends through the broker. */
#ifndef CONTRACT_ASYNCAPI_H
#define CONTRACT_ASYNCAPI_H

#include <jansson.h>

/* The document, a channel a topic; whole in itself. A new object, the caller's. */
json_t *contract_asyncapi(void);

#endif
