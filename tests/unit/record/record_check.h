/* record_check.h: is every committed row of a fixture's record what it must be. */
#ifndef RS_TEST_RECORD_CHECK_H
#define RS_TEST_RECORD_CHECK_H

#include "fixture.h"

/* Reads the file as it is (live or killed) and compares every committed value of every data set. *committed is
 * what the last commit covers. FAILED names the first wrong value; also when verify finds a fault. */
rs_status record_check(const char *path, const fixture *made, rs_position *committed, rs_error *error);

#endif
