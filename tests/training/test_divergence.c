/* test_divergence.c: what is not finite ends a run, and its first tensor, place and value are named: an output, a gradient
 * while the loss is finite, state that no loss shows, running statistics that only evaluation reads. Every case puts the
 * value there itself. On every backend of this build, or on RS_TEST_DEVICE alone; a device that runs ahead has gone
 * further when its host sees a step's loss, so that of steps only the status and the search itself are checked there. */
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

static rs_error error;
#define OK(expression) harness_ok((expression), &error)

/* One value of the state as it is before training, or all of a tensor. */
typedef struct planted {
    rs_slot slot;
    const char *name;
    int64_t place; /* -1: everywhere */
    float value;
} planted;

typedef struct outcome {
    rs_status status;
    int steps, stops; /* rows told; commits of the kind STOP */
    int64_t stopped_at;
    char not_finite[RS_NOT_FINITE_BYTES];
    bool ahead; /* the device runs ahead */
} outcome;

static char checkpoint[64];

static int find(const rs_network *network, const planted *p, const rs_parameter **parameter)
{
    const bool buffer = p->slot == RS_SLOT_RUNNING;
    const rs_parameter *list = buffer ? network->buffers : network->parameters;
    const int count = buffer ? network->buffer_count : network->parameter_count;
    for (int i = 0; i < count; i++) {
        if (strcmp(list[i].name, p->name) == 0) {
            *parameter = &list[i];
            return i;
        }
    }
    fail_msg("no %s", p->name);
    return -1;
}

static void plant(const small_run *run, rs_plan *plan, const planted *p)
{
    const rs_parameter *parameter = NULL;
    const int index = find(run->network, p, &parameter);
    float *values = rs_alloc_array((size_t)parameter->count, sizeof *values);
    assert_non_null(values);
    OK(run->backend->read(plan, p->slot, index, values, &error));
    for (int64_t i = 0; i < parameter->count; i++) {
        values[i] = p->place < 0 || p->place == i ? p->value : values[i];
    }
    OK(run->backend->write(plan, p->slot, index, values, &error));
    rs_free(values);
}

static rs_status see_step(void *context, const rs_step_row *row, rs_error *e)
{
    (void)row;
    (void)e;
    ((outcome *)context)->steps++;
    return RS_OK;
}

static rs_status see_commit(void *context, rs_commit_kind kind, const rs_position *position, const char *part,
                            rs_error *e)
{
    outcome *seen = context;
    (void)e;
    if (part) {
        assert_int_equal(rename(part, checkpoint), 0);
    }
    if (kind == RS_COMMIT_STOP) {
        assert_null(part); /* the last good one stays */
        seen->stops++;
        seen->stopped_at = position->steps;
    }
    return RS_OK;
}

/* Trains one epoch with these values in the state. */
static outcome train(const small_run *run, const rs_config *config, bool checkpoints, int count,
                     const planted *values)
{
    rs_trainer *trainer = NULL;
    rs_device_info info;
    outcome seen = {0};
    const rs_trainer_options options = {.config = config,
                                        .dataset = run->dataset,
                                        .network = run->network,
                                        .backend = run->backend,
                                        .device = run->device,
                                        .checkpoint_path = checkpoints ? checkpoint : NULL};
    run->backend->info(run->device, &info);
    seen.ahead = info.capabilities & RS_CAN_RUN_AHEAD;
    OK(rs_trainer_create(&options, &trainer, &error));
    for (int i = 0; i < count; i++) {
        plant(run, rs_trainer_plan(trainer), &values[i]);
    }
    const rs_observer observer = {.context = &seen, .step = see_step, .commit = see_commit};
    rs_trainer_observe(trainer, &observer);
    seen.status = rs_trainer_run(trainer, &error);
    (void)snprintf(seen.not_finite, sizeof seen.not_finite, "%s", rs_trainer_not_finite(trainer));
    rs_trainer_destroy(trainer);
    return seen;
}

static void expect_text(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        fail_msg("no \"%s\" in: %s", part, text);
    }
}

/* Ended on that step, with its row and commit, and says so; the tensor where the device works step by step. */
static void expect_named(const outcome *seen, int64_t steps, const char *said, const char *noted)
{
    assert_int_equal(seen->status, RS_DIVERGED);
    assert_int_equal(seen->stops, 1);
    assert_int_equal(seen->stopped_at, steps);
    assert_int_equal(seen->steps, steps);
    expect_text(error.text, "first not finite: ");
    if (!seen->ahead) {
        expect_text(error.text, said);
        expect_text(seen->not_finite, noted);
    }
}

typedef void (*check)(const small_run *run);
static void on_every_backend(check check_one)
{
    const rs_dataset_request request = small_shapes();
    const char *device;
    (void)snprintf(checkpoint, sizeof checkpoint, "/tmp/test_divergence.%d.ckpt", (int)getpid());
    for (int i = 0; (device = small_device(i)) != NULL; i++) {
        small_run run;
        small_run_open(&run, device, &request, small_convolutions());
        check_one(&run);
        small_run_close(&run);
        (void)unlink(checkpoint);
    }
}

/* --- outputs ------------------------------------------------------------------------------------------------ */

static void outputs(const small_run *run)
{
    rs_config config = small_config(1);
    const planted bias = {RS_SLOT_VALUE, "fc.bias", 4, (float)-INFINITY};
    outcome seen = train(run, &config, false, 1, &bias);
    expect_named(
        &seen, 1, "output of fc at [0, 4, 0, 0], -inf (32 of 320 values)",
        "what: output, name: \"fc\", layer: \"fc\", index: [0, 4, 0, 0], value: -.inf, not_finite: 32, "
        "elements: 320}");
    if (!seen.ahead) {
        expect_text(seen.not_finite, "{steps: 1, epochs: 0, ");
    }
    const planted first = {RS_SLOT_VALUE, "conv1.bias", 3, (float)NAN}; /* channel 3 of the first layer */
    seen = train(run, &config, false, 1, &first);
    expect_named(&seen, 1, "output of conv1 at [0, 3, 0, 0], nan (2048 of 16384 values)",
                 "index: [0, 3, 0, 0]");
    config.stop_on_nan = false;
    seen = train(run, &config, false, 1, &first);
    assert_int_equal(seen.status, RS_OK);
    assert_string_equal(seen.not_finite, "");
}

static void the_first_output_is_named(void **state)
{
    (void)state;
    on_every_backend(outputs);
}

/* --- gradients ---------------------------------------------------------------------------------------------- */

/* Features of 1e-38 and weights of 3e38 give scores of some tens; the gradient of the features is beyond floats. */
static void gradients(const small_run *run)
{
    rs_config config = small_config(1);
    const planted values[] = {{RS_SLOT_VALUE, "bn2.weight", -1, 2e-38F},
                              {RS_SLOT_VALUE, "bn2.bias", -1, 0.0F},
                              {RS_SLOT_VALUE, "fc.weight", -1, 3e38F},
                              {RS_SLOT_VALUE, "fc.weight", 0, -3e38F},
                              {RS_SLOT_VALUE, "fc.weight", 17, -3e38F}};
    run->network->nodes[run->network->node_count - 1].attributes.reduction = RS_REDUCTION_SUM;
    const outcome seen = train(run, &config, false, 5, values);
    expect_named(&seen, 1, "first not finite: gradient of bn2.", "what: gradient, name: \"bn2.");
    if (!seen.ahead) {
        assert_null(strstr(error.text, "loss nan"));
        assert_null(strstr(error.text, "loss inf"));
    }
}

static void a_gradient_is_named_where_the_loss_is_finite(void **state)
{
    (void)state;
    on_every_backend(gradients);
}

/* --- state -------------------------------------------------------------------------------------------------- */

/* A second moment of Inf stands still, and a running statistic is read in evaluation alone: no step shows either. */
static void hidden(const small_run *run)
{
    rs_config config = small_config(1);
    const planted moment = {RS_SLOT_MOMENT2, "conv1.weight", 76, (float)INFINITY};
    outcome seen = train(run, &config, false, 1, &moment);
    assert_int_equal(seen.status, RS_OK); /* without a checkpoint nobody looks */
    seen = train(run, &config, true, 1, &moment);
    assert_int_equal(seen.status, RS_DIVERGED);
    assert_int_equal(seen.stops, 1);
    expect_text(error.text, "second moment of conv1.weight at [1, 0, 0, 1], inf (1 of 600 values)");
    expect_text(seen.not_finite, "{steps: 0, epochs: 0, what: second moment, name: \"conv1.weight\"");
    assert_int_not_equal(access(checkpoint, F_OK), 0);
    char part[80];
    (void)snprintf(part, sizeof part, "%s.part", checkpoint);
    assert_int_not_equal(access(part, F_OK), 0);
    config.stop_on_nan = false;
    assert_int_equal(train(run, &config, true, 1, &moment).status, RS_OK);
}

static void no_checkpoint_keeps_what_is_not_finite(void **state)
{
    (void)state;
    on_every_backend(hidden);
}

/* --- evaluation --------------------------------------------------------------------------------------------- */

static void evaluated(const small_run *run)
{
    rs_config config = small_config(1);
    const planted mean = {RS_SLOT_RUNNING, "bn1.running_mean", 2, (float)NAN};
    outcome seen = train(run, &config, false, 1, &mean);
    assert_int_equal(seen.status, RS_DIVERGED);
    assert_int_equal(seen.steps, 4); /* all of the epoch */
    assert_int_equal(seen.stops, 1);
    expect_text(error.text, "after epoch 1 the loss of the test set is nan; first not finite: output of ");
    expect_text(error.text, "1 at [0, 2, 0, 0], nan"); /* bn1, or the ReLU that it is fused with */
    expect_text(seen.not_finite, "{steps: 4, epochs: 1, what: output, ");
    config.stop_on_nan = false;
    assert_int_equal(train(run, &config, false, 1, &mean).status, RS_OK);
}

static void evaluation_is_looked_at_too(void **state)
{
    (void)state;
    on_every_backend(evaluated);
}

/* --- explosions --------------------------------------------------------------------------------------------- */

static int warnings;
static void count_warnings(void *context, rs_log_level level, const char *text)
{
    (void)context;
    warnings +=
        level == RS_LOG_WARNING && strstr(text, "the loss exploded: ") && strstr(text, "times the first one");
}

static void exploding(const small_run *run)
{
    rs_config config = small_config(2);
    (void)snprintf(config.optimizer, sizeof config.optimizer, "sgd");
    for (int i = 0; i < 2; i++) {
        config.learning_rate = i == 0 ? 1e-3 : 1e3;
        config.stop_on_nan = false;
        warnings = 0;
        assert_int_equal(train(run, &config, false, 0, NULL).status, RS_OK);
        assert_int_equal(warnings, i); /* once, not at every step */
    }
}

static void an_explosion_is_said_once(void **state)
{
    (void)state;
    rs_log_set_sink(count_warnings, NULL);
    on_every_backend(exploding);
    rs_log_set_sink(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_output_is_named),
        cmocka_unit_test(a_gradient_is_named_where_the_loss_is_finite),
        cmocka_unit_test(no_checkpoint_keeps_what_is_not_finite),
        cmocka_unit_test(evaluation_is_looked_at_too),
        cmocka_unit_test(an_explosion_is_said_once),
    };
    return cmocka_run_group_tests_name("divergence", tests, NULL, NULL);
}
