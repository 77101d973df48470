/* Two states held against each other, row by row and byte by byte. */
#ifndef ATES_STORE_COMPARE_H
#define ATES_STORE_COMPARE_H

#include "core/store.h"

#define ATES_KEY_HEX_MAX 129u /* 64 bytes of a key and a NUL; what is longer is cut */

struct ates_table_comparison {
    uint64_t left_rows, right_rows;
    uint64_t differences;             /* keys that only one side has, or with other values, or
                                         that are not found from the left's root */
    char first_key[ATES_KEY_HEX_MAX]; /* of the first difference, in hex; empty where there is none
                                       */
};

/* Compares one table of two transactions. Returns 0, whatever it found, or a fault. */
int ates_store_compare(struct ates_txn *left, struct ates_txn *right, unsigned table,
                       struct ates_table_comparison *comparison);

#endif
