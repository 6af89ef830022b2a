/* test_trainer.c: the training loop on a small network: the same bits with and without measuring, after
 * stopping and going on at every step, snapshots, gradient means, divergence. On every backend of this build, or on
 * RS_TEST_DEVICE alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/trainer.h"

enum {
    TRAIN = 100,
    TEST = 40,
    BATCH = 32,
    EPOCHS = 3,
    BATCHES = 4,
    STEPS = EPOCHS * BATCHES,
    MOST_SNAPSHOTS = 16,
    FIRST_WEIGHTS = 8 * 3 * 5 * 5 /* of conv1 */
};
#define WANT_ALL (RS_WANT_DISTANCES | RS_WANT_GRADIENT_STATS | RS_WANT_WEIGHTS | RS_WANT_GRADIENTS)

#define AUGMENT "flip,crop:4,rotate:10,jitter:0.2"

typedef struct fixture {
    rs_dataset *dataset;
    rs_network *network;
    const rs_backend *backend;
    rs_device *device;
} fixture;

/* What an observer saw, and when it is to stop the run. */
typedef struct witness {
    double losses[STEPS], norms[STEPS], first_distance[STEPS];
    double valid_loss[EPOCHS], valid_accuracy[EPOCHS];
    int64_t snapshot_steps[MOST_SNAPSHOTS], snapshot_epochs[MOST_SNAPSHOTS], gradient_steps[MOST_SNAPSHOTS];
    float last_gradient[MOST_SNAPSHOTS][FIRST_WEIGHTS]; /* of conv1 */
    int steps, epochs, snapshots, commits;
    int64_t stop_after; /* steps in all; 0: never */
    volatile sig_atomic_t *stop;
} witness;

static rs_error error;
#define OK(expression)                                                                                       \
    do {                                                                                                     \
        if ((expression) != RS_OK) {                                                                         \
            fail_msg("%s: %s", #expression, error.text);                                                     \
        }                                                                                                    \
    } while (0)

static int add_node(rs_network *network, const char *name, rs_op_kind kind, rs_node_attributes attributes,
                    int input, int block)
{
    int node = 0;
    rs_node_spec spec = {.name = name,
                         .kind = kind,
                         .attributes = attributes,
                         .input = {input},
                         .block = block,
                         .weight_initializer = RS_INIT_KAIMING_NORMAL_FAN_OUT,
                         .bias_initializer = RS_INIT_UNIFORM_FAN_IN};
    OK(rs_network_add(network, &spec, &node, &error));
    return node;
}

static rs_network *small_network(void)
{
    rs_network *network = NULL;
    int first = 0, second = 0;
    OK(rs_network_create("small", 3, 32, 32, 10, &network, &error));
    OK(rs_network_add_block(network, "first", &first, &error));
    OK(rs_network_add_block(network, "second", &second, &error));
    rs_node_attributes wide = {.channels = 8, .kernel = 5, .stride = 4, .padding = 2},
                       norm = {.epsilon = 1e-5, .momentum = 0.1};
    int node = add_node(network, "conv1", RS_OP_CONVOLUTION, wide, 0, first);
    node = add_node(network, "bn1", RS_OP_BATCH_NORM, norm, node, -1);
    node = add_node(network, "relu1", RS_OP_RELU, (rs_node_attributes){0}, node, -1);
    node =
        add_node(network, "conv2", RS_OP_CONVOLUTION,
                 (rs_node_attributes){.channels = 16, .kernel = 3, .stride = 2, .padding = 1}, node, second);
    node = add_node(network, "relu2", RS_OP_RELU, (rs_node_attributes){0}, node, -1);
    node = add_node(network, "pool", RS_OP_GLOBAL_AVERAGE_POOL, (rs_node_attributes){0}, node, -1);
    node =
        add_node(network, "fc", RS_OP_LINEAR, (rs_node_attributes){.channels = 10, .bias = true}, node, -1);
    (void)add_node(network, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, (rs_node_attributes){0}, node, -1);
    OK(rs_network_finish(network, &error));
    return network;
}

static void set_up(fixture *f, const char *device)
{
    rs_dataset_request request = {
        .name = "shapes", .directory = "", .train_limit = TRAIN, .test_limit = TEST};
    int index = 0;
    *f = (fixture){0};
    OK(rs_dataset_load(&request, &f->dataset, &error));
    f->network = small_network();
    OK(rs_backend_select(device, &f->backend, &index, &error));
    OK(f->backend->open(rs_services(), index, 1, &f->device, &error));
}

static void tear_down(fixture *f)
{
    f->backend->close(f->device);
    rs_network_destroy(f->network);
    rs_dataset_destroy(f->dataset);
}

static rs_config small_config(void)
{
    rs_config config;
    rs_config_default(&config);
    config.epochs = EPOCHS;
    config.batch_size = BATCH;
    config.commit_every = 0.0;
    config.learning_rate = 0.01;
    return config;
}

static rs_status see_step(void *context, const rs_step_row *row, rs_error *e)
{
    witness *w = context;
    (void)e;
    w->losses[row->step] = row->loss;
    w->norms[row->step] = row->measurement->gradient_norm;
    w->first_distance[row->step] = row->measurement->to_initial ? row->measurement->to_initial[0] : -1.0;
    w->steps++;
    if (row->step + 1 == w->stop_after) {
        *w->stop = SIGINT;
    }
    return RS_OK;
}

static rs_status see_snapshot(void *context, const rs_snapshot_moment *moment, rs_error *e)
{
    witness *w = context;
    RS_TRY(moment->backend->read(moment->plan, RS_SLOT_GRADIENT, 0, w->last_gradient[moment->index], e));
    w->snapshot_steps[moment->index] = moment->step;
    w->snapshot_epochs[moment->index] = moment->epoch;
    w->gradient_steps[moment->index] = moment->gradient_steps;
    w->snapshots++;
    return RS_OK;
}

static rs_status see_epoch(void *context, const rs_epoch_row *row, rs_error *e)
{
    witness *w = context;
    (void)e;
    w->valid_loss[row->epoch] = row->valid_loss;
    w->valid_accuracy[row->epoch] = row->valid_accuracy;
    w->epochs++;
    return RS_OK;
}

static rs_status see_commit(void *context, rs_commit_kind kind, const rs_position *position,
                            const char *checkpoint, rs_error *e)
{
    witness *w = context;
    (void)kind;
    (void)position;
    w->commits++;
    if (checkpoint) {
        char final[256];
        (void)snprintf(final, sizeof final, "%.*s", (int)strlen(checkpoint) - 5, checkpoint);
        if (rename(checkpoint, final) != 0) {
            return RS_FAIL(e, RS_IO, "rename of %s failed", checkpoint);
        }
    }
    return RS_OK;
}

/* Trains with these options; `checkpoint` NULL: none; restore: goes on from it. The final weights go to
 * `weights`. */
static rs_status train(fixture *f, const rs_config *config, uint32_t wants, const char *checkpoint,
                       bool restore, witness *w, float *weights)
{
    volatile sig_atomic_t stop = 0;
    rs_trainer *trainer = NULL;
    rs_trainer_options options = {.config = config,
                                  .dataset = f->dataset,
                                  .network = f->network,
                                  .backend = f->backend,
                                  .device = f->device,
                                  .wants = wants,
                                  .stop = &stop,
                                  .checkpoint_path = checkpoint,
                                  .resumes = restore};
    OK(rs_trainer_create(&options, &trainer, &error));
    if (restore) {
        rs_position position = {0};
        bool foreign = true;
        OK(rs_trainer_restore(trainer, checkpoint, &position, &foreign, &error));
        assert_false(foreign);
    }
    w->stop = &stop;
    rs_observer observer = {
        .context = w, .step = see_step, .snapshot = see_snapshot, .epoch = see_epoch, .commit = see_commit};
    rs_trainer_observe(trainer, &observer);
    rs_status status = rs_trainer_run(trainer, &error);
    for (int i = 0; i < f->network->parameter_count; i++) {
        OK(f->backend->read(rs_trainer_plan(trainer), RS_SLOT_VALUE, i, weights, &error));
        weights += f->network->parameters[i].count;
    }
    rs_trainer_destroy(trainer);
    return status;
}

static float *new_weights(const fixture *f)
{
    float *weights = rs_alloc((size_t)f->network->weight_count * sizeof *weights);
    assert_non_null(weights);
    return weights;
}

static void expect_same(const fixture *f, const witness *a, const float *wa, const witness *b,
                        const float *wb)
{
    assert_memory_equal(a->losses, b->losses, sizeof a->losses);
    assert_memory_equal(a->norms, b->norms, sizeof a->norms);
    assert_memory_equal(a->valid_loss, b->valid_loss, sizeof a->valid_loss);
    assert_memory_equal(a->valid_accuracy, b->valid_accuracy, sizeof a->valid_accuracy);
    assert_memory_equal(wa, wb, (size_t)f->network->weight_count * sizeof *wa);
}

static void on(const char *device, void (*check)(fixture *f))
{
    fixture f;
    set_up(&f, device);
    check(&f);
    tear_down(&f);
}

/* RS_TEST_DEVICE: a GPU, or ref under the thread sanitizer. */
static void on_every_backend(void (*check)(fixture *f))
{
    const char *only = getenv("RS_TEST_DEVICE");
    for (int i = 0; !only && i < rs_backend_count(); i++) {
        on(rs_backend_at(i)->name, check);
    }
    if (only) {
        on(only, check);
    }
}

static void measuring(fixture *f)
{
    rs_config config = small_config();
    float *bare = new_weights(f), *measured = new_weights(f), *again = new_weights(f);
    witness a = {0}, b = {0}, c = {0};
    OK(train(f, &config, 0, NULL, false, &a, bare));
    (void)snprintf(config.metric, sizeof config.metric,
                   "minkowski:1,minkowski:3,cosine,correlation,chebyshev");
    OK(train(f, &config, WANT_ALL, NULL, false, &b, measured));
    (void)snprintf(config.memory, sizeof config.memory, "lean");
    OK(train(f, &config, WANT_ALL, NULL, false, &c, again));
    expect_same(f, &a, bare, &b, measured);
    expect_same(f, &b, measured, &c, again);
    assert_memory_equal(b.first_distance, c.first_distance, sizeof b.first_distance);
    assert_true(a.losses[STEPS - 1] < a.losses[0]); /* it learns */
    assert_int_equal(a.steps, STEPS);
    assert_int_equal(a.epochs, EPOCHS);
    /* the first Adam step moves every weight of the first block by about the learning rate */
    double expected = 0.01 * (double)f->network->blocks[0].weights;
    assert_true(fabs(b.first_distance[0] / expected - 1.0) <= 1e-3);
    rs_free(bare);
    rs_free(measured);
    rs_free(again);
}

static void what_is_measured_never_changes_what_is_trained(void **state)
{
    (void)state;
    on_every_backend(measuring);
}

/* Stops after `stop_after` steps, goes on from the checkpoint (every second time with --memory lean), and compares
 * with a run never cut off. */
static void cut_and_resume(fixture *f, const rs_config *config, int64_t stop_after, const witness *whole,
                           const float *weights)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/test_trainer.%d.ckpt", (int)getpid());
    float *resumed = new_weights(f);
    witness w = {.stop_after = stop_after};
    assert_int_equal(train(f, config, WANT_ALL, path, false, &w, resumed), RS_INTERRUPTED);
    const int64_t ahead = f->backend->update_later ? RS_MOST_RESULTS : 0; /* steps under way are finished */
    assert_in_range(w.steps, stop_after, stop_after + ahead);
    w.stop_after = 0;
    rs_config other = *config;
    (void)snprintf(other.memory, sizeof other.memory, "%s", stop_after % 2 ? "lean" : "fast");
    OK(train(f, &other, WANT_ALL, path, true, &w, resumed));
    assert_int_equal(w.steps, STEPS);
    expect_same(f, whole, weights, &w, resumed);
    assert_memory_equal(whole->first_distance, w.first_distance, sizeof w.first_distance);
    assert_memory_equal(whole->gradient_steps, w.gradient_steps, sizeof w.gradient_steps);
    assert_int_equal(whole->snapshots, w.snapshots);
    if (strcmp(config->gradient, "last") == 0) {
        assert_memory_equal(whole->last_gradient, w.last_gradient, sizeof w.last_gradient);
    }
    rs_free(resumed);
    (void)unlink(path);
}

static void resuming(fixture *f)
{
    static const char *const optimizers[] = {"adam", "sgd", "adamw"};
    for (int i = 0; i < 3; i++) {
        rs_config config = small_config();
        (void)snprintf(config.optimizer, sizeof config.optimizer, "%s", optimizers[i]);
        config.momentum = i == 1 ? 0.9 : 0.0;
        config.weight_decay = 0.01;
        config.clip_norm = 1.0;
        (void)snprintf(config.gradient, sizeof config.gradient, "%s", i == 2 ? "last" : "mean");
        (void)snprintf(config.schedule, sizeof config.schedule, "exponential");
        (void)snprintf(config.augment, sizeof config.augment, "%s", i == 1 ? AUGMENT : "");
        float *weights = new_weights(f);
        witness whole = {0};
        OK(train(f, &config, WANT_ALL, NULL, false, &whole, weights));
        for (int64_t stop = 1; stop <= STEPS; stop += i == 0 ? 1 : 3) {
            cut_and_resume(f, &config, stop, &whole, weights);
        }
        rs_free(weights);
    }
}

static void a_run_stopped_anywhere_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    on_every_backend(resuming);
}

static void other_options_are_refused_on_resume(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, "ref");
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/test_trainer.%d.ckpt", (int)getpid());
    rs_config config = small_config();
    float *weights = new_weights(&f);
    witness w = {.stop_after = 2};
    assert_int_equal(train(&f, &config, WANT_ALL, path, false, &w, weights), RS_INTERRUPTED);
    rs_config other = config;
    other.learning_rate = 0.02;
    rs_trainer *trainer = NULL;
    rs_trainer_options options = {.config = &other,
                                  .dataset = f.dataset,
                                  .network = f.network,
                                  .backend = f.backend,
                                  .device = f.device,
                                  .wants = WANT_ALL};
    rs_position position;
    bool foreign;
    OK(rs_trainer_create(&options, &trainer, &error));
    assert_int_equal(rs_trainer_restore(trainer, path, &position, &foreign, &error), RS_USAGE);
    assert_non_null(strstr(error.text, "learning-rate"));
    rs_trainer_destroy(trainer);
    (void)unlink(path);
    rs_free(weights);
    tear_down(&f);
}

static void snapshots_fall_where_they_are_asked_for(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, "ref");
    rs_config config = small_config();
    (void)snprintf(config.snapshots, sizeof config.snapshots, "epochs:0,2;steps:1,3,8");
    float *weights = new_weights(&f);
    witness w = {0};
    OK(train(&f, &config, WANT_ALL, NULL, false, &w, weights));
    static const int64_t steps[] = {0, 1, 3, 8}, epochs[] = {0, -1, -1, 2}, gradients[] = {0, 1, 2, 5};
    assert_int_equal(w.snapshots, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(w.snapshot_steps[i], steps[i]);
        assert_int_equal(w.snapshot_epochs[i], epochs[i]);
        assert_int_equal(w.gradient_steps[i], gradients[i]);
    }
    int64_t planned_steps, planned;
    rs_trainer_planned(&config, f.dataset, &planned_steps, &planned);
    assert_int_equal(planned_steps, STEPS);
    assert_int_equal(planned, 4);
    rs_free(weights);
    tear_down(&f);
}

static void divergence(fixture *f)
{
    rs_config config = small_config();
    (void)snprintf(config.optimizer, sizeof config.optimizer, "sgd");
    config.learning_rate = 1e30;
    float *weights = new_weights(f);
    witness w = {0};
    assert_int_equal(train(f, &config, 0, NULL, false, &w, weights), RS_DIVERGED);
    assert_non_null(strstr(error.text, "diverged at step"));
    assert_true(w.steps > 0 && w.steps < STEPS);
    config.stop_on_nan = false;
    w = (witness){0};
    OK(train(f, &config, 0, NULL, false, &w, weights));
    assert_int_equal(w.steps, STEPS);
    rs_free(weights);
}

static void divergence_ends_the_run_and_names_the_step(void **state)
{
    (void)state;
    on_every_backend(divergence);
}

static void expect_rate(const rs_config *config, int64_t epoch, double expected)
{
    double rate = rs_learning_rate(config, epoch);
    if (!(fabs(rate - expected) <= 1e-15)) {
        fail_msg("%s at epoch %d: %.17g instead of %.17g", config->schedule, (int)epoch, rate, expected);
    }
}

static void schedules_follow_their_formulas(void **state)
{
    (void)state;
    rs_config config = small_config();
    config.learning_rate = 0.1;
    config.schedule_gamma = 0.5;
    config.schedule_step = 10;
    config.epochs = 100;
    (void)snprintf(config.schedule, sizeof config.schedule, "step");
    expect_rate(&config, 9, 0.1);
    expect_rate(&config, 10, 0.05);
    expect_rate(&config, 29, 0.025);
    (void)snprintf(config.schedule, sizeof config.schedule, "exponential");
    expect_rate(&config, 3, 0.0125);
    (void)snprintf(config.schedule, sizeof config.schedule, "inverse-time");
    expect_rate(&config, 4, 0.05);
    (void)snprintf(config.schedule, sizeof config.schedule, "cosine");
    expect_rate(&config, 50, 0.05);
    expect_rate(&config, 0, 0.1);
    (void)snprintf(config.schedule, sizeof config.schedule, "cosine-restarts");
    static const int64_t restarts[] = {0, 5, 15, 35, 75, 155, 315};
    for (int i = 0; i < 7; i++) {
        expect_rate(&config, restarts[i], 0.1);
    }
    expect_rate(&config, 10, 0.05); /* half of the second period of 10 */
    expect_rate(&config, 4, 0.1 * (1 + cos(3.14159265358979323846 * 0.8)) / 2);
}

/* At a rate of 0, and with running statistics that stay, the network does, so that losses tell the images apart. */
static void augmenting(fixture *f)
{
    for (int i = 0; i < f->network->node_count; i++) {
        f->network->nodes[i].attributes.momentum = 0.0;
    }
    witness w[4] = {{.steps = 0}}; /* as stored, changed, the same again, by another seed */
    float *weights = new_weights(f);
    for (int i = 0; i < 4; i++) {
        rs_config config = small_config();
        config.learning_rate = 0.0;
        config.seed_augment = i == 3 ? 7 : -1;
        (void)snprintf(config.augment, sizeof config.augment, "%s", i == 0 ? "" : AUGMENT);
        OK(train(f, &config, 0, NULL, false, &w[i], weights));
    }
    for (int step = 0; step < STEPS; step++) {
        assert_true(w[0].losses[step] != w[1].losses[step]);
        assert_true(w[1].losses[step] == w[2].losses[step]);
        assert_true(w[1].losses[step] != w[3].losses[step]);
    }
    for (int i = 1; i < 4; i++) {
        assert_memory_equal(w[0].valid_loss, w[i].valid_loss, sizeof w[0].valid_loss);
    }
    rs_free(weights);
}

static void only_training_images_are_changed(void **state)
{
    (void)state;
    on_every_backend(augmenting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_measured_never_changes_what_is_trained),
        cmocka_unit_test(a_run_stopped_anywhere_goes_on_to_the_same_bits),
        cmocka_unit_test(only_training_images_are_changed),
        cmocka_unit_test(other_options_are_refused_on_resume),
        cmocka_unit_test(snapshots_fall_where_they_are_asked_for),
        cmocka_unit_test(divergence_ends_the_run_and_names_the_step),
        cmocka_unit_test(schedules_follow_their_formulas),
    };
    return cmocka_run_group_tests_name("trainer", tests, NULL, NULL);
}
