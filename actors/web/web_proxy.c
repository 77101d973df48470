/* Proxies; see web_proxy.h. */
#include <netinet/in.h>
#include <string.h>

#include "core/address.h"
#include "web/web_proxy.h"

bool web_proxy_is_known(const char *proxies, const char *address)
{
    const char *rest = proxies;
    struct sockaddr_storage proxy;
    char text[WEB_ADDRESS_SIZE];

    while (ates_address_next(&rest, &proxy) > 0) {
        web_address_text((const struct sockaddr *)&proxy, text);
        if (strcmp(text, address) == 0) {
            return true;
        }
    }
    return false;
}

void web_proxy_read(const char *forwarded, char address[WEB_ADDRESS_SIZE])
{
    const char *last = forwarded != NULL ? strrchr(forwarded, ',') : NULL;
    struct sockaddr_storage client;

    last = last != NULL ? last + 1 : forwarded;
    if (last != NULL && ates_address_next(&last, &client) > 0) {
        web_address_text((const struct sockaddr *)&client, address);
    }
}
