/* The accounting domain: prices, transfers, balances and the company's income. */
#ifndef ACCOUNTING_ACCOUNTING_H
#define ACCOUNTING_ACCOUNTING_H

#include "core/domain.h"

extern const struct ates_domain accounting_domain;

#endif
