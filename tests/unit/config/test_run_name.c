/* test_run_name.c: names of runs: stable, and different exactly where results may be. */
#include "config_test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

/* The defaults with that optimizer, and the same with an option of its own given. */
static void give(const char *optimizer, const char *option, const char *value, rs_config *own,
                 rs_config *given)
{
    rs_config_default(own);
    ASSERT_TAKEN(rs_config_set(own, "optimizer", optimizer, NULL, &error));
    *given = *own;
    ASSERT_TAKEN(rs_config_set(given, option, value, NULL, &error));
}

/* PyTorch's, too, and the same name whether it is written or not. */
static void weight_decay_is_the_optimizers_own(void **state)
{
    (void)state;
    static const struct {
        const char *optimizer, *given;
        double own;
    } cases[] = {{"adam", "0", 0.0}, {"adamw", "0.01", 1e-2}, {"sgd", "0", 0.0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs_config own, given, none;
        char name[128], other[128], names[64];
        give(cases[i].optimizer, "weight-decay", "0", &own, &none);
        give(cases[i].optimizer, "weight-decay", cases[i].given, &own, &given);
        assert_true(rs_config_weight_decay(&own) == cases[i].own);
        assert_int_equal(rs_config_differences(&own, &given, names, sizeof names), 0);
        assert_int_equal(rs_config_differences(&own, &none, names, sizeof names), cases[i].own != 0.0);
        name_of(&own, name);
        name_of(&given, other);
        assert_string_equal(name, other);
        name_of(&none, other);
        assert_int_equal(strcmp(name, other) != 0, cases[i].own != 0.0);
        ASSERT_TAKEN(rs_config_resolve(&own, &error));
        assert_true(own.weight_decay == cases[i].own);
    }
}

/* Whoever leaves it out gets the optimizer's own, and whoever writes that has the same run; before and after it is known. */
static void epsilon_is_the_optimizers_own(void **state)
{
    (void)state;
    static const struct {
        const char *optimizer, *given;
        double epsilon;
        bool own;
    } cases[] = {{"adam", "1e-8", 1e-8, true},     {"adagrad", "1e-10", 1e-10, true},
                 {"rmsprop", "1e-8", 1e-8, true},  {"sgd", "1e-8", 1e-8, true},
                 {"adagrad", "1e-8", 1e-8, false}, {"adam", "0", 0.0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs_config own, given, resolved;
        char name[128], other[128], names[64];
        give(cases[i].optimizer, "epsilon", cases[i].given, &own, &given);
        resolved = own;
        ASSERT_TAKEN(rs_config_resolve(&resolved, &error));
        ASSERT_TAKEN(rs_config_validate(&resolved, &error));
        assert_true(given.epsilon == cases[i].epsilon && rs_config_epsilon(&given) == cases[i].epsilon);
        assert_true(resolved.epsilon == rs_config_epsilon(&own));
        assert_int_equal(rs_config_epsilon(&own) == cases[i].epsilon, cases[i].own);
        assert_int_equal(rs_config_differences(&own, &given, names, sizeof names), cases[i].own ? 0 : 1);
        assert_int_equal(rs_config_differences(&own, &resolved, names, sizeof names), 0);
        name_of(&own, name);
        name_of(&given, other);
        assert_int_equal(strcmp(name, other) == 0, cases[i].own);
        name_of(&resolved, other);
        assert_string_equal(name, other);
    }
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

static int differ(const rs_config *a, const rs_config *b)
{
    char names[256], one[128], two[128];
    const int differences = rs_config_differences(a, b, names, sizeof names);
    name_of(a, one);
    name_of(b, two);
    assert_int_equal(strcmp(one, two) != 0, differences > 0);
    return differences;
}

static rs_config beginning(const char *path, const char *digest)
{
    rs_config c;
    rs_config_default(&c);
    ASSERT_TAKEN(rs_config_set(&c, "init-from", path, NULL, &error));
    ASSERT_TAKEN(rs_config_set(&c, "init-digest", digest, NULL, &error));
    return c;
}

/* A record that a run named counts by that name wherever it lies, another record by its path, another file by its bytes. */
static void a_beginning_counts_by_what_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *a, *a_digest, *b, *b_digest;
        bool same;
    } cases[] = {
        {"/tmp/runs/nn-mnist-0123abcd.h5", "", "runs/nn-mnist-0123abcd.h5", "", true},
        {"nn-mnist-0123abcd.h5", "", "runs/nn-mnist-0123abce.h5", "", false},
        {"a/pre.h5", "", "b/pre.h5", "", false},
        {"a/mnist-0123abcg.h5", "", "b/mnist-0123abcg.h5", "", false},
        {"a/0123abcd.h5", "", "b/0123abcd.h5", "", false},
        {"a/m.safetensors", "11", "b/m.safetensors", "22", false},
        {"a/m.safetensors", "11", "a/m.safetensors", "22", false},
        {"a/m.safetensors", "11", "b/m.safetensors", "11", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const rs_config a = beginning(cases[i].a, cases[i].a_digest),
                        b = beginning(cases[i].b, cases[i].b_digest);
        if ((differ(&a, &b) == 0) != cases[i].same) {
            fail_msg("%s and %s are%s the same", cases[i].a, cases[i].b, cases[i].same ? " not" : "");
        }
    }
    /* to resume, the file need not be there any more */
    const rs_config a = beginning("a/m.safetensors", "11"), b = beginning("a/m.safetensors", "");
    char names[64];
    assert_int_equal(rs_config_differences(&a, &b, names, sizeof names), 0);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void the_digest_of_a_beginning_is_set_and_compared(void **state)
{
    (void)state;
    char path[] = "/tmp/rs_init_digest.XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(close(file), 0);
    write_text(path, "weights");
    rs_config a = beginning(path, ""), b = a, c = a;
    ASSERT_TAKEN(rs_config_resolve(&a, &error));
    assert_int_equal(strlen(a.init_digest), 16);
    ASSERT_TAKEN(rs_config_resolve(&a, &error));
    write_text(path, "others");
    rs_error problem = {0};
    assert_int_equal(rs_config_resolve(&a, &problem), RS_USAGE);
    assert_non_null(strstr(problem.text, "--init-digest"));
    ASSERT_TAKEN(rs_config_resolve(&b, &error));
    assert_int_equal(differ(&a, &b), 1);
    write_text(path, "\x89HDF\r\n\x1a\n and more");
    ASSERT_TAKEN(rs_config_resolve(&c, &error));
    assert_string_equal(c.init_digest, "");
    assert_int_equal(unlink(path), 0);
    a = beginning("nn-mnist-0123abcd.h5", "77");
    assert_int_equal(rs_config_resolve(&a, &problem), RS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_stay_what_they_were),
        cmocka_unit_test(other_networks_give_their_name),
        cmocka_unit_test(the_hash_is_the_documented_one),
        cmocka_unit_test(only_what_changes_results_changes_the_name),
        cmocka_unit_test(epsilon_is_the_optimizers_own),
        cmocka_unit_test(weight_decay_is_the_optimizers_own),
        cmocka_unit_test(differences_are_named_and_cut_to_their_room),
        cmocka_unit_test(a_beginning_counts_by_what_it_is),
        cmocka_unit_test(the_digest_of_a_beginning_is_set_and_compared),
    };
    return cmocka_run_group_tests_name("run names", tests, NULL, NULL);
}
