/* test_operators.c BACKEND [THREADS]: every case and update rule of the table on that backend. */
#include <stdlib.h>

#include "harness.h"

static const char *backend_name = "ref";
static int threads;

static rs_check_machine machine;
static rs_check_report report = {.device = "ref"};

static int open_machine(void **state)
{
    (void)state;
    harness_open(&machine, backend_name, threads);
    return 0;
}

static int close_machine(void **state)
{
    (void)state;
    harness_close_machine(&machine);
    return 0;
}

static void every_case_agrees(void **state)
{
    (void)state;
    rs_error error = {0};
    size_t count;
    int matched;
    (void)rs_check_cases(&count);
    report.stream = stdout;
    report.device = backend_name;
    harness_ok(rs_check_run_all(&machine, NULL, &report, &matched, &error), &error);
    assert_int_equal(matched, (int)count + rs_check_update_count());
    assert_int_equal(report.failed, 0);
    assert_true(report.passed > 20 * (int)count); /* a case has at least that many values */
}

/* The number of threads may change rounding, but no result beyond it; of ref it changes no bit. */
static void one_thread_agrees_too(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_check_machine single;
    rs_check_report counted = {.device = backend_name};
    int matched;
    harness_open(&single, backend_name, 1);
    harness_ok(rs_check_run_all(&single, "conv_", &counted, &matched, &error), &error);
    harness_close_machine(&single);
    assert_true(matched > 30);
    assert_int_equal(counted.failed, 0);
}

/* No case is called matrix_product; nothing at all has the other name. */
static void a_filter_may_be_an_operator(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_check_report counted = {.device = backend_name};
    size_t count;
    int matched, with = 0;
    const rs_check_case *cases = rs_check_cases(&count);
    for (size_t i = 0; i < count; i++) {
        bool has = false;
        for (int k = 0; k < RS_CHECK_NODES && cases[i].ops[k].kind != RS_OP_INPUT; k++) {
            has = has || cases[i].ops[k].kind == RS_OP_MATRIX_PRODUCT;
        }
        with += has;
    }
    harness_ok(rs_check_run_all(&machine, "matrix_product", &counted, &matched, &error), &error);
    assert_int_equal(matched, with);
    assert_true(with > 5);
    assert_int_equal(counted.failed, 0);
    harness_ok(rs_check_run_all(&machine, "matrix", &counted, &matched, &error), &error);
    assert_int_equal(matched, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_agrees),
        cmocka_unit_test(one_thread_agrees_too),
        cmocka_unit_test(a_filter_may_be_an_operator),
    };
    backend_name = argc > 1 ? argv[1] : backend_name;
    threads = argc > 2 ? atoi(argv[2]) : 0;
    return cmocka_run_group_tests_name(backend_name, tests, open_machine, close_machine);
}
