/* Whether the rows of the tasks service agree with each other. */
#ifndef TASKS_CHECK_H
#define TASKS_CHECK_H

#include "core/domain.h"

/* A domain's check (core/domain.h): every task has its index rows and its words, there are no other
 * ones, and the eligible users are those who may be drawn. */
int tasks_check(struct ates_txn *txn, char *error, size_t error_size);

#endif
