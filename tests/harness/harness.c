/* harness.c: see harness.h. */
#include "harness.h"

#include <inttypes.h>
#include <string.h>

void harness_expect_failure(rs_status got, rs_status expected, const rs_error *error, const char *part,
                            const char *expression)
{
    if (got != expected) {
        fail_msg("%s: %s instead of %s (%s)", expression, rs_status_name(got), rs_status_name(expected),
                 got ? error->text : "no error");
    }
    if (part && !strstr(error->text, part)) {
        fail_msg("%s: \"%s\" does not say \"%s\"", expression, error->text, part);
    }
}

static void require(const char *what, const rs_comparison *c, double tolerance)
{
    if (!rs_comparison_within(c, tolerance)) {
        fail_msg("%s: error %.3g, allowed %.3g; at index %" PRId64 " %.17g instead of %.17g", what,
                 rs_comparison_error(c), tolerance, c->worst, c->got, c->want);
    }
}

void harness_close(const char *what, const double *got, const double *want, int64_t count, double tolerance)
{
    rs_comparison c = rs_compare(got, want, count);
    require(what, &c, tolerance);
}

void harness_close_floats(const char *what, const float *got, const float *want, int64_t count,
                          double tolerance)
{
    rs_comparison c = rs_compare_floats(got, want, count);
    require(what, &c, tolerance);
}

void harness_open(rs_check_machine *machine, const char *name, int threads)
{
    rs_error error = {0};
    int index;
    *machine = (rs_check_machine){.reference = rs_ref_backend()};
    harness_ok(rs_backend_select(name, &machine->backend, &index, &error), &error);
    harness_ok(machine->reference->open(rs_services(), 0, threads, &machine->reference_device, &error),
               &error);
    harness_ok(machine->backend->open(rs_services(), index, threads, &machine->device, &error), &error);
}

void harness_close_machine(rs_check_machine *machine)
{
    machine->backend->close(machine->device);
    machine->reference->close(machine->reference_device);
    *machine = (rs_check_machine){0};
}

static struct {
    rs_check_machine *machine;
    const char *name;
    int threads;
} group;

void harness_group(rs_check_machine *machine, const char *name, int threads)
{
    group.machine = machine;
    group.name = name;
    group.threads = threads;
}

int harness_open_group(void **state)
{
    (void)state;
    harness_open(group.machine, group.name, group.threads);
    return 0;
}

int harness_close_group(void **state)
{
    (void)state;
    harness_close_machine(group.machine);
    return 0;
}
