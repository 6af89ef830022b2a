/* harness.h: what tests share: cmocka with its prerequisites, statuses and comparisons as assertions, devices.
 *
 * Comparators, fills, guard zones and operator cases are in rs/check.h; test_harness.c plants faults in front of
 * them. */
#ifndef RS_TEST_HARNESS_H
#define RS_TEST_HARNESS_H

/* cmocka.h needs these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rs/check.h"

/* Fails with the error's text unless `expression`, which takes an rs_error *, is RS_OK:
 *     harness_ok(rs_network_finish(network, &error), &error); */
#define harness_ok(expression, error)                                                                        \
    do {                                                                                                     \
        if ((expression) != RS_OK) {                                                                         \
            fail_msg("%s: %s", #expression, (error)->text);                                                  \
        }                                                                                                    \
    } while (0)

/* Fails unless `expression` is `expected` and its error has `part` in its text (NULL: any text). */
#define harness_fails(expression, expected, error, part)                                                     \
    harness_expect_failure((expression), (expected), (error), (part), #expression)
void harness_expect_failure(rs_status got, rs_status expected, const rs_error *error, const char *part,
                            const char *expression);

/* Fail, with index and both values, unless rs_comparison_within. */
void harness_close(const char *what, const double *got, const double *want, int64_t count, double tolerance);
void harness_close_floats(const char *what, const float *got, const float *want, int64_t count,
                          double tolerance);

/* Opens the reference and the backend `name` with that many threads; fails the test when it can't. */
void harness_open(rs_check_machine *machine, const char *name, int threads);
void harness_close_machine(rs_check_machine *machine);

/* Runs the tests as a group named after the backend, with *machine open for all of them; cmocka's number of failures. */
#define harness_run(tests, machine, name, threads)                                                           \
    (harness_group(machine, name, threads),                                                                  \
     cmocka_run_group_tests_name(name, tests, harness_open_group, harness_close_group))
void harness_group(rs_check_machine *machine, const char *name, int threads);
int harness_open_group(void **state);
int harness_close_group(void **state);

#endif
