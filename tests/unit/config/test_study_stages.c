/* test_study_stages.c: chains of stages: what begins from what, shared stages, series, parts of a study, faults. */
#include "config_test.h"

#include <stdlib.h>
#include <unistd.h>

#include "rs/host.h"
#include "study.h"

static char path[] = "/tmp/rs_study_stages_XXXXXX";

static rs_status expand(const char *text, const rs_study_override *overrides, int override_count, int turns,
                        rs_study_run **runs, int *count, rs_error *error)
{
    rs_study study;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    rs_status status = rs_study_read(&study, path, overrides, override_count, error);
    study.most_turns = turns;
    status = status ? status : rs_study_expand(&study, "out", runs, count, error);
    rs_study_clear(&study);
    return status;
}

#define TRANSFER                                                                                             \
    "study: s\nsettings: {dataset: shapes, epochs: 4}\nseeds: [1, 2]\n"                                      \
    "stages:\n  - {name: pre, seed: 7}\n  - {name: tuned, epochs: 2, learning-rate: 0.5}\n"

/* Stage `pre` is the same for both seeds: run once; both chains go on from it. */
static void a_stage_begins_from_the_one_before_and_a_shared_one_runs_once(void **state)
{
    (void)state;
    rs_study_run *runs = NULL;
    int count = 0;
    ASSERT_TAKEN(expand(TRANSFER, NULL, 0, 0, &runs, &count, &error));
    assert_int_equal(count, 3);
    assert_string_equal(runs[0].label, "stage pre, seed 7");
    assert_string_equal(runs[1].label, "stage tuned, seed 1");
    assert_string_equal(runs[2].label, "stage tuned, seed 2");
    assert_int_equal(runs[0].from, -1);
    assert_string_equal(runs[0].config.init_from, "");
    assert_int_equal(runs[0].config.seed, 7);
    assert_int_equal(runs[0].config.epochs, 4);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(runs[i].from, 0);
        assert_string_equal(runs[i].config.init_from, runs[0].config.out);
        assert_int_equal(runs[i].config.seed, i);
        assert_int_equal(runs[i].config.epochs, 2);
    }
    rs_free(runs);
}

/* A run's name depends on what it begins from, but not on where that lies. */
static void names_depend_on_the_stage_before(void **state)
{
    (void)state;
    rs_study_run *runs = NULL, *others = NULL;
    int count = 0;
    const rs_study_override longer = {.key = "width", .value = "standard"};
    ASSERT_TAKEN(expand(TRANSFER, NULL, 0, 0, &runs, &count, &error));
    ASSERT_TAKEN(expand(TRANSFER, &longer, 1, 0, &others, &count, &error));
    char name[128];
    assert_string_not_equal(runs[1].name, others[1].name);
    rs_config moved = runs[1].config;
    (void)snprintf(moved.init_from, sizeof moved.init_from, "/elsewhere/%s.h5", runs[0].name);
    rs_config_run_name(&moved, name, sizeof name);
    assert_string_equal(name, runs[1].name);
    (void)snprintf(moved.init_from, sizeof moved.init_from, "/elsewhere/another.h5");
    rs_config_run_name(&moved, name, sizeof name);
    assert_string_not_equal(name, runs[1].name);
    rs_free(runs);
    rs_free(others);
}

static void repeats_and_series_go_on_from_turn_to_turn(void **state)
{
    (void)state;
    rs_study_run *runs = NULL;
    int count = 0;
    const char *text = "study: s\nsettings: {dataset: shapes}\nstages:\n"
                       "  - {name: carried, init-optimizer: true, series: {batch-size: [16, 32, 64]}}\n"
                       "  - {name: stretch, repeat: 5}\n"
                       "  - {name: fresh, from: none, epochs: 1}\n";
    ASSERT_TAKEN(expand(text, NULL, 0, 0, &runs, &count, &error));
    assert_int_equal(count, 9);
    static const int from[] = {-1, 0, 1, 2, 3, 4, 5, 6, -1};
    for (int i = 0; i < count; i++) {
        assert_int_equal(runs[i].from, from[i]);
        assert_int_equal(runs[i].config.init_optimizer, i == 1 || i == 2);
    }
    assert_int_equal(runs[1].config.batch_size, 32);
    assert_string_equal(runs[1].label, "stage carried, batch-size 32");
    assert_string_equal(runs[7].label, "stage stretch 5/5");
    rs_free(runs);
    ASSERT_TAKEN(expand(text, NULL, 0, 2, &runs, &count, &error));
    assert_int_equal(count, 6);
    rs_free(runs);
}

static void the_command_line_wins_over_stages(void **state)
{
    (void)state;
    rs_study_run *runs = NULL;
    int count = 0;
    const rs_study_override shorter = {.key = "epochs", .value = "1"};
    ASSERT_TAKEN(expand(TRANSFER, &shorter, 1, 0, &runs, &count, &error));
    for (int i = 0; i < count; i++) {
        assert_int_equal(runs[i].config.epochs, 1);
        assert_string_equal(runs[i].changed, "epochs 1");
    }
    rs_free(runs);
}

/* --seeds are those of the chains: a stage's own seed is part of what it is. --set seed is for all. */
static void seeds_leave_the_seed_of_a_stage(void **state)
{
    (void)state;
    rs_study_run *runs = NULL, *same = NULL;
    int count = 0;
    const rs_study_override own = {.key = "seed", .value = "1..2", .ranges = true};
    const rs_study_override set = {.key = "seed", .value = "1,2"};
    ASSERT_TAKEN(expand(TRANSFER, NULL, 0, 0, &runs, &count, &error));
    ASSERT_TAKEN(expand(TRANSFER, &own, 1, 0, &same, &count, &error));
    assert_int_equal(count, 3);
    for (int i = 0; i < count; i++) {
        assert_string_equal(same[i].name, runs[i].name);
        assert_string_equal(same[i].changed, "");
    }
    rs_free(same);
    ASSERT_TAKEN(expand(TRANSFER, &set, 1, 0, &same, &count, &error));
    assert_int_equal(count, 4);
    assert_int_equal(same[0].config.seed, 1);
    assert_int_equal(same[2].config.seed, 2);
    rs_free(same);
    rs_free(runs);
}

/* Found by search; should names be hashed otherwise some day, this finds two others: seeds from 2 up until two names are one. */
enum { SEED = 67451, TWIN = 108893 };

static void runs_of_one_hash_are_not_taken_for_one(void **state)
{
    (void)state;
    char text[512], a[128], b[128];
    rs_study_run *runs = NULL;
    int count = 0;
    rs_config c;
    rs_config_default(&c);
    ASSERT_TAKEN(rs_config_set(&c, "dataset", "shapes", NULL, &error));
    c.seed = SEED;
    rs_config_run_name(&c, a, sizeof a);
    c.seed = TWIN;
    rs_config_run_name(&c, b, sizeof b);
    assert_string_equal(a, b);
    rs_error error = {0};
    (void)snprintf(text, sizeof text,
                   "study: s\nsettings: {dataset: shapes}\nseeds: [%d, %d]\n"
                   "stages: [{name: a}, {name: b, epochs: 1}]\n",
                   SEED, TWIN);
    assert_int_equal(expand(text, NULL, 0, 0, &runs, &count, &error), RS_USAGE);
    assert_non_null(strstr(error.text, "differ in seed, but the hash of both gives one name"));
}

/* A group is a stage's turn of one point of the grid, whatever its label: here one label and two points. */
static void groups_go_by_what_runs_are(void **state)
{
    (void)state;
    rs_study_run *runs = NULL;
    int count = 0;
    ASSERT_TAKEN(expand("study: s\nsettings: {dataset: shapes}\ngrid: {depth: [18, 34]}\nseeds: [1, 2]\n"
                        "stages: [{name: a}, {name: b, repeat: 2}]\n",
                        NULL, 0, 0, &runs, &count, &error));
    assert_int_equal(count, 12);
    for (int i = 0; i < count; i++) {
        assert_int_equal(runs[i].cell, i / 6);
        assert_int_equal(runs[i].turn, i % 3);
    }
    assert_string_equal(runs[11].group, "depth 34, stage b 2/2");
    assert_string_equal(runs[11].label, "depth 34, stage b 2/2, seed 2");
    rs_free(runs);
}

/* Together the parts are the whole, and no part needs a run of another. */
static void parts_keep_together_what_depends_on_each_other(void **state)
{
    (void)state;
    const char *text = "study: s\nsettings: {dataset: shapes}\nseeds: [1..5]\nstages:\n"
                       "  - {name: first, repeat: 2}\n  - {name: second, epochs: 2}\n";
    int total = 0;
    for (int part = 0; part < 3; part++) {
        rs_study_run *runs = NULL;
        int count = 0;
        ASSERT_TAKEN(expand(text, NULL, 0, 0, &runs, &count, &error));
        assert_int_equal(count, 15);
        rs_study_take_shard(runs, &count, part, 3);
        assert_int_equal(count, part == 2 ? 3 : 6);
        for (int i = 0; i < count; i++) {
            assert_true(runs[i].from < i);
            assert_string_equal(runs[i].config.init_from,
                                runs[i].from < 0 ? "" : runs[runs[i].from].config.out);
        }
        total += count;
        rs_free(runs);
    }
    assert_int_equal(total, 15);
}

static void faults_are_named_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *stages, *says;
    } faults[] = {
        {"stages: []\n", ":2: stages is an empty list"},
        {"stages:\n  - {epochs: 2}\n", ":3: a stage without a name"},
        {"stages:\n  - {name: a}\n  - {name: a}\n", ":4: a second stage named a"},
        {"stages:\n  - {name: a, from: b}\n  - {name: b}\n", ":3: from: b is no earlier stage"},
        {"stages:\n  - {name: a, repeat: 0}\n", ":3: repeat: 0 is not a whole number from 1 to 1000"},
        {"stages:\n  - {name: a, series: {epochs: [1], depth: [18]}}\n", ":3: series takes one option"},
        {"stages:\n  - {name: a, series: {epochs: []}}\n", ":3: series: epochs has no values"},
        {"stages:\n  - {name: a, series: {epoch: [1]}}\n", "nearest epochs"},
        {"stages:\n  - {name: a, init-from: x.h5}\n", ":3: a stage begins from another one by `from: NAME`"},
        {"stages:\n  - {name: a, series: {init-from: [x.h5, y.h5]}}\n",
         ":3: a stage begins from another one"},
        {"stages:\n  - {name: \"a,b\"}\n", ":3: name \"a,b\": names hold no comma"},
        {"stages:\n  - {name: a, epochs: -1}\n", ":3: epochs -1"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char text[512];
        rs_study_run *runs = NULL;
        int count = 0;
        rs_error error = {0};
        (void)snprintf(text, sizeof text, "study: s\n%s", faults[i].stages);
        assert_int_equal(expand(text, NULL, 0, 0, &runs, &count, &error), RS_USAGE);
        if (!strstr(error.text, faults[i].says)) {
            print_error("\"%s\" is not in: %s\n", faults[i].says, error.text);
        }
        assert_non_null(strstr(error.text, faults[i].says));
    }
}

static int make_file(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file >= 0 ? close(file) : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stage_begins_from_the_one_before_and_a_shared_one_runs_once),
        cmocka_unit_test(names_depend_on_the_stage_before),
        cmocka_unit_test(repeats_and_series_go_on_from_turn_to_turn),
        cmocka_unit_test(the_command_line_wins_over_stages),
        cmocka_unit_test(seeds_leave_the_seed_of_a_stage),
        cmocka_unit_test(runs_of_one_hash_are_not_taken_for_one),
        cmocka_unit_test(groups_go_by_what_runs_are),
        cmocka_unit_test(parts_keep_together_what_depends_on_each_other),
        cmocka_unit_test(faults_are_named_with_their_line),
    };
    return cmocka_run_group_tests_name("stages", tests, make_file, remove_file);
}
