/* The auth service: users, passwords, sessions and tokens. */
#ifndef AUTH_H
#define AUTH_H

#include "core/domain.h"

extern const struct ates_domain auth_domain;

#endif
