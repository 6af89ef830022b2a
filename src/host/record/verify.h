/* verify.h: is a record whole; are two the same. */
#ifndef RS_RECORD_VERIFY_H
#define RS_RECORD_VERIFY_H

#include <stdio.h>

#include "rs/status.h"

/* Reads every committed row of every data set. Prints what is missing or torn to `stream`; *faults counts it.
 * DATA when the file cannot be used at all. */
rs_status rs_record_verify(const char *path, FILE *stream, int *faults, rs_error *error);

/* Clears HDF5's mark of a killed writer, so that every tool opens the file. FAILED while a process writes it. */
rs_status rs_record_repair(const char *path, rs_error *error);

/* Compares what is committed in two records, data set by data set, byte by byte: commits/, times and the keys
 * out, resume, jobs of the configuration aside. Prints differences; *differences counts them. */
rs_status rs_record_same(const char *a, const char *b, FILE *stream, int *differences, rs_error *error);

#endif
