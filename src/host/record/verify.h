/* verify.h: is a record whole; are two the same. */
#ifndef RS_RECORD_VERIFY_H
#define RS_RECORD_VERIFY_H

#include <stdint.h>
#include <stdio.h>

#include "rs/status.h"

/* Reads every committed row of every data set. Prints what is missing or torn to `stream`; *faults counts it.
 * DATA when the file cannot be used at all. */
rs_status rs_record_verify(const char *path, FILE *stream, int *faults, rs_error *error);

typedef struct rs_distance_check {
    int faults;       /* data sets with a value that does not follow */
    int64_t compared; /* recorded values that snapshots give, too */
    double largest;   /* relative difference of those that follow */
} rs_distance_check;
/* Recomputes blocks' distances from the stored weights: to the initial state of every step that a snapshot is of, to the step
 * before where that has one, of blocks whose tensors are all stored. Prints what differs from the record by more than
 * rounding. A record that rs_record_verify finds whole; DATA when its tables make no sense. */
rs_status rs_record_verify_distances(const char *path, FILE *stream, rs_distance_check *done,
                                     rs_error *error);

/* Clears HDF5's mark of a killed writer, so that every tool opens the file. FAILED while a process writes it. */
rs_status rs_record_repair(const char *path, rs_error *error);

/* Compares what is committed in two records, data set by data set, byte by byte: commits/, times and the keys
 * out, resume, jobs of the configuration aside. Prints differences; *differences counts them. */
rs_status rs_record_same(const char *a, const char *b, FILE *stream, int *differences, rs_error *error);

#endif
