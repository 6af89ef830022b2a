/* planted_faults.h: backends that are broken on purpose: the reference's table with a function replaced. */
#ifndef RS_TEST_PLANTED_FAULTS_H
#define RS_TEST_PLANTED_FAULTS_H

#include "rs/check.h"

typedef struct planted_fault {
    const char *name, *filter; /* the cases that must fail */
    rs_backend replaced;       /* functions that are not NULL */
    int slot;                  /* of `read` or `read_node`, whose values `spoil` spoils */
    void (*spoil)(void *values, int64_t count);
} planted_fault;

/* In a backend that is held against the reference. */
extern const planted_fault planted_faults[];
extern const int planted_fault_count;
/* In the reference itself, for finite differences to find. */
extern const planted_fault planted_in_reference[];
extern const int planted_in_reference_count;

/* Makes planted_backend the reference with that fault; with none where nothing is replaced. */
void planted_install(const planted_fault *fault);
extern rs_backend planted_backend;

#endif
