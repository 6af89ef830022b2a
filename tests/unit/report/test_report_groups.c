/* test_report_groups.c: which runs are averaged, what their mean and deviation are, which group is best, how numbers are printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "report.h"
#include "rs/host.h"

enum { MOST = 8, ACCURACY = 0, LOSS = 1 };

/* Runs without records: their settings are given here. */
typedef struct made {
    rs__run runs[MOST];
    rs__report report;
} made;

static size_t option_at(const char *name)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return i;
        }
    }
    fail_msg("there is no option %s", name);
    return 0;
}

static char nothing[] = "", network[] = "resnet18";

/* A run that is done, with all settings empty but for these. */
static rs__run *add(made *m, const char *depth, const char *seed, double accuracy, double loss)
{
    rs__run *run = &m->runs[m->report.run_count++];
    size_t count;
    (void)rs_option_table(&count);
    *run = (rs__run){.state = "done"};
    run->settings = rs_alloc_array(count, sizeof *run->settings);
    assert_non_null(run->settings);
    for (size_t i = 0; i < count; i++) {
        run->settings[i] = "";
    }
    run->settings[option_at("depth")] = depth;
    run->settings[option_at("seed")] = seed;
    run->settings[option_at("dataset")] = "shapes";
    for (int i = 0; i < RS__ORIGINS; i++) {
        run->origin[i] = i == RS__NETWORK ? network : nothing;
    }
    for (int i = 0; i < RS__MEASURES; i++) {
        run->measures[i] = NAN;
    }
    run->measures[ACCURACY] = accuracy;
    run->measures[LOSS] = loss;
    return run;
}

static void group(made *m)
{
    rs_error error;
    m->report.runs = m->runs;
    (void)rs_option_table(&m->report.option_count);
    assert_int_equal(rs__report_make_groups(&m->report, &error), RS_OK);
}

static void release(made *m)
{
    for (int i = 0; i < m->report.run_count; i++) {
        rs_free((void *)m->runs[i].settings);
    }
    rs_free(m->report.groups);
    rs_free(m->report.varying);
}

static void seeds_are_averaged_and_the_best_is_marked(void **state)
{
    (void)state;
    made m = {0};
    (void)add(&m, "34", "1", 0.7, 1.0);
    (void)add(&m, "18", "1", 0.5, 2.0);
    (void)add(&m, "34", "2", 0.9, 1.5);
    (void)add(&m, "18", "2", 0.5, 0.2);
    group(&m);
    assert_int_equal(m.report.group_count, 2);
    const rs__group *small = &m.report.groups[0], *large = &m.report.groups[1];
    assert_string_equal(small->label, "ResNet-18"); /* by number, not in the order of the files */
    assert_string_equal(large->label, "ResNet-34");
    assert_int_equal(large->count, 2);
    assert_true(fabs(large->results[ACCURACY].mean - 0.8) < 1e-12);
    assert_true(fabs(large->results[ACCURACY].std - sqrt(0.02)) < 1e-12);
    assert_true(large->results[ACCURACY].best && !small->results[ACCURACY].best);
    assert_true(small->results[LOSS].best && !large->results[LOSS].best);   /* 1.1 is less than 1.25 */
    assert_true(small->results[LOSS].close && !large->results[LOSS].close); /* by less than its deviation */
    assert_false(large->results[ACCURACY].close);
    assert_true(m.report.shown[ACCURACY] && m.report.shown[LOSS]);
    for (int i = 2; i < RS__MEASURES; i++) {
        assert_false(m.report.shown[i]);
    }
    release(&m);
}

static void numbers_are_sorted_as_numbers(void **state)
{
    (void)state;
    made m = {0};
    (void)add(&m, "101", "1", 0.1, 1.0);
    (void)add(&m, "18", "1", 0.1, 1.0);
    group(&m);
    assert_string_equal(m.report.groups[0].label, "ResNet-18");
    assert_true(m.report.groups[0].results[ACCURACY].best && m.report.groups[1].results[ACCURACY].best);
    release(&m);
}

static void unfinished_runs_do_not_count_beside_finished_ones(void **state)
{
    (void)state;
    made m = {0};
    rs__run *lost = add(&m, "18", "1", NAN, 9.0);
    (void)add(&m, "18", "2", 0.6, 1.0);
    (void)snprintf(lost->state, sizeof lost->state, "diverged");
    group(&m);
    assert_int_equal(m.report.group_count, 1);
    assert_int_equal(m.report.groups[0].count, 2);
    assert_int_equal(m.report.groups[0].whole, 1);
    assert_int_equal(m.report.groups[0].first, 1);
    assert_true(m.report.groups[0].results[LOSS].mean == 1.0 && m.report.groups[0].results[LOSS].n == 1);
    assert_false(m.report.groups[0].results[LOSS].best); /* there is nothing to compare it with */
    release(&m);
}

static void the_same_seed_twice_is_not_averaged(void **state)
{
    (void)state;
    made m = {0};
    (void)add(&m, "18", "1", 0.6, 1.0);
    (void)add(&m, "18", "1", 0.6, 1.0);
    (void)add(&m, "18", "2", 0.7, 1.0);
    group(&m);
    assert_int_equal(m.report.group_count, 2);
    assert_int_equal(m.report.groups[0].count, 2);
    assert_int_equal(m.report.groups[1].turn, 2);
    assert_string_equal(m.report.groups[1].label, "resnet18 (2)");
    release(&m);
}

static void only_whole_groups_can_be_best(void **state)
{
    (void)state;
    made m = {0};
    (void)add(&m, "18", "1", 0.5, 2.0);
    (void)add(&m, "18", "2", 0.5, 2.0);
    (void)add(&m, "34", "1", 0.6, 1.5);
    (void)add(&m, "34", "2", 0.6, NAN); /* its mean loss would be that of one run */
    (void)add(&m, "68", "1", 0.9, 0.1);
    rs__run *lost = add(&m, "68", "2", 0.9, 0.1);
    (void)add(&m, "101", "1", 0.9, 0.1); /* its second seed is missing */
    (void)snprintf(lost->state, sizeof lost->state, "diverged");
    group(&m);
    const rs__group *groups = m.report.groups;
    assert_int_equal(m.report.group_count, 4);
    assert_true(groups[0].complete && groups[1].complete && !groups[2].complete && !groups[3].complete);
    assert_int_equal(groups[2].diverged, 1);
    assert_true(!groups[0].results[ACCURACY].best && groups[1].results[ACCURACY].best);
    assert_false(groups[2].results[ACCURACY].best || groups[3].results[ACCURACY].best);
    for (int g = 0; g < 4; g++) {
        assert_false(groups[g].results[LOSS].best); /* of one group alone it is sound */
    }
    m.report.groups[1].planned = 3;
    rs__report_mark_best(&m.report);
    assert_false(groups[1].complete || groups[1].results[ACCURACY].best);
    release(&m);
}

static void labels_say_what_defaults_stand_for(void **state)
{
    (void)state;
    made m = {0};
    rs__run *runs[3];
    static const char *const rates[] = {"-1.0", "0.25", "0.5"},
                             *const optimizers[] = {"adam", "adagrad", "adam"},
                             *const epsilons[] = {"-1.0", "-1.0", "0.125"},
                             *const losses[] = {"auto", "mse", "auto"};
    for (int i = 0; i < 3; i++) {
        runs[i] = add(&m, "18", "1", 0.5, 2.0);
        runs[i]->settings[option_at("dropout")] = rates[i];
        runs[i]->settings[option_at("optimizer")] = optimizers[i];
        runs[i]->settings[option_at("epsilon")] = epsilons[i];
        runs[i]->settings[option_at("loss")] = losses[i];
    }
    group(&m);
    assert_string_equal(m.report.groups[0].label,
                        "dropout own, optimizer adam, epsilon 1e-8, loss cross-entropy");
    assert_string_equal(m.report.groups[1].label, "dropout 0.25, optimizer adagrad, epsilon 1e-10, loss mse");
    assert_string_equal(m.report.groups[2].label,
                        "dropout 0.5, optimizer adam, epsilon 0.125, loss cross-entropy");
    runs[0]->settings[option_at("dataset")] = "function";
    assert_string_equal(rs__report_setting(runs[0], option_at("loss")), "mse");
    assert_string_equal(rs__report_setting(runs[0], option_at("augment")), "none");
    release(&m);
}

/* As in figures; networks of one name are told apart by their options. */
static void networks_have_their_names(void **state)
{
    (void)state;
    made m = {0};
    add(&m, "18", "1", 0.5, 1.0)->settings[option_at("plain")] = "false";
    rs__run *plain = add(&m, "18", "1", 0.5, 1.0);
    plain->settings[option_at("plain")] = "true";
    plain->settings[option_at("batch-size")] = "64";
    plain->settings[option_at("nesterov")] = "true";
    group(&m);
    assert_string_equal(m.report.groups[0].label, "ResNet-18 plain, batch size 64, nesterov");
    assert_string_equal(m.report.groups[1].label, "ResNet-18, batch size none, without nesterov");
    assert_string_equal(rs__report_setting_shown(plain, option_at("plain")), "plain");
    assert_string_equal(rs__report_setting_shown(&m.runs[0], option_at("plain")), "residual");
    assert_string_equal(rs__report_setting(plain, option_at("plain")), "true"); /* what a program reads */
    release(&m);
    made same = {0};
    for (int i = 0; i < 2; i++) {
        add(&same, "18", "1", 0.5, 1.0)->settings[option_at("network")] = i ? "b/net.yaml" : "a/net.yaml";
    }
    group(&same);
    assert_string_equal(same.report.groups[0].label, "network a/net.yaml");
    assert_string_equal(same.report.groups[1].label, "network b/net.yaml");
    release(&same);
}

static void other_data_is_not_compared(void **state)
{
    (void)state;
    made m = {0};
    (void)add(&m, "18", "1", 0.6, 1.0);
    (void)add(&m, "34", "1", 0.5, 1.0);
    add(&m, "34", "2", 0.9, 1.0)->settings[option_at("dataset")] = "mnist";
    group(&m);
    for (int g = 0; g < m.report.group_count; g++) {
        const rs__spread *result = &m.report.groups[g].results[ACCURACY];
        assert_int_equal(result->best, result->mean == 0.6);
    }
    release(&m);
}

static void a_nan_is_left_out_of_a_mean(void **state)
{
    (void)state;
    const double values[] = {1.0, NAN, 3.0};
    rs__spread s = rs__report_spread(values, 3);
    assert_true(s.n == 2 && s.mean == 2.0 && fabs(s.std - sqrt(2.0)) < 1e-12);
    s = rs__report_spread(values + 1, 1);
    assert_true(s.n == 0 && isnan(s.mean) && isnan(s.std));
    s = rs__report_spread(values, 1);
    assert_true(s.n == 1 && s.mean == 1.0 && isnan(s.std));
}

static void check_text(double mean, double std, int64_t n, const char *expected)
{
    char text[64];
    const rs__spread spread = {.mean = mean, .std = std, .n = n};
    rs__report_spread_text(&spread, text, sizeof text);
    assert_string_equal(text, expected);
}

static void deviations_say_how_many_digits_count(void **state)
{
    (void)state;
    check_text(0.71234, 0.0041, 3, "0.7123 ± 0.0041");
    check_text(0.71234, 0.21, 3, "0.71 ± 0.21");
    check_text(123.456, 7.89, 3, "123.5 ± 7.9");
    check_text(12345.6, 789.0, 3, "12346 ± 789");
    check_text(0.5, 0.0, 3, "0.5000 ± 0.0000");
    check_text(0.71234, NAN, 1, "0.7123");
    check_text(0.0, NAN, 1, "0.0000");
    check_text(638.0, NAN, 1, "638.00");
    char text[64];
    const rs__spread none = {.mean = 0.0, .std = NAN, .n = 1, .counts = true},
                     same = {.mean = 3.0, .std = 0.0, .n = 3, .counts = true},
                     other = {.mean = 4.0, .std = 1.4, .n = 2, .counts = true};
    rs__report_spread_text(&none, text, sizeof text);
    assert_string_equal(text, "0");
    rs__report_spread_text(&same, text, sizeof text);
    assert_string_equal(text, "3 ± 0");
    rs__report_spread_text(&other, text, sizeof text);
    assert_string_equal(text, "4.0 ± 1.4");
    check_text(2.5e-7, 1e-8, 2, "2.5e-07 ± 1e-08");
    check_text(INFINITY, NAN, 1, "inf");
    check_text(NAN, NAN, 0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_are_averaged_and_the_best_is_marked),
        cmocka_unit_test(numbers_are_sorted_as_numbers),
        cmocka_unit_test(unfinished_runs_do_not_count_beside_finished_ones),
        cmocka_unit_test(the_same_seed_twice_is_not_averaged),
        cmocka_unit_test(only_whole_groups_can_be_best),
        cmocka_unit_test(labels_say_what_defaults_stand_for),
        cmocka_unit_test(networks_have_their_names),
        cmocka_unit_test(other_data_is_not_compared),
        cmocka_unit_test(a_nan_is_left_out_of_a_mean),
        cmocka_unit_test(deviations_say_how_many_digits_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
