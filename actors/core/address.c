/* Internet addresses; see address.h. */
#include "core/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define SPACE " \t"

int ates_address_next(const char **list, struct sockaddr_storage *out)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)out;

    if (**list == '\0') {
        return 0;
    }
    const char *begin = *list + strspn(*list, SPACE);
    const size_t size = strcspn(begin, SPACE ",");
    const char *end = begin + size + strspn(begin + size, SPACE);
    if (size >= sizeof text || (*end != ',' && *end != '\0')) {
        return -EINVAL;
    }
    memcpy(text, begin, size);
    *out = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, text, &ipv4->sin_addr) == 1) {
        ipv4->sin_family = AF_INET;
    } else if (inet_pton(AF_INET6, text, &ipv6->sin6_addr) == 1) {
        ipv6->sin6_family = AF_INET6;
    } else {
        return -EINVAL;
    }
    *list = *end == ',' ? end + 1 : end;
    return 1;
}
