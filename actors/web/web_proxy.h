/* Whom a request comes from, where proxies stand in front of the web service. Only proxies that are
 * configured (web.proxies) are believed: anybody may write an X-Forwarded-For header. */
#ifndef WEB_PROXY_H
#define WEB_PROXY_H

#include <stdbool.h>

#include "web/web_peers.h"

/* Whether address, a text of web_address_text's form, is one of proxies (a checked web.proxies). */
bool web_proxy_is_known(const char *proxies, const char *address);

/* Puts the address that forwarded ends with (an X-Forwarded-For header's value, or NULL) into
 * address, in web_address_text's form. Further left stands what others said, the client among them.
 * Where forwarded ends with no address, address is left as it is. */
void web_proxy_read(const char *forwarded, char address[WEB_ADDRESS_SIZE]);

#endif
