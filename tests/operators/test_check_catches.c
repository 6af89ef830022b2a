/* test_check_catches.c: the check itself, in front of backends that are broken on purpose.
 *
 * Each fault wraps one function of the reference's table. Without a fault nothing may fail; with one, something must,
 * in the case that exercises it. A fault in the reference's own gradients must be found by finite differences. */
#include <string.h>

#include "harness.h"
#include "planted_faults.h"

static rs_check_machine machine;

static rs_check_report run(const char *filter)
{
    rs_error error = {0};
    rs_check_report report = {.device = "broken"};
    int matched;
    harness_ok(rs_check_run_all(&machine, filter, &report, &matched, &error), &error);
    assert_true(matched > 0);
    return report;
}

static void an_unbroken_backend_passes(void **state)
{
    (void)state;
    planted_install(&(planted_fault){.name = "none"});
    for (int i = 0; i < planted_fault_count; i++) {
        if (i > 0 && strcmp(planted_faults[i].filter, planted_faults[i - 1].filter) == 0) {
            continue;
        }
        rs_check_report report = run(planted_faults[i].filter);
        assert_int_equal(report.failed, 0);
        assert_true(report.passed > 0);
    }
}

static void every_fault_is_caught(void **state)
{
    (void)state;
    for (int i = 0; i < planted_fault_count; i++) {
        planted_install(&planted_faults[i]);
        rs_check_report report = run(planted_faults[i].filter);
        if (report.failed == 0) {
            fail_msg("not caught in %s: %s", planted_faults[i].filter, planted_faults[i].name);
        }
    }
}

/* The reference is held against finite differences: here it is the reference that is broken. */
static void a_wrong_reference_is_caught_by_finite_differences(void **state)
{
    (void)state;
    rs_check_machine sound = machine;
    for (int i = 0; i < planted_in_reference_count; i++) {
        planted_install(&planted_in_reference[i]);
        machine.reference = &planted_backend; /* what is checked is as wrong: only differences can tell */
        if (run(planted_in_reference[i].filter).failed == 0) {
            fail_msg("not caught in %s: %s", planted_in_reference[i].filter, planted_in_reference[i].name);
        }
    }
    machine = sound;
}

static int open_machine(void **state)
{
    (void)state;
    harness_open(&machine, "ref", 1);
    machine.backend = &planted_backend;
    return 0;
}

static int close_machine(void **state)
{
    (void)state;
    machine.backend = rs_ref_backend();
    harness_close_machine(&machine);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unbroken_backend_passes),
        cmocka_unit_test(every_fault_is_caught),
        cmocka_unit_test(a_wrong_reference_is_caught_by_finite_differences),
    };
    return cmocka_run_group_tests(tests, open_machine, close_machine);
}
