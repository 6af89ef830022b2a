/* test_plot_groups.c: which runs are one but for their seeds, what a group is called, and how it looks. No record is opened:
 * a configuration is all that is asked for. */
#include <stdio.h>
#include <string.h>

#include "chart.h"
#include "groups.h"
#include "harness.h"
#include "rs/host.h"

enum { MOST = 8 };

static rs_error error;
static rs_config configs[MOST];
static rs__input list[MOST];
static char names[MOST][64];
static rs__inputs inputs;

/* One more run, called `name`, with "key=value key=value". */
static void add(const char *name, const char *settings)
{
    const int i = inputs.count++;
    char text[256], *at = text;
    rs_config_default(&configs[i]);
    (void)snprintf(text, sizeof text, "%s", settings);
    (void)snprintf(names[i], sizeof names[i], "%s", name);
    for (char *word; (word = strsep(&at, " "));) {
        char *value = strchr(word, '=');
        if (value) {
            *value = '\0';
            harness_ok(rs_config_set(&configs[i], word, value + 1, "test", &error), &error);
        }
    }
    /* groups ask only whether there is a record */
    list[i] = (rs__input){
        .path = names[i], .name = names[i], .record = (rs_record_reader *)&configs[i], .config = &configs[i]};
    inputs.list = list;
}

static int begin(void **state)
{
    (void)state;
    inputs.count = 0;
    return 0;
}

static void make(const char *ignored, rs__groups *groups)
{
    const rs__palettes palettes = {0, 0};
    harness_ok(rs__groups_make(&inputs, &palettes, ignored, groups, &error), &error);
}

/* The runs added make groups with these labels, in this order, and no other. */
static void assert_labels(const char *ignored, int count, const char *const labels[])
{
    rs__groups groups;
    make(ignored, &groups);
    assert_int_equal(groups.count, count);
    for (int g = 0; g < count; g++) {
        assert_string_equal(groups.list[g].label, labels[g]);
    }
    rs__groups_free(&groups);
}

static void test_seeds(void **state)
{
    rs__groups groups;
    (void)state;
    add("a", "seed=1");
    add("b", "seed=2 threads=3 out=x.h5");
    add("c", "seed-order=7 seed-split=3");
    add("d", "seed=1 learning-rate=0.01");
    make(NULL, &groups);
    assert_int_equal(groups.count, 2);
    assert_int_equal(groups.list[0].count, 3);
    assert_true(groups.list[0].runs[2] == &list[2] && groups.list[1].runs[0] == &list[3]);
    assert_string_equal(groups.list[0].label, "learning rate 0.001");
    assert_string_equal(groups.list[1].label, "learning rate 0.01");
    assert_int_not_equal(groups.list[0].colour, groups.list[1].colour);
    rs__groups_free(&groups);
}

static void test_one(void **state)
{
    rs__groups groups;
    (void)state;
    add("a", "depth=34 plain=true dataset=mnist");
    make(NULL, &groups);
    assert_int_equal(groups.count, 1);
    assert_string_equal(groups.list[0].label, "ResNet-34 plain, MNIST");
    assert_int_equal(groups.list[0].dash, RS__SOLID);
    rs__groups_free(&groups);
}

/* In black and white lines differ by their dashes; the key leaves out what a schedule does not read. */
static void test_schedules(void **state)
{
    rs__groups groups;
    (void)state;
    add("a", "schedule=constant schedule-step=30");
    add("b", "schedule=step schedule-step=15");
    add("c", "schedule=inverse-time schedule-step=15");
    make(NULL, &groups);
    assert_int_equal(groups.count, 3);
    assert_string_equal(groups.list[0].label, "schedule constant");
    assert_string_equal(groups.list[1].label, "schedule inverse-time");
    assert_string_equal(groups.list[2].label, "schedule step, schedule step 15");
    assert_int_not_equal(groups.list[0].dash, groups.list[1].dash);
    assert_int_not_equal(groups.list[1].dash, groups.list[2].dash);
    assert_int_not_equal(groups.list[0].dash, groups.list[2].dash);
    rs__groups_free(&groups);
}

static void test_twins(void **state)
{
    rs__groups groups;
    (void)state;
    add("a", "depth=18");
    add("b", "depth=18 plain=true");
    add("c", "depth=34");
    add("d", "depth=34 plain=true seed=2");
    make(NULL, &groups);
    assert_int_equal(groups.count, 4);
    assert_string_equal(groups.list[0].label, "ResNet-18 plain");
    assert_string_equal(groups.list[3].label, "ResNet-34");
    for (int g = 0; g < 4; g += 2) {
        assert_int_equal(groups.list[g].colour, groups.list[g + 1].colour);
        assert_int_equal(groups.list[g].dash, RS__DASHED);
        assert_int_equal(groups.list[g + 1].dash, RS__SOLID);
    }
    assert_int_not_equal(groups.list[0].colour, groups.list[2].colour);
    rs__groups_free(&groups);
}

/* Whatever the order of the files, as the report has it: numbers by size, plain before residual. */
static void test_order(void **state)
{
    static const char *const order[] = {"ResNet-18 plain", "ResNet-18", "ResNet-34", "ResNet-101"};
    rs__groups groups;
    (void)state;
    add("a", "depth=101");
    add("b", "depth=18 plain=true seed=2");
    add("c", "depth=34");
    add("d", "depth=18 plain=true seed=1");
    add("e", "depth=18");
    make(NULL, &groups);
    assert_int_equal(groups.count, 4);
    for (int g = 0; g < 4; g++) {
        assert_string_equal(groups.list[g].label, order[g]);
    }
    assert_true(groups.list[0].runs[0] == &list[1] && groups.list[0].runs[1] == &list[3]);
    rs__groups_free(&groups);
}

static void test_labels(void **state)
{
    static const char *const both[] = {"CIFAR-10, batch size 1024, nesterov",
                                       "CIFAR-100, batch size 64, without nesterov"};
    static const char *const rest[] = {"batch size 64, without nesterov", "batch size 1024, nesterov"};
    (void)state;
    add("a", "optimizer=sgd momentum=0.9 nesterov=true");
    add("b", "optimizer=sgd momentum=0.9 batch-size=64 dataset=cifar100");
    assert_labels(NULL, 2, both);
    assert_labels("dataset", 2, rest);
}

/* The network's own rate, and a switch at the beginning, say nothing. */
static void test_values_that_say_nothing(void **state)
{
    static const char *const labels[] = {"isolate off", "dropout 0.6, isolate frozen, isolate from 2"};
    (void)state;
    add("a", "network=nn-2x256 dropout=0.6 isolate=frozen isolate-from=2");
    add("b", "network=nn-2x256");
    assert_labels(NULL, 2, labels);
}

static void test_ignored(void **state)
{
    static const char *const labels[] = {"ResNet-18"};
    (void)state;
    add("a", "dataset=mnist");
    add("b", "dataset=cifar10 seed=4");
    assert_labels("dataset", 1, labels);
}

/* No limit is told as that, not as a limit of 0. */
static void test_limits(void **state)
{
    static const char *const labels[] = {"no test limit", "test limit 128"};
    (void)state;
    add("a", "test-limit=0");
    add("b", "test-limit=128");
    assert_labels(NULL, 2, labels);
}

/* The label of a row of a sheet does not tell another row's network. */
static void test_ignored_network(void **state)
{
    rs__groups groups;
    (void)state;
    add("a", "depth=18");
    add("b", "depth=18 plain=true");
    add("c", "depth=34");
    add("d", "depth=34 plain=true");
    make("depth", &groups);
    assert_int_equal(groups.count, 2);
    assert_string_equal(groups.list[0].label, "plain");
    assert_string_equal(groups.list[1].label, "residual");
    rs__groups_free(&groups);
    make("plain", &groups);
    assert_int_equal(groups.count, 2);
    assert_string_equal(groups.list[1].label, "ResNet-34");
    rs__groups_free(&groups);
}

/* On a sheet by network what is kept may go with the network, and no network is told; else it is told where nothing else differs. */
static void test_what_is_kept(void **state)
{
    rs__groups groups;
    (void)state;
    add("a", "network=nn-2x256 snapshots=none isolate=frozen");
    add("b", "network=nn-4x256 snapshots=all isolate=frozen");
    make("network", &groups);
    assert_int_equal(groups.count, 1);
    assert_null(strstr(groups.list[0].label, "nn"));
    assert_null(strstr(groups.list[0].label, "all"));
    rs__groups_free(&groups);
    make(NULL, &groups);
    assert_int_equal(groups.count, 2);
    assert_string_equal(groups.list[1].label, "nn-4x256");
    rs__groups_free(&groups);
    add("c", "network=nn-4x256 snapshots=none isolate=frozen");
    make(NULL, &groups);
    assert_int_equal(groups.count, 3);
    assert_string_equal(groups.list[2].label, "nn-4x256, snapshots none");
    rs__groups_free(&groups);
}

/* What was begun from runs of one group is one group; from others, or files of other names, it is not. */
static void test_chains(void **state)
{
    rs__groups groups;
    (void)state;
    add("pre-1", "seed=1");
    add("pre-2", "seed=2");
    add("pre-3", "seed=1 epochs=9");
    add("a", "init-from=runs/pre-1.h5 epochs=3 seed=1");
    add("b", "init-from=elsewhere/pre-2.h5 epochs=3 seed=2");
    add("c", "init-from=runs/pre-3.h5 epochs=3 seed=1");
    add("d", "init-from=runs/other.h5 epochs=3");
    make(NULL, &groups);
    assert_int_equal(groups.count, 5);
    assert_int_equal(groups.list[0].count, 2);
    assert_int_equal(groups.list[3].count, 2);
    assert_true(groups.list[0].runs[1] == &list[4] && groups.list[1].runs[0] == &list[5]);
    /* the same label would say nothing: the file is told */
    assert_string_equal(groups.list[1].label, "epochs 3, c");
    rs__groups_free(&groups);
}

/* Two runs that name each other as their beginning end nowhere, but end. */
static void test_circle(void **state)
{
    rs__groups groups;
    (void)state;
    add("a", "init-from=b.h5");
    add("b", "init-from=a.h5");
    make(NULL, &groups);
    assert_in_range(groups.count, 1, 2);
    rs__groups_free(&groups);
}

static void test_colours(void **state)
{
    const rs__palettes palettes = {0, 0};
    rs__palettes parsed;
    (void)state;
    for (int a = 0; a < 30; a++) {
        for (int b = a + 1; b < 30; b++) {
            assert_int_not_equal(rs__line_colour(&palettes, a, 30), rs__line_colour(&palettes, b, 30));
        }
    }
    assert_int_equal(rs__depth_colour(&palettes, 0.0), 0x440154);
    assert_int_equal(rs__depth_colour(&palettes, -1.0), 0x440154);
    assert_int_equal(rs__depth_colour(&palettes, 2.0), rs__depth_colour(&palettes, 1.0));
    harness_ok(rs__palettes_parse("grey,bright", &parsed, &error), &error);
    assert_int_equal(rs__line_colour(&parsed, 0, 1), 0x4477aa);
    assert_int_equal(rs__depth_colour(&parsed, 0.0), 0);
    assert_int_equal(rs__palettes_parse("viridsi", &parsed, &error), RS_USAGE);
    assert_non_null(strstr(error.text, "nearest viridis"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_seeds, begin),
        cmocka_unit_test_setup(test_one, begin),
        cmocka_unit_test_setup(test_schedules, begin),
        cmocka_unit_test_setup(test_twins, begin),
        cmocka_unit_test_setup(test_order, begin),
        cmocka_unit_test_setup(test_labels, begin),
        cmocka_unit_test_setup(test_ignored, begin),
        cmocka_unit_test_setup(test_chains, begin),
        cmocka_unit_test_setup(test_circle, begin),
        cmocka_unit_test_setup(test_values_that_say_nothing, begin),
        cmocka_unit_test_setup(test_limits, begin),
        cmocka_unit_test_setup(test_ignored_network, begin),
        cmocka_unit_test_setup(test_what_is_kept, begin),
        cmocka_unit_test(test_colours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
