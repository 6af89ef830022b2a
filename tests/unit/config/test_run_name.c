/* test_run_name.c: names of runs: stable, and different exactly where results may be. */
#include "config_test.h"

#include <inttypes.h>

#include "option.h"
#include "rs/random.h"

static void name_of(const rs_config *config, char name[128])
{
    rs_config_run_name(config, name, 128);
}

/* Files of users carry these names: they must never change. */
static void names_stay_what_they_were(void **state)
{
    (void)state;
    rs_config c;
    char name[128], path[256];
    rs_config_default(&c);
    name_of(&c, name);
    assert_string_equal(name, "resnet18-cifar10-4fd0bfc1");
    c.depth = 68;
    c.plain = true;
    c.learning_rate = 0.01;
    name_of(&c, name);
    assert_string_equal(name, "resnet68-plain-cifar10-e46316f9");
    rs_config_output_path(&c, path, sizeof path);
    assert_string_equal(path, "runs/resnet68-plain-cifar10-e46316f9.h5");
    ASSERT_TAKEN(rs_config_set(&c, "out", "a/b.h5", NULL, &error));
    rs_config_output_path(&c, path, sizeof path);
    assert_string_equal(path, "a/b.h5");
}

/* Of another network than a ResNet the depth says nothing; of a function its name says more than "function". */
static void other_networks_give_their_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"nn", "nn"}, {"networks/b nn.v2.yaml", "b-nn.v2"}, {"/tmp/.hidden", ".hidden"}};
    rs_config c;
    char name[128];
    rs_config_default(&c);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ASSERT_TAKEN(rs_config_set(&c, "network", cases[i][0], NULL, &error));
        name_of(&c, name);
        size_t length = strlen(cases[i][1]);
        assert_memory_equal(name, cases[i][1], length);
        assert_memory_equal(name + length, "-cifar10-", 9);
    }
    ASSERT_TAKEN(rs_config_set(&c, "dataset", "function", NULL, &error));
    ASSERT_TAKEN(rs_config_set(&c, "function", "sin-log", NULL, &error));
    name_of(&c, name);
    assert_memory_equal(name, ".hidden-sin-log-", 16);
}

/* The hash as documented: FNV-1a of the sorted lines, its halves joined. */
static void the_hash_is_the_documented_one(void **state)
{
    (void)state;
    rs_config c;
    char name[128], expected[128];
    rs_config_default(&c);
    c.plain = true;
    c.depth = 34;
    c.weight_decay = 1e-4;
    uint64_t hash = rs_hash64("depth=34\nplain=true\nweight-decay=0.0001\n");
    (void)snprintf(expected, sizeof expected, "resnet34-plain-cifar10-%08" PRIx32,
                   (uint32_t)(hash ^ hash >> 32));
    name_of(&c, name);
    assert_string_equal(name, expected);
}

/* Another value for each option: the name and the differences change exactly for those of RESULT scope. */
static void only_what_changes_results_changes_the_name(void **state)
{
    (void)state;
    static const char *const values[] = {
        "7",    "50",   "true",     "false",   "0.25", "shapes",  "standard", "sgd",  "step",     "last",
        "tf32", "wait", "winograd", "2,2,2,2", "none", "cpu",     "cosine",   "lean", "function", "zeros",
        "mse",  "sum",  "added",    "target",  "even", "0.5/0.5", "flip",     "sinc"};
    size_t count, changed = 0;
    const rs_option *table = rs_option_table(&count);
    rs_config base;
    char plain_name[128];
    rs_config_default(&base);
    name_of(&base, plain_name);
    for (size_t i = 0; i < count; i++) {
        rs_config c = base;
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            rs_error error = {0};
            (void)rs_config_set(&c, table[i].name, values[v], NULL, &error);
            if (memcmp(&c, &base, sizeof c) != 0) {
                break;
            }
        }
        assert_memory_not_equal(&c, &base, sizeof c); /* one of the values fits every option */
        char name[128], names[256];
        name_of(&c, name);
        bool result = table[i].scope == RS_SCOPE_RESULT;
        assert_int_equal(strcmp(name, plain_name) != 0, result);
        assert_int_equal(rs_config_differences(&c, &base, names, sizeof names), result ? 1 : 0);
        assert_string_equal(names, result ? table[i].name : "");
        changed += result;
    }
    assert_true(changed > 25 && changed < count);
}

static void differences_are_named_and_cut_to_their_room(void **state)
{
    (void)state;
    rs_config a, b;
    char names[256], few[8];
    rs_config_default(&a);
    rs_config_default(&b);
    b.epochs = 9;
    b.seed = 2;
    b.threads = 4;
    assert_int_equal(rs_config_differences(&a, &b, names, sizeof names), 2);
    assert_string_equal(names, "epochs, seed");
    assert_int_equal(rs_config_differences(&a, &b, few, sizeof few), 2);
    assert_string_equal(few, "epochs,");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_stay_what_they_were),
        cmocka_unit_test(other_networks_give_their_name),
        cmocka_unit_test(the_hash_is_the_documented_one),
        cmocka_unit_test(only_what_changes_results_changes_the_name),
        cmocka_unit_test(differences_are_named_and_cut_to_their_room),
    };
    return cmocka_run_group_tests_name("run names", tests, NULL, NULL);
}
