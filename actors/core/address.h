/* Internet addresses as text. */
#ifndef ATES_ADDRESS_H
#define ATES_ADDRESS_H

#include <sys/socket.h>

/* Reads the first address of a list of IPv4 and IPv6 addresses in numbers, without ports, with
 * commas between them and spaces or tabs around; moves list behind it and its comma. Returns 1 with
 * out filled (its port 0), 0 at the end of the list, -EINVAL where something else stands there. */
int ates_address_next(const char **list, struct sockaddr_storage *out);

#endif
