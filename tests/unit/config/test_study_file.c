/* test_study_file.c: study files: the runs they stand for, --set, and every fault with its line. */
#include "config_test.h"

#include <stdlib.h>
#include <unistd.h>

#include "rs/host.h"
#include "short_memory.h"
#include "study.h"

static char path[] = "/tmp/rs_study_file_XXXXXX";

static void write_study(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static rs_status expand(const char *text, const rs_study_override *overrides, int override_count,
                        rs_study_run **runs, int *count, rs_error *error)
{
    rs_study study;
    write_study(text);
    rs_status status = rs_study_read(&study, path, overrides, override_count, error);
    status = status ? status : rs_study_expand(&study, "out", runs, count, error);
    rs_study_clear(&study);
    return status;
}

#define GRID                                                                                                 \
    "study: s\nsettings: {width: even, epochs: 2}\n"                                                         \
    "grid:\n  dataset: [mnist, shapes]\n  depth: [18, 34]\nseeds: [1, 3..4]\n"

static void a_grid_is_every_combination_in_the_order_of_the_file(void **state)
{
    (void)state;
    rs_study_run *runs = NULL;
    int count = 0;
    ASSERT_TAKEN(expand(GRID, NULL, 0, &runs, &count, &error));
    assert_int_equal(count, 12);
    static const char *const labels[] = {"dataset mnist, depth 18, seed 1", "dataset mnist, depth 18, seed 3",
                                         "dataset mnist, depth 18, seed 4",
                                         "dataset mnist, depth 34, seed 1"};
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        assert_string_equal(runs[i].label, labels[i]);
    }
    for (int i = 0; i < count; i++) {
        char out[256];
        assert_int_equal(runs[i].config.epochs, 2);
        assert_int_equal(runs[i].config.depth, i / 3 % 2 ? 34 : 18);
        assert_string_equal(runs[i].config.dataset, i < 6 ? "mnist" : "shapes");
        assert_int_equal(runs[i].config.seed, i % 3 == 0 ? 1 : i % 3 + 2);
        (void)snprintf(out, sizeof out, "out/s/%s.h5", runs[i].name);
        assert_string_equal(runs[i].config.out, out);
    }
    rs_free(runs);
}

static void a_study_of_settings_alone_is_one_run(void **state)
{
    (void)state;
    rs_study_run *runs = NULL;
    int count = 0;
    ASSERT_TAKEN(expand("study: one\nsettings: {plain: true}\n", NULL, 0, &runs, &count, &error));
    assert_int_equal(count, 1);
    assert_true(runs[0].config.plain);
    assert_string_equal(runs[0].label, "");
    rs_free(runs);
}

static void cases_change_settings_and_cross_the_grid(void **state)
{
    (void)state;
    rs_study_run *runs = NULL;
    int count = 0;
    ASSERT_TAKEN(
        expand("study: s\nsettings: {optimizer: sgd, learning-rate: 0.5}\n"
               "cases:\n- name: as-published\n  momentum: 0.9\n- {name: corrected, optimizer: adam}\n"
               "grid: {depth: [18, 34]}\n",
               NULL, 0, &runs, &count, &error));
    assert_int_equal(count, 4);
    assert_string_equal(runs[1].label, "as-published, depth 34");
    assert_true(runs[1].config.momentum == 0.9);
    assert_string_equal(runs[1].config.optimizer, "sgd");
    assert_string_equal(runs[2].label, "corrected, depth 18");
    assert_string_equal(runs[2].config.optimizer, "adam");
    assert_true(runs[2].config.learning_rate == 0.5);
    rs_free(runs);
}

static void set_wins_over_the_file(void **state)
{
    (void)state;
    const rs_study_override overrides[] = {{"dataset", "cifar10", false}, {"depth", "26,50", false},
                                           {"depth", "101", false},       {"width", "standard", false},
                                           {"blocks", "1,1,1,1", false},  {"plain", "false,true", false},
                                           {"seed", "7..8", true}};
    rs_study_run *runs = NULL;
    int count = 0;
    ASSERT_TAKEN(expand(GRID, overrides, 7, &runs, &count, &error));
    assert_int_equal(count, 12); /* depth 26, 50, 101; seed 7, 8; plain */
    for (int i = 0; i < count; i++) {
        assert_string_equal(runs[i].config.dataset, "cifar10");
        assert_string_equal(runs[i].config.width, "standard");
        assert_string_equal(runs[i].config.blocks, "1,1,1,1");
        assert_int_equal(runs[i].config.depth, i < 4 ? 26 : i < 8 ? 50 : 101);
        assert_int_equal(runs[i].config.seed, i / 2 % 2 ? 8 : 7);
        assert_int_equal(runs[i].config.plain, i % 2);
    }
    rs_free(runs);
}

/* A part of a study has the groups' names of the whole, and says what else was changed. */
static void an_axis_of_the_file_stays_in_the_labels(void **state)
{
    (void)state;
    const rs_study_override overrides[] = {{"depth", "34", false},  {"dataset", "mnist", false},
                                           {"epochs", "1", false},  {"width", "even", false},
                                           {"threads", "1", false}, {"seed", "3", true}};
    rs_study_run *runs = NULL;
    int count = 0;
    ASSERT_TAKEN(expand(GRID, overrides, 6, &runs, &count, &error));
    assert_int_equal(count, 1);
    assert_string_equal(runs[0].group, "dataset mnist, depth 34");
    assert_string_equal(runs[0].label, "dataset mnist, depth 34, seed 3");
    assert_string_equal(runs[0].changed, "epochs 1"); /* width is as in the file, threads change nothing */
    rs_free(runs);
}

/* Names of groups are never cut: two would be one. */
static void a_group_whose_name_is_too_long_is_refused(void **state)
{
    (void)state;
    char text[1024], name[401];
    rs_study_run *runs = NULL;
    int count = 0;
    rs_error error = {0};
    memset(name, 'a', 400);
    name[400] = '\0';
    (void)snprintf(text, sizeof text, "study: s\ncases: [{name: %s}]\n", name);
    assert_int_equal(expand(text, NULL, 0, &runs, &count, &error), RS_USAGE);
    assert_non_null(strstr(error.text, "the name of a group of runs is longer than 383 characters: aaaa"));
}

/* Names of networks have no commas, lists of blocks do. */
static void commas_part_values_that_hold_none(void **state)
{
    (void)state;
    const rs_study_override overrides[] = {{"network", "cnn-a,cnn-b", false},
                                           {"snapshots", "epochs:0,1", false}};
    rs_study_run *runs = NULL;
    int count = 0;
    ASSERT_TAKEN(expand("study: s\n", overrides, 2, &runs, &count, &error));
    assert_int_equal(count, 2);
    assert_string_equal(runs[1].config.network, "cnn-b");
    assert_string_equal(runs[1].config.snapshots, "epochs:0,1");
    rs_free(runs);
}

static void every_fault_is_named_before_anything_runs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message; /* behind the path */
    } cases[] = {
        {"", ":1: the file is empty"},
        {"[1]", ":1: it must be a map of keys and values, not a list"},
        {"grid: {depth: [18]}", ":1: no study: NAME; the name of the study is missing"},
        {"study: a/b",
         ":1: study a/b: not 1 to 60 letters, digits, '.', '_' or '-', the first a letter or digit "
         "(it names a folder)"},
        {"study: ..",
         ":1: study ..: not 1 to 60 letters, digits, '.', '_' or '-', the first a letter or digit "
         "(it names a folder)"},
        {"study: s\ngird: {}", ":2: unknown key gird: not one of study, description, settings, grid, cases, "
                               "seeds, stages; nearest grid"},
        {"study: s\nsettings: 3", ":2: settings must be a map of keys and values, not a single value"},
        {"study: s\nsettings:\n  depht: 18", ":3: unknown key depht; nearest depth"},
        {"study: s\nsettings:\n  depth: 67", ":3: depth 67: not one of 18, 26, 34, 50, 68, 101; nearest 68"},
        {"study: s\ngrid:\n  depth: 18", ":3: depth must be a list, not a single value"},
        {"study: s\ngrid:\n  depth: []", ":3: depth is an empty list: the study would have no run"},
        {"study: s\ngrid:\n  depth:\n  - 18\n  - 67",
         ":5: depth 67: not one of 18, 26, 34, 50, 68, 101; nearest 68"},
        {"study: s\ngrid:\n  depth: [[18]]", ":3: it must be a single value, not a list"},
        {"study: s\ngrid:\n  depht: [18]", ":3: unknown key depht; nearest depth"},
        {"study: s\nsettings: {depth: 18}\ngrid: {depth: [18]}",
         ":3: depth is given here and in settings (line 2); leave one out"},
        {"study: s\nsettings: {seed: 18}\nseeds: [1]",
         ":3: seed is given here and in settings (line 2); leave one out"},
        {"study: s\ngrid: {seed: [18]}\nseeds: [1]",
         ":3: seed is given here and in grid (line 2); leave one out"},
        {"study: s\nseeds: [3..1]", ":2: 3..1 is not a range A..B of at most 10000 seeds"},
        {"study: s\nseeds: [x]", ":2: seed x: not a whole number of at least 0"},
        {"study: s\ncases: [{plain: true}]", ":2: a case without a name; begin it with - name: NAME"},
        {"study: s\ncases:\n- name: a\n- name: b\n- name: a", ":5: a second case named a; first in line 3"},
        {"study: s\ncases:\n- name: a\n  depth: 34\ngrid: {depth: [18]}",
         ":4: depth is varied by the grid or the seeds; a case cannot set it"},
        {"study: s\ncases: [{name: \"a,b\"}]", ":2: name \"a,b\": names hold no comma and are not empty"},
        {"study: s\nsettings: {out: x.h5}",
         ": out, resume and overwrite are for `run` to set; leave them out "
         "(folder: --out-dir)"},
        {"study: s\ncases: [{name: a, network: cnn-a}, {name: b, network: cnn-aa}]",
         ": run 2 (b): there is no network \"cnn-aa\"; nearest cnn-a; `resnet_study networks` lists them, a "
         "file's "
         "name has a slash or ends in .yaml"},
        {"study: s\ngrid: {network: [dropout-net, baseline-net]}\nsettings: {dropout: 0.5}",
         ": run 2 (network baseline-net): --dropout 0.5: network baseline-net has no dropout layer"},
        {"study: s\nsettings: {dropout: 0.5}",
         ": run 1 (s): --dropout 0.5: network resnet18 has no dropout layer"},
        {"study: s\nsettings: {dataset: mnist, resize: 6, network: cnn-a}",
         ": run 1 (s): networks/cnn-a.yaml:8: conv2: a window of 5 does not fit into an input of 1 x 1 with "
         "padding 0"},
        {"study: s\ngrid: {threads: [1, 2]}", ": runs 1 (threads 1) and 2 (threads 2) are the same run: they "
                                              "differ in nothing that changes results"},
        {"study: s\ngrid: {optimizer: [sgd, adam], momentum: [0.5, 0.9]}",
         ": run 3 (optimizer adam, momentum 0.5): --momentum is of --optimizer sgd and rmsprop; adam has "
         "--beta1"},
        {"study: s\nseeds: [0..9999]\ngrid: {plain: [true, false]}",
         ": more than 10000 runs; take fewer values with --set KEY=VALUES"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char message[1024];
        rs_study_run *runs = NULL;
        int count = 0;
        (void)snprintf(message, sizeof message, "%s%s", path, cases[i].message);
        ASSERT_REFUSED(expand(cases[i].text, NULL, 0, &runs, &count, &error), message);
        assert_null(runs);
    }
}

static void a_bad_set_names_itself(void **state)
{
    (void)state;
    static const struct {
        rs_study_override override;
        const char *message;
    } cases[] = {
        {{"depth", "18,67", false}, "--set depth 67: not one of 18, 26, 34, 50, 68, 101; nearest 68"},
        {{"depth", "", false}, "--set depth \"\": not one of 18, 26, 34, 50, 68, 101"},
        {{"depht", "18", false}, "--set depht: unknown option; nearest --depth"},
        {{"seed", "4..2", true}, "--seeds: 4..2 is not a range A..B of at most 10000 seeds"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs_study_run *runs = NULL;
        int count = 0;
        ASSERT_REFUSED(expand(GRID, &cases[i].override, 1, &runs, &count, &error), cases[i].message);
    }
}

static rs_status expand_grid(rs_error *error)
{
    rs_study_run *runs = NULL;
    int count = 0;
    rs_status status = expand(GRID, NULL, 0, &runs, &count, error);
    rs_free(runs);
    return status;
}

static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    assert_true(count_requests(expand_grid) > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_is_every_combination_in_the_order_of_the_file),
        cmocka_unit_test(a_study_of_settings_alone_is_one_run),
        cmocka_unit_test(cases_change_settings_and_cross_the_grid),
        cmocka_unit_test(set_wins_over_the_file),
        cmocka_unit_test(an_axis_of_the_file_stays_in_the_labels),
        cmocka_unit_test(a_group_whose_name_is_too_long_is_refused),
        cmocka_unit_test(commas_part_values_that_hold_none),
        cmocka_unit_test(every_fault_is_named_before_anything_runs),
        cmocka_unit_test(a_bad_set_names_itself),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
    };
    int file = mkstemp(path);
    if (file < 0) {
        return 1;
    }
    (void)close(file);
    int failed = cmocka_run_group_tests_name("study files", tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
