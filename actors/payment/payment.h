/* The payment domain: closes every business date in its time, one after the other. */
#ifndef PAYMENT_PAYMENT_H
#define PAYMENT_PAYMENT_H

#include "core/domain.h"

extern const struct ates_domain payment_domain;

#endif
