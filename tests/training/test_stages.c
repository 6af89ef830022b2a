/* test_stages.c: isolated layers, frozen layers, per-layer losses and classifiers: what learns, what stays to the byte, and
 * that nothing before a switch knows of it. On every backend of this build, or on RS_TEST_DEVICE alone. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "rs/host.h"
#include "small_run.h"

enum { EPOCHS = 4, SWITCH = 2, BATCHES = 4 };
#define WANT (RS_WANT_DISTANCES | RS_WANT_GRADIENT_STATS | RS_WANT_WEIGHTS | RS_WANT_GRADIENTS)

static rs_error error;
#define OK(expression) harness_ok((expression), &error)

static const char *const all[] = {"conv1.weight",     "conv1.bias",       "bn1.weight",      "bn1.bias",
                                  "bn1.running_mean", "bn1.running_var",  "conv2.weight",    "bn2.weight",
                                  "bn2.bias",         "bn2.running_mean", "bn2.running_var", "fc.weight",
                                  "fc.bias"};
enum { ALL = sizeof all / sizeof all[0] };

/* Whether a tensor has the same bytes after both epochs. */
static bool stays(const small_seen *seen, const char *name, int from, int to)
{
    size_t bytes;
    const float *a = small_values(seen, from, name, &bytes), *b = small_values(seen, to, name, &bytes);
    return memcmp(a, b, bytes) == 0;
}

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Exactly the tensors of layers in `moving` (a list with blanks; "*": all) change between the epochs. */
static void expect_moving(const small_seen *seen, const char *moving, int from, int to)
{
    for (int i = 0; i < ALL; i++) {
        char layer[32];
        (void)snprintf(layer, sizeof layer, "%.*s ", (int)strcspn(all[i], "."), all[i]);
        bool moves = moving[0] == '*' || strstr(moving, layer) != NULL;
        if (stays(seen, all[i], from, to) == moves) {
            fail_msg("%s %s between epochs %d and %d", all[i], moves ? "stays" : "moves", from, to);
        }
    }
}

typedef void (*check)(const small_run *run);

static void on_every_backend(check check_one, rs_network *(*make)(void))
{
    const char *device;
    for (int i = 0; (device = small_device(i)) != NULL; i++) {
        const rs_dataset_request request = small_shapes();
        small_run run;
        small_run_open(&run, device, &request, make());
        check_one(&run);
        small_run_close(&run);
    }
}

static rs_config isolated(const char *how, int64_t from)
{
    rs_config config = small_config(EPOCHS);
    (void)snprintf(config.isolate, sizeof config.isolate, "%s", how);
    config.isolate_from = from;
    return config;
}

static void expect_same_until(const small_seen *a, const small_seen *b, int epochs)
{
    const size_t bytes = (size_t)(epochs * BATCHES) * sizeof(double);
    assert_memory_equal(a->task_loss, b->task_loss, bytes);
    assert_memory_equal(a->accuracy, b->accuracy, bytes);
    for (int i = 0; i < ALL; i++) {
        size_t size, other;
        const float *one = small_values(a, epochs, all[i], &size),
                    *two = small_values(b, epochs, all[i], &other);
        assert_int_equal(size, other);
        assert_memory_equal(one, two, size);
    }
    for (int e = 0; e < epochs; e++) {
        assert_true(a->epoch[e].test_loss == b->epoch[e].test_loss);
    }
}

/* --- isolation ------------------------------------------------------------------------------------------ */
static small_seen plain, seen;

static void isolating(const small_run *run)
{
    static const struct {
        const char *how, *moving;
    } cases[] = {{"frozen", ""}, {"none", "fc "}, {"target", "*"}};
    rs_config config = small_config(EPOCHS);
    OK(small_run_train(run, &config, WANT, NULL, false, &plain, &error));
    expect_moving(&plain, "*", 0, SWITCH);
    expect_moving(&plain, "*", SWITCH, EPOCHS);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        config = isolated(cases[i].how, SWITCH);
        OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
        assert_int_equal(seen.steps, EPOCHS * BATCHES);
        expect_same_until(&plain, &seen, SWITCH);
        assert_memory_equal(plain.norm, seen.norm, SWITCH * BATCHES * sizeof(double));
        expect_moving(&seen, cases[i].moving, SWITCH, SWITCH + 1);
        expect_moving(&seen, cases[i].moving, SWITCH + 1, EPOCHS);
        assert_true(plain.task_loss[SWITCH * BATCHES + 1] != seen.task_loss[SWITCH * BATCHES + 1]);
        if (i == 0) { /* nothing learns: no gradient, and the same test loss ever after */
            assert_true(seen.norm[SWITCH * BATCHES] == 0.0 && seen.norm[EPOCHS * BATCHES - 1] == 0.0);
            assert_true(seen.epoch[SWITCH].test_loss == seen.epoch[SWITCH - 1].test_loss);
            assert_true(seen.epoch[EPOCHS - 1].test_loss == seen.epoch[SWITCH - 1].test_loss);
        }
        config = isolated(cases[i].how, 0); /* always isolated */
        OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
        expect_moving(&seen, cases[i].moving, 0, EPOCHS);
    }
}

static void isolated_layers_learn_by_their_objective_alone(void **state)
{
    (void)state;
    on_every_backend(isolating, small_convolutions);
}

/* The network with classifiers, as the configuration asks for it. */
static rs_network *with_heads(void)
{
    rs_network *network = small_convolutions();
    rs_units units = {0};
    OK(rs_network_layers(network, &units, &error));
    bool chosen[SMALL_LAYERS] = {false};
    for (int i = 0; i < units.count - 1; i++) {
        chosen[i] = begins(units.units[i].name, "conv") || begins(units.units[i].name, "bn");
    }
    OK(rs_network_add_heads(network, &units, chosen, NULL, &error));
    rs_units_release(&units);
    return network;
}

static void classifying(const small_run *run)
{
    static const char *const heads[] = {"heads.conv1.weight", "heads.conv1.bias", "heads.bn2.weight"};
    rs_dataset_request request = small_shapes();
    small_run bare;
    small_run_open(&bare, run->backend->name, &request, small_convolutions());
    rs_config config = small_config(EPOCHS);
    OK(small_run_train(&bare, &config, WANT, NULL, false, &plain, &error));
    config = isolated("classifier", SWITCH);
    OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
    expect_same_until(&plain, &seen, SWITCH);
    expect_moving(&seen, "*", SWITCH, EPOCHS);
    for (int i = 0; i < 3; i++) {
        assert_true(stays(&seen, heads[i], 0, SWITCH));
        assert_false(stays(&seen, heads[i], SWITCH, SWITCH + 1));
    }
    double first = 0.0, last = 0.0; /* they begin at chance, and learn */
    for (int b = 0; b < BATCHES; b++) {
        for (int h = 0; h < 4; h++) {
            first += seen.head_loss[SWITCH * BATCHES + b][h];
            last += seen.head_loss[(EPOCHS - 1) * BATCHES + b][h];
        }
    }
    assert_true(last < first);
    assert_true(fabs(seen.head_loss[SWITCH * BATCHES][0] - log(10.0)) < 1.0);
    double sum = seen.task_loss[SWITCH * BATCHES];
    for (int h = 0; h < 4; h++) {
        sum += seen.head_loss[SWITCH * BATCHES][h];
    }
    assert_true(fabs(seen.loss[SWITCH * BATCHES] - sum) <= 1e-12 * sum);
    assert_true(seen.loss[0] == seen.task_loss[0]);
    small_run_close(&bare);
}

static void classifiers_learn_from_the_switch_on(void **state)
{
    (void)state;
    on_every_backend(classifying, with_heads);
}

/* A plan that is cut at every layer's entry, with one layer's objective alone: exact zeros everywhere else, and the same
 * bits whatever the labels are. */
static void read_gradients(const small_run *run, const rs_units *units, int unit, int32_t label,
                           float *gradients)
{
    rs_cut cuts[SMALL_LAYERS];
    int count = 0;
    rs_batch batch = {.count = 16, .images = run->dataset->train.images};
    int32_t labels[16];
    rs_plan *plan = NULL;
    for (int i = 0; i < units->edge_count; i++) {
        cuts[count++] = (rs_cut){units->edges[i].node, units->edges[i].input};
    }
    cuts[count++] = (rs_cut){run->network->node_count - 1, 0};
    const rs_objective objective = {.node = units->units[unit].node, .target = 0.5, .weight = 1.0};
    rs_plan_options options = {.batch_size_count = 1,
                               .batch_sizes = {16},
                               .training = true,
                               .std = {1, 1, 1},
                               .objectives = &objective,
                               .objective_count = 1,
                               .cuts = cuts,
                               .cut_count = count};
    for (int i = 0; i < 16; i++) {
        labels[i] = label;
    }
    batch.labels = labels;
    OK(run->backend->plan_create(run->device, run->network, &options, &plan, &error));
    for (int i = 0; i < run->network->parameter_count; i++) {
        rs_parameter_initialize(&run->network->parameters[i], 1, gradients);
        OK(run->backend->write(plan, RS_SLOT_VALUE, i, gradients, &error));
    }
    for (int i = 0; i < run->network->buffer_count; i++) {
        rs_parameter_initialize(&run->network->buffers[i], 1, gradients);
        OK(run->backend->write(plan, RS_SLOT_RUNNING, i, gradients, &error));
    }
    OK(run->backend->load_batch(plan, &batch, &error));
    OK(run->backend->forward(plan, RS_MODE_TRAIN, &error));
    OK(run->backend->backward(plan, RS_LABELS_TRUE, &error));
    for (int i = 0; i < run->network->parameter_count; i++) {
        OK(run->backend->read(plan, RS_SLOT_GRADIENT, i, gradients, &error));
        gradients += run->network->parameters[i].count;
    }
    run->backend->plan_destroy(plan);
}

static void cutting(const small_run *run)
{
    static float gradients[SMALL_WEIGHTS], others[SMALL_WEIGHTS];
    rs_units units = {0};
    int reached = 0;
    OK(rs_network_layers(run->network, &units, &error));
    for (int unit = 0; unit < units.count; unit++) {
        read_gradients(run, &units, unit, 3, gradients);
        read_gradients(run, &units, unit, 7, others);
        const float *at = gradients;
        for (int i = 0; i < run->network->parameter_count; i++) {
            const rs_parameter *parameter = &run->network->parameters[i];
            bool own = strcmp(run->network->nodes[parameter->node].unit, units.units[unit].name) == 0,
                 zero = true;
            for (int64_t k = 0; k < parameter->count; k++) {
                zero = zero && at[k] == 0.0f;
            }
            if (zero == own) {
                fail_msg("objective of %s: the gradient of %s is%s zero", units.units[unit].name,
                         parameter->name, zero ? "" : " not");
            }
            reached += own;
            at += parameter->count;
        }
        assert_memory_equal(gradients, others, (size_t)(at - gradients) * sizeof *at);
    }
    assert_int_equal(reached, run->network->parameter_count);
    rs_units_release(&units);
}

static void no_gradient_crosses_a_cut(void **state)
{
    (void)state;
    on_every_backend(cutting, small_convolutions);
}

/* --- freezing ------------------------------------------------------------------------------------------- */
static void freezing(const small_run *run)
{
    rs_config config = small_config(EPOCHS);
    OK(small_run_train(run, &config, WANT, NULL, false, &plain, &error));
    (void)snprintf(config.freeze, sizeof config.freeze, "conv1,bn*");
    config.freeze_from = 1;
    OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
    expect_same_until(&plain, &seen, 1);
    expect_moving(&seen, "conv2 fc ", 1, 2);
    expect_moving(&seen, "conv2 fc ", 2, EPOCHS);
    config.freeze_from = 0;
    OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
    expect_moving(&seen, "conv2 fc ", 0, EPOCHS);
    (void)snprintf(config.freeze, sizeof config.freeze, "conv1,layer7");
    assert_int_equal(small_run_train(run, &config, WANT, NULL, false, &seen, &error), RS_USAGE);
    assert_non_null(strstr(error.text, "--freeze layer7 takes nothing"));
}

static void frozen_bytes_stay(void **state)
{
    (void)state;
    on_every_backend(freezing, small_convolutions);
}

/* --gradient last: what no loss reaches any more has no gradient at the next snapshot, not that of before the switch. */
static void stilling(const small_run *run)
{
    rs_config freezing_config = small_config(EPOCHS);
    (void)snprintf(freezing_config.freeze, sizeof freezing_config.freeze, "conv1");
    freezing_config.freeze_from = SWITCH;
    rs_config configs[] = {isolated("none", SWITCH), isolated("frozen", SWITCH), freezing_config};
    for (int i = 0; i < 3; i++) {
        (void)snprintf(configs[i].gradient, sizeof configs[i].gradient, "last");
        OK(small_run_train(run, &configs[i], WANT, NULL, false, &seen, &error));
        assert_int_equal(seen.snapshots, EPOCHS + 1);
        for (int epoch = 1; epoch <= EPOCHS; epoch++) {
            const double gradient = seen.first_gradient[epoch];
            if (!(epoch <= SWITCH ? gradient > 0.0 : gradient == 0.0)) {
                fail_msg("case %d: sum of |gradient| of conv1.weight after epoch %d is %g", i, epoch,
                         gradient);
            }
        }
    }
}

static void no_gradient_outlives_a_switch(void **state)
{
    (void)state;
    on_every_backend(stilling, small_convolutions);
}

/* All other state moves to the new plan: frozen from one full batch on, one tensor changes nothing of what the others do in
 * that batch. */
static void moving(const small_run *run)
{
    static const char *const optimizers[] = {"adam", "sgd", "rmsprop"};
    for (int o = 0; o < 3; o++) {
        rs_config config = small_config(EPOCHS);
        config.batch_size = 0;
        config.momentum = o > 0 ? 0.9 : 0.0;
        (void)snprintf(config.optimizer, sizeof config.optimizer, "%s", optimizers[o]);
        OK(small_run_train(run, &config, WANT, NULL, false, &plain, &error));
        (void)snprintf(config.freeze, sizeof config.freeze, "fc.bias");
        config.freeze_from = SWITCH;
        OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
        for (int i = 0; i < ALL; i++) {
            size_t bytes;
            const float *a = small_values(&plain, SWITCH + 1, all[i], &bytes),
                        *b = small_values(&seen, SWITCH + 1, all[i], &bytes);
            bool frozen = strcmp(all[i], "fc.bias") == 0;
            if ((memcmp(a, b, bytes) == 0) == frozen) {
                fail_msg("%s: %s %s", optimizers[o], all[i], frozen ? "moved" : "went another way");
            }
        }
        assert_true(stays(&seen, "fc.bias", SWITCH, EPOCHS));
    }
}

static void the_whole_state_moves_to_another_plan(void **state)
{
    (void)state;
    on_every_backend(moving, small_convolutions);
}

/* --- losses of layers ----------------------------------------------------------------------------------- */
static void expect_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance * fabs(expected))) {
        fail_msg("%.17g instead of %.17g", found, expected);
    }
}

static void weighing(const small_run *run)
{
    enum { LAYERS = 8 };
    const uint32_t watched = WANT | RS_WANT_LAYER_LOSSES | RS_WANT_LAYER_OUTPUTS;
    rs_config config = small_config(EPOCHS);
    OK(small_run_train(run, &config, WANT, NULL, false, &plain, &error));
    (void)snprintf(config.record, sizeof config.record, "layer-losses");
    config.layer_target = 0.25;
    OK(small_run_train(run, &config, watched, NULL, false, &seen, &error));
    expect_same_until(&plain, &seen, EPOCHS); /* measuring changes nothing */
    assert_memory_equal(plain.loss, seen.loss, sizeof seen.loss);
    assert_true(seen.layer_loss[0][0] > 0.0 && seen.layer_loss[0][LAYERS - 1] > 0.0);
    static const char *const ways[] = {"exponential", "even"};
    for (int w = 0; w < 2; w++) {
        (void)snprintf(config.layer_loss, sizeof config.layer_loss, "%s", ways[w]);
        OK(small_run_train(run, &config, watched, NULL, false, &seen, &error));
        assert_true(seen.task_loss[0] == plain.task_loss[0]);
        assert_true(seen.task_loss[1] != plain.task_loss[1]);
        for (int step = 0; step < seen.steps; step++) {
            double sum = seen.task_loss[step];
            for (int i = 0; i < LAYERS - 1; i++) { /* the last is left out */
                double weight = w == 0 ? exp(-(double)i / LAYERS) / LAYERS : 1.0 / LAYERS;
                sum += weight * seen.layer_loss[step][i];
            }
            expect_near(seen.loss[step], sum, 1e-12);
        }
        /* weighed layers that nobody records: the same training */
        static small_seen silent;
        OK(small_run_train(run, &config, WANT, NULL, false, &silent, &error));
        assert_memory_equal(silent.loss, seen.loss, sizeof seen.loss);
        assert_memory_equal(silent.values, seen.values, sizeof seen.values);
    }
}

static void the_loss_is_the_sum_of_its_parts(void **state)
{
    (void)state;
    on_every_backend(weighing, small_convolutions);
}

/* Some of the layers: the same numbers as with all, in the network's order. */
static void selecting(const small_run *run)
{
    const uint32_t watched = WANT | RS_WANT_LAYER_LOSSES | RS_WANT_LAYER_OUTPUTS;
    rs_config config = isolated("target", SWITCH);
    (void)snprintf(config.record, sizeof config.record, "layer-losses,layer-outputs");
    OK(small_run_train(run, &config, watched, NULL, false, &plain, &error));
    (void)snprintf(config.record, sizeof config.record, "layer-losses:fc,layer-outputs:conv2");
    OK(small_run_train(run, &config, watched, NULL, false, &seen, &error));
    for (int step = 0; step < seen.steps; step++) {
        assert_true(seen.layer_loss[step][0] == plain.layer_loss[step][3]);
        assert_true(seen.layer_mean[step][0] == plain.layer_mean[step][3]);
        assert_true(seen.layer_loss[step][1] == plain.layer_loss[step][7]);
        assert_true(seen.layer_mean[step][1] == plain.layer_mean[step][7]);
    }
}

static void recorded_layers_are_those_asked_for(void **state)
{
    (void)state;
    on_every_backend(selecting, small_convolutions);
}

/* --- resuming ------------------------------------------------------------------------------------------- */
static void cut_off(const small_run *run, const rs_config *config)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/test_stages.%d.ckpt", (int)getpid());
    OK(small_run_train(run, config, WANT, NULL, false, &plain, &error));
    for (int stop = 3; stop < EPOCHS * BATCHES; stop += strcmp(run->backend->name, "ref") == 0 ? 6 : 2) {
        seen.stop_after = stop;
        assert_int_equal(small_run_train(run, config, WANT, path, false, &seen, &error), RS_INTERRUPTED);
        seen.stop_after = 0;
        OK(small_run_train(run, config, WANT, path, true, &seen, &error));
        assert_int_equal(seen.steps, EPOCHS * BATCHES);
        expect_same_until(&plain, &seen, EPOCHS);
        assert_memory_equal(plain.loss, seen.loss, sizeof seen.loss);
        assert_memory_equal(plain.norm, seen.norm, sizeof seen.norm);
    }
    (void)unlink(path);
}

static void resuming(const small_run *run)
{
    static const char *const ways[] = {"none", "target", "frozen"};
    for (int i = 0; i < 3; i++) {
        rs_config config = isolated(ways[i], SWITCH);
        (void)snprintf(config.freeze, sizeof config.freeze, "conv1");
        config.freeze_from = 1;
        config.weight_decay = 0.01;
        (void)snprintf(config.gradient, sizeof config.gradient, "%s", i == 1 ? "last" : "mean");
        cut_off(run, &config);
    }
}

static void a_run_of_stages_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    on_every_backend(resuming, small_convolutions);
}

/* usage: test_stages [only|without PATTERN] */
int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "only") == 0) {
        cmocka_set_test_filter(argv[2]);
    } else if (argc == 3 && strcmp(argv[1], "without") == 0) {
        cmocka_set_skip_filter(argv[2]);
    } else if (argc != 1) {
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(isolated_layers_learn_by_their_objective_alone),
        cmocka_unit_test(classifiers_learn_from_the_switch_on),
        cmocka_unit_test(no_gradient_crosses_a_cut),
        cmocka_unit_test(frozen_bytes_stay),
        cmocka_unit_test(no_gradient_outlives_a_switch),
        cmocka_unit_test(the_whole_state_moves_to_another_plan),
        cmocka_unit_test(the_loss_is_the_sum_of_its_parts),
        cmocka_unit_test(recorded_layers_are_those_asked_for),
        cmocka_unit_test(a_run_of_stages_goes_on_to_the_same_bits),
    };
    return cmocka_run_group_tests_name("stages", tests, NULL, NULL);
}
