/* What accounting's snapshot tells: balances, incomes, payouts, and each day's highest rewards. No
 * transfer is told again. */
#ifndef ACCOUNTING_SNAPSHOT_H
#define ACCOUNTING_SNAPSHOT_H

#include "core/domain.h"

#define ACCOUNTING_SNAPSHOT_PARTS 4u
extern const struct ates_snapshot_part accounting_snapshot[ACCOUNTING_SNAPSHOT_PARTS];

#endif
