/* test_selection.c: --record and --snapshots: what is kept, of what, when. */
#include "config_test.h"

#include <stdlib.h>

static rs_config with(const char *name, const char *text)
{
    rs_config c;
    rs_config_default(&c);
    ASSERT_TAKEN(rs_config_set(&c, name, text, NULL, &error));
    return c;
}

static void record_takes_names_and_globs(void **state)
{
    (void)state;
    rs_config c = with("record", "weights:layer4*,weights:layer1.0,distances,gradients:*.conv1.weight");
    assert_true(rs_config_records(&c, RS_RECORD_WEIGHTS, NULL));
    assert_true(rs_config_records(&c, RS_RECORD_WEIGHTS, "layer4.2.conv1.weight"));
    assert_true(rs_config_records(&c, RS_RECORD_WEIGHTS, "layer1.0.bn1.running_mean"));
    assert_false(rs_config_records(&c, RS_RECORD_WEIGHTS, "layer1.01.conv1.weight"));
    assert_false(rs_config_records(&c, RS_RECORD_WEIGHTS, "layer1.1.conv1.weight"));
    assert_false(rs_config_records(&c, RS_RECORD_WEIGHTS, "fc.weight"));
    assert_true(rs_config_records(&c, RS_RECORD_DISTANCES, "layer1.0"));
    assert_true(rs_config_records(&c, RS_RECORD_GRADIENTS, "layer3.1.conv1.weight"));
    assert_false(rs_config_records(&c, RS_RECORD_GRADIENTS, "conv1.weight"));
    assert_false(rs_config_records(&c, RS_RECORD_GRADIENT_STATS, NULL));
    c = with("record", "none");
    for (int what = 0; what < RS_RECORDABLES; what++) {
        assert_false(rs_config_records(&c, (rs_recordable)what, NULL));
        assert_false(rs_config_records(&c, (rs_recordable)what, "fc.weight"));
    }
}

static void record_refuses_what_it_does_not_know(void **state)
{
    (void)state;
#define ALLOWED                                                                                              \
    "weights, gradients, layer-outputs, layer-losses (all with an optional :GLOB), distances, "              \
    "gradient-stats, sensitivity; or none"
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"weigths", "record weigths: \"weigths\" is not one of " ALLOWED "; nearest weights"},
        {"weights,none", "record weights,none: \"none\" is to stand alone; with others only " ALLOWED},
        {"none,weights", "record none,weights: \"none\" is to stand alone; with others only " ALLOWED},
        {"weights:", "record weights:: \"weights:\" has no layers behind its colon; all layers: weights"},
        {"", "record \"\": names nothing; allowed: " ALLOWED},
        {" , ", "record  , : names nothing; allowed: " ALLOWED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs_config c;
        rs_config_default(&c);
        ASSERT_REFUSED(rs_config_set(&c, "record", cases[i].text, NULL, &error), cases[i].message);
    }
}

static void a_glob_that_takes_nothing_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"conv1.weight", "layer1.0.conv1.weight", "layer1.0", "fc.weight"};
    static const char *const layers[] = {"stem", "layer1.0"};
    rs_config c =
        with("record", "weights:layer1*,gradients:layer1.0,distances,layer-outputs:stem,layer-losses:layer1");
    ASSERT_TAKEN(rs_config_check_globs(&c, names, 4, layers, 2, &error));
    c = with("record", "weights,gradients:fc.weigth");
    ASSERT_REFUSED(
        rs_config_check_globs(&c, names, 4, layers, 2, &error),
        "--record gradients:fc.weigth takes nothing: no parameter or block of this network has such "
        "a name; nearest fc.weight");
    c = with("record", "weights:fc,layer-losses:fc");
    ASSERT_REFUSED(rs_config_check_globs(&c, names, 4, layers, 2, &error),
                   "--record layer-losses:fc takes nothing: no layer of this network has such a name");
    c = with("record", "weights:stem");
    ASSERT_REFUSED(
        rs_config_check_globs(&c, names, 4, layers, 2, &error),
        "--record weights:stem takes nothing: no parameter or block of this network has such a name");
}

/* Every answer for 0..limit against a list of members. */
static void check_members(const char *text, const char *epochs, const char *steps, int64_t limit)
{
    rs_config c = with("snapshots", text);
    for (int64_t n = 0; n <= limit; n++) {
        char member[32];
        (void)snprintf(member, sizeof member, " %d ", (int)n);
        assert_int_equal(rs_config_snapshot_epoch(&c, n), strstr(epochs, member) != NULL);
        assert_int_equal(rs_config_snapshot_step(&c, n), strstr(steps, member) != NULL);
    }
}

static void snapshots_come_when_the_lists_say(void **state)
{
    (void)state;
    check_members("all", " 0 1 2 3 4 5 6 7 8 9 10 11 12 ", "", 12);
    check_members("none", "", "", 12);
    check_members("epochs:all", " 0 1 2 3 4 5 6 7 8 9 10 11 12 ", "", 12);
    check_members("epochs:0,2..4,9", " 0 2 3 4 9 ", "", 12);
    check_members("epochs:1..12*3", " 1 3 9 ", "", 12);
    check_members("epochs:2..13*2", " 2 4 8 ", "", 14);
    check_members("steps:5,1..100*10", "", " 1 5 10 100 ", 110);
    check_members("steps:0..2", " 0 ", " 1 2 ", 12); /* step 0 is the initial state: asked as epoch 0 */
    check_members("last:2", " 4 5 ", "", 12);        /* of 5 epochs */
    check_members("last:99", " 1 2 3 4 5 ", "", 12);
    check_members("epochs:1; steps:7 ;last:1", " 1 5 ", " 7 ", 12);
    rs_config c = with("snapshots", "steps:1..9223372036854775807*2,9223372036854775807");
    assert_true(rs_config_snapshot_step(&c, INT64_C(1) << 62));
    assert_true(rs_config_snapshot_step(&c, INT64_MAX));
    assert_false(rs_config_snapshot_step(&c, INT64_MAX - 1));
}

static void snapshots_refuse_what_is_no_list(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        ";",
        "epoch:1",
        "1,2",
        "epochs",
        "epochs:",
        "epochs:,",
        "epochs:x",
        "epochs:-1",
        "epochs:1..",
        "epochs:3..1",
        "epochs:0..9*2",
        "epochs:1..9*1",
        "epochs:1..9*",
        "last:0",
        "last:-1",
        "last:1,2",
        "all;last:1",
        "epochs:1;epochs:2",
        "epochs:9223372036854775808",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rs_config c;
        rs_error problem = {0};
        rs_config_default(&c);
        assert_int_equal(rs_config_set(&c, "snapshots", bad[i], NULL, &problem), RS_USAGE);
    }
    rs_config c;
    rs_config_default(&c);
    ASSERT_REFUSED(
        rs_config_set(&c, "snapshots", "epoch:1", "--snapshots", &error),
        "--snapshots epoch:1: \"epoch:1\" is not all, none, or epochs:LIST;steps:LIST;last:K; nearest "
        "epochs:LIST");
    ASSERT_REFUSED(
        rs_config_set(&c, "snapshots", "last", NULL, &error),
        "snapshots last: \"last\" is not all, none, or epochs:LIST;steps:LIST;last:K; nearest last:1");
    ASSERT_REFUSED(
        rs_config_set(&c, "snapshots", "epochs:3..1", NULL, &error),
        "snapshots epochs:3..1: \"3..1\" is not N, A..B (A <= B), A..B*K (A >= 1, K >= 2: A, A*K, ... "
        "up to B) or all");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_takes_names_and_globs),
        cmocka_unit_test(record_refuses_what_it_does_not_know),
        cmocka_unit_test(a_glob_that_takes_nothing_is_refused),
        cmocka_unit_test(snapshots_come_when_the_lists_say),
        cmocka_unit_test(snapshots_refuse_what_is_no_list),
    };
    return cmocka_run_group_tests_name("record and snapshots", tests, NULL, NULL);
}
