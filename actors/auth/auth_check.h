/* The auth domain's check of its rows. */
#ifndef AUTH_CHECK_H
#define AUTH_CHECK_H

#include "core/domain.h"

/* Looks at every row of every table. Returns 0, or -EBADMSG with the first contradiction in error.
 */
int auth_check(struct ates_txn *txn, char *error, size_t error_size);

#endif
