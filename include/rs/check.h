/* rs/check.h: operators against the double-precision reference and finite differences, on this machine; and the
 * tools for that, which tests and benchmarks share: a table of cases, comparators, fills, guard zones. */
#ifndef RS_CHECK_H
#define RS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "rs/backend.h"
#include "rs/network.h"
#include "rs/status.h"

/* The command `check [--device D] [--threads N] [--filter TEXT] [--verbose]`: every case of the operator
 * table, printed as a table of errors and tolerances; exit status of the program: 0 all within, 1 otherwise.
 */
int rs_command_check(int argc, char **argv);

/* --- comparing: a NaN, a sign or a shift by one can't pass ----------------------------------------------- */

/* |got - want| measured two ways; both are NaN when any element of either array is NaN or infinite. */
typedef struct rs_comparison {
    double
        relative; /* L2 norm of the difference over the L2 norm of want; the plain norm where want is all 0 */
    double largest; /* largest |difference| over the largest |want|; plain where want is all 0 */
    int64_t worst; /* index of the largest difference, or of the first element that is not finite; -1: none */
    double got, want; /* there */
} rs_comparison;

rs_comparison rs_compare(const double *got, const double *want, int64_t count);
rs_comparison rs_compare_floats(const float *got, const float *want, int64_t count);
/* relative <= tolerance and largest <= 10 tolerance; with tolerance 0 all elements are equal. False on NaN. */
bool rs_comparison_within(const rs_comparison *comparison, double tolerance);
/* The number held against the tolerance: the larger of relative and largest / 10; NaN on NaN. */
double rs_comparison_error(const rs_comparison *comparison);
/* Distance of two floats in representable numbers (0: equal, also +0 and -0); INT64_MAX when one is NaN. */
int64_t rs_ulps(float a, float b);

/* --- values: functions of (seed, name); all are floats, so that every type gets the same ----------------- */

typedef enum rs_fill {
    RS_FILL_NORMAL,  /* standard normal */
    RS_FILL_INTEGER, /* -2 .. 2: sums of products are exact in float */
    RS_FILL_SPREAD,  /* all different, none 0, at least 2^-10 apart and shuffled: no ties, no kinks */
    RS_FILL_SIZED    /* +-(0.5 .. 1.5): of either sign and nothing near 0 */
} rs_fill;

void rs_fill_values(rs_fill fill, uint64_t seed, const char *name, double *values, int64_t count);
void rs_fill_labels(uint64_t seed, int classes, int32_t *labels, int64_t count);

/* --- guard zones: a write beside a buffer is noticed, a read beside it gives NaN -------------------------- */

typedef struct rs_guarded {
    void *data;
    size_t bytes;
} rs_guarded;

/* The data is poisoned like the zones, with NaN of both types. False: no memory. */
bool rs_guarded_create(size_t bytes, rs_guarded *guarded);
bool rs_guarded_intact(const rs_guarded *guarded); /* whether both zones are as they were */
void rs_guarded_release(rs_guarded *guarded);      /* takes an empty one */

/* --- cases: small networks, an input, then operators, each on the one before unless it says otherwise ----- */

#define RS_CHECK_PREVIOUS   (-1)
#define RS_CHECK_NODES      12
#define RS_CHECK_OBJECTIVES 3
#define RS_CHECK_CUTS       2
#define RS_CHECK_FROZEN     4

typedef struct rs_check_op {
    rs_op_kind kind; /* RS_OP_INPUT: end of the list */
    rs_node_attributes attributes;
    int from[2]; /* node indices (0: the input, 1: the first operator) or RS_CHECK_PREVIOUS */
} rs_check_op;

typedef struct rs_check_case {
    const char *name;
    int64_t shape[3]; /* C, H, W of the input */
    int64_t batch[2]; /* batch sizes of its plan, largest first; 0: only one */
    rs_fill fill;     /* of the input; INTEGER: of everything, and results are equal, not close */
    rs_check_op ops[RS_CHECK_NODES];
} rs_check_case;

const rs_check_case *rs_check_cases(size_t *count);

/* What a case's plan is told beside its network, by the case's name; nothing for most. */
typedef struct rs_check_settings {
    const char *name;
    rs_objective objectives[RS_CHECK_OBJECTIVES]; /* node 0: end of the list */
    rs_cut cuts[RS_CHECK_CUTS];                   /* node 0: end of the list */
    const char *frozen[RS_CHECK_FROZEN];          /* parameters; NULL: end of the list */
    rs_label_choice labels;                       /* of backward; others than TRUE without objectives */
} rs_check_settings;
const rs_check_settings *rs_check_settings_of(const rs_check_case *c); /* never NULL */
int rs_check_objective_count(const rs_check_settings *settings);
int rs_check_cut_count(const rs_check_settings *settings);

/* The case's network; nodes are named by operator and index: "convolution1". The caller owns it. */
rs_status rs_check_network(const rs_check_case *c, rs_network **network, rs_error *error);
/* Whether a convolution is in it that Winograd is for: 3x3 with stride 1. */
bool rs_check_takes_winograd(const rs_check_case *c);
/* Whether ReLU or max pooling is in it. */
bool rs_check_has_kinks(const rs_check_case *c);
bool rs_check_has_operator(const rs_check_case *c, rs_op_kind kind);
/* Whether evaluation differs from training: with batch norm and dropout. */
bool rs_check_has_modes(const rs_check_case *c);

/* --- running ------------------------------------------------------------------------------------------- */

/* Devices, opened by the caller. `backend` is what is checked and may be the reference itself. */
typedef struct rs_check_machine {
    const rs_backend *reference, *backend;
    rs_device *reference_device, *device;
} rs_check_machine;

typedef struct rs_check_report {
    FILE *stream;       /* of the table; NULL: count only */
    const char *device; /* for the command that repeats a failure */
    bool verbose;       /* every value, not only the worst of a row */
    int passed, failed; /* values compared */
} rs_check_report;

/* All checks of a case: the reference's gradients against finite differences, the reference in float and the
 * backend (with every convolution algorithm it has) against the reference in double, each against itself, bit by
 * bit, and with what can be computed again --memory lean against fast, bit by bit. What fails, also an error of the backend, is a
 * failure in the report; only MEMORY is returned. */
rs_status rs_check_run_case(const rs_check_machine *machine, const rs_check_case *c, rs_check_report *report,
                            rs_error *error);

/* Update rules: "update_sgd", "update_adamw", ... */
int rs_check_update_count(void);
const char *rs_check_update_name(int index);
rs_status rs_check_run_update(const rs_check_machine *machine, int index, rs_check_report *report,
                              rs_error *error);

/* Every case and rule whose name contains `filter` (NULL: all); where none has, the cases with an operator of that
 * name. *matched: how many. */
rs_status rs_check_run_all(const rs_check_machine *machine, const char *filter, rs_check_report *report,
                           int *matched, rs_error *error);

#endif
