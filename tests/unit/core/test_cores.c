/* test_cores.c: a process uses the cores it may, and no more than OMP_NUM_THREADS says. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rs/host.h"

static int cores_with(const char *threads)
{
    assert_int_equal(setenv("OMP_NUM_THREADS", threads, 1), 0);
    return rs_usable_cores();
}

static void the_variable_only_lowers(void **state)
{
    (void)state;
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    const int all = CPU_COUNT(&set);
    assert_int_equal(unsetenv("OMP_NUM_THREADS"), 0);
    assert_int_equal(rs_usable_cores(), all);
    assert_int_equal(cores_with("1"), 1);
    assert_int_equal(cores_with("1,4"), 1);
    assert_int_equal(cores_with("4000"), all);
    static const char *const none[] = {"", "0", "-1", "many", "1x"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(cores_with(none[i]), all);
    }
}

static void affinity_counts(void **state)
{
    (void)state;
    cpu_set_t before, one;
    assert_int_equal(unsetenv("OMP_NUM_THREADS"), 0);
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (size_t c = 0; c < CPU_SETSIZE && CPU_COUNT(&one) == 0; c++) {
        if (CPU_ISSET(c, &before)) {
            CPU_SET(c, &one);
        }
    }
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(rs_usable_cores(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_variable_only_lowers),
        cmocka_unit_test(affinity_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
