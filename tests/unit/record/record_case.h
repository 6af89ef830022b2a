/* record_case.h: what tests of the recorder share: a folder of their own, a fixture, whole runs and what they must leave. */
#ifndef RS_TEST_RECORD_CASE_H
#define RS_TEST_RECORD_CASE_H

#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "rs/host.h"

enum { EPOCHS = 6 };

extern char path[128], other[128], checkpoint[160]; /* run.h5, other.h5 in the folder; run.h5.ckpt */
extern fixture made;
extern rs_error error;

/* Setup and teardown of a group; setup of a test: no files, a new fixture. */
int case_begin(void **state);
int case_end(void **state);
int case_fresh(void **state);

void case_ok(rs_status status);
void case_refused(rs_status status, rs_status expected, const char *text);
/* The system's file operations, without waiting for the disk; NULL: with its own count of free bytes. */
void case_use_files(int (*free_bytes)(const char *directory, uint64_t *bytes));
/* A whole run, from the beginning to its end in order. */
void case_run(const char *to, int64_t epochs);
/* All values of the file are right and as many epochs are committed. */
void case_holds(const char *of, int64_t epochs);
void case_has_state(const char *expected, int64_t commits);

#endif
