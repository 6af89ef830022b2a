/* small_run.c: see small_run.h. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "small_run.h"

static rs_error failure;
#define OK(expression)                                                                                       \
    do {                                                                                                     \
        if ((expression) != RS_OK) {                                                                         \
            fail_msg("%s: %s", #expression, failure.text);                                                   \
        }                                                                                                    \
    } while (0)

static int add(rs_network *network, const char *name, rs_op_kind kind, rs_node_attributes attributes)
{
    int node = 0;
    const rs_node_spec spec = {.name = name,
                               .kind = kind,
                               .attributes = attributes,
                               .input = {network->node_count - 1},
                               .block = -1,
                               .weight_initializer = RS_INIT_UNIFORM_FAN_IN,
                               .bias_initializer = RS_INIT_UNIFORM_FAN_IN};
    OK(rs_network_add(network, &spec, &node, &failure));
    return node;
}

rs_network *small_convolutions(void)
{
    const rs_node_attributes none = {0}, norm = {.epsilon = 1e-5, .momentum = 0.1};
    rs_network *network = NULL;
    OK(rs_network_create("convolutions", 3, 32, 32, 10, &network, &failure));
    (void)add(network, "conv1", RS_OP_CONVOLUTION,
              (rs_node_attributes){.channels = 8, .kernel = 5, .stride = 4, .padding = 2, .bias = true});
    (void)add(network, "bn1", RS_OP_BATCH_NORM, norm);
    (void)add(network, "relu1", RS_OP_RELU, none);
    (void)add(network, "conv2", RS_OP_CONVOLUTION,
              (rs_node_attributes){.channels = 16, .kernel = 3, .stride = 2, .padding = 1});
    (void)add(network, "bn2", RS_OP_BATCH_NORM, norm);
    (void)add(network, "relu2", RS_OP_RELU, none);
    (void)add(network, "pool", RS_OP_GLOBAL_AVERAGE_POOL, none);
    (void)add(network, "fc", RS_OP_LINEAR, (rs_node_attributes){.channels = 10, .bias = true});
    (void)add(network, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, none);
    OK(rs_network_finish(network, &failure));
    return network;
}

rs_network *small_regression(void)
{
    rs_network *network = NULL;
    OK(rs_network_create("regression", 1, 1, 1, 1, &network, &failure));
    (void)add(network, "0", RS_OP_LINEAR, (rs_node_attributes){.channels = 8, .bias = true});
    (void)add(network, "1", RS_OP_TANH, (rs_node_attributes){0});
    (void)add(network, "2", RS_OP_LINEAR, (rs_node_attributes){.channels = 1, .bias = true});
    (void)add(network, "loss", RS_OP_MEAN_SQUARED_ERROR, (rs_node_attributes){0});
    OK(rs_network_finish(network, &failure));
    return network;
}

rs_dataset_request small_shapes(void)
{
    return (rs_dataset_request){.name = "shapes", .directory = "", .train_limit = 100, .test_limit = 40};
}

rs_config small_config(int64_t epochs)
{
    rs_config config;
    rs_config_default(&config);
    config.epochs = epochs;
    config.batch_size = SMALL_BATCH;
    config.commit_every = 0.0;
    config.learning_rate = 0.01;
    return config;
}

void small_run_open(small_run *run, const char *device, const rs_dataset_request *request,
                    rs_network *network)
{
    int index = 0;
    *run = (small_run){.network = network};
    OK(rs_dataset_load(request, &run->dataset, &failure));
    OK(rs_backend_select(device, &run->backend, &index, &failure));
    OK(run->backend->open(rs_services(), index, 1, &run->device, &failure));
}

void small_run_close(small_run *run)
{
    run->backend->close(run->device);
    rs_network_destroy(run->network);
    rs_dataset_destroy(run->dataset);
}

/* --- what is seen --------------------------------------------------------------------------------------- */
static void copy_some(double *to, const double *from, int count)
{
    assert_true(count <= SMALL_LAYERS);
    for (int i = 0; i < count; i++) {
        to[i] = from[i];
    }
}

static rs_status see_step(void *context, const rs_step_row *row, rs_error *error)
{
    small_seen *seen = context;
    (void)error;
    assert_true(row->step < SMALL_STEPS);
    seen->loss[row->step] = row->loss;
    seen->task_loss[row->step] = row->task_loss;
    seen->accuracy[row->step] = row->accuracy;
    seen->norm[row->step] = row->measurement->gradient_norm;
    seen->sensitivity[row->step] = row->sensitivity;
    if (seen->measured->layer_count > 0 && row->measurement->layer_losses) {
        copy_some(seen->layer_loss[row->step], row->measurement->layer_losses, seen->measured->layer_count);
        copy_some(seen->layer_mean[row->step], row->measurement->layer_means, seen->measured->layer_count);
    }
    copy_some(seen->head_loss[row->step], row->head_losses, seen->measured->head_count);
    copy_some(seen->head_accuracy[row->step], row->head_accuracies, seen->measured->head_count);
    seen->steps++;
    if (row->step + 1 == seen->stop_after) {
        seen->stop = SIGINT;
    }
    return RS_OK;
}

static void keep_state(small_seen *seen, int epoch)
{
    const small_run *run = seen->run;
    rs_plan *plan = rs_trainer_plan(seen->trainer);
    float *to = seen->values[epoch];
    for (int i = 0; i < run->network->parameter_count; i++) {
        OK(run->backend->read(plan, RS_SLOT_VALUE, i, to, &failure));
        to += run->network->parameters[i].count;
    }
    for (int i = 0; i < run->network->buffer_count; i++) {
        OK(run->backend->read(plan, RS_SLOT_RUNNING, i, to, &failure));
        to += run->network->buffers[i].count;
    }
    assert_true(to - seen->values[epoch] <= SMALL_WEIGHTS);
}

static rs_status see_epoch(void *context, const rs_epoch_row *row, rs_error *error)
{
    small_seen *seen = context;
    (void)error;
    assert_true(row->epoch < SMALL_EPOCHS);
    seen->epoch[row->epoch] = *row;
    seen->epochs = (int)row->epoch + 1;
    keep_state(seen, seen->epochs);
    if (seen->keep_fit) {
        seen->fit[row->epoch] = seen->keep_fit(seen->run, rs_trainer_plan(seen->trainer));
    }
    return RS_OK;
}

static double first_gradient(const rs_snapshot_moment *moment, const rs_parameter *parameter)
{
    static float values[SMALL_WEIGHTS];
    double sum = 0.0;
    assert_true(parameter->count <= SMALL_WEIGHTS);
    OK(moment->backend->read(moment->plan, RS_SLOT_GRADIENT, 0, values, &failure));
    for (int64_t i = 0; i < parameter->count; i++) {
        sum += fabs((double)values[i]);
    }
    return sum;
}

static rs_status see_snapshot(void *context, const rs_snapshot_moment *moment, rs_error *error)
{
    small_seen *seen = context;
    (void)error;
    seen->snapshots = (int)moment->index + 1;
    if (moment->index <= SMALL_EPOCHS) {
        seen->first_gradient[moment->index] = first_gradient(moment, &seen->run->network->parameters[0]);
    }
    return RS_OK;
}

static rs_status see_commit(void *context, rs_commit_kind kind, const rs_position *position,
                            const char *checkpoint, rs_error *error)
{
    char final[256];
    (void)context;
    (void)kind;
    (void)position;
    if (!checkpoint) {
        return RS_OK;
    }
    (void)snprintf(final, sizeof final, "%.*s", (int)strlen(checkpoint) - 5, checkpoint);
    return rename(checkpoint, final) == 0 ? RS_OK : RS_FAIL(error, RS_IO, "rename of %s failed", checkpoint);
}

rs_status small_run_train(const small_run *run, const rs_config *config, uint32_t wants,
                          const char *checkpoint, bool restore, small_seen *seen, rs_error *error)
{
    const int64_t stop_after = seen->stop_after;
    rs_fit (*const keep_fit)(const small_run *, rs_plan *) = seen->keep_fit;
    rs_measured_layers measured = {0};
    rs_status status;
    if (!restore) {
        memset(seen, 0, sizeof *seen);
        seen->stop_after = stop_after;
        seen->keep_fit = keep_fit;
    }
    OK(rs_configured_layers(config, run->network, &measured, &failure));
    seen->measured = &measured;
    seen->run = run;
    seen->stop = 0;
    const rs_trainer_options options = {.config = config,
                                        .dataset = run->dataset,
                                        .network = run->network,
                                        .backend = run->backend,
                                        .device = run->device,
                                        .wants = wants,
                                        .stop = &seen->stop,
                                        .checkpoint_path = checkpoint,
                                        .resumes = restore};
    status = rs_trainer_create(&options, &seen->trainer, error);
    if (!status && restore) {
        rs_position position;
        bool foreign;
        status = rs_trainer_restore(seen->trainer, checkpoint, &position, &foreign, error);
    }
    if (!status) {
        const rs_observer observer = {.context = seen,
                                      .step = see_step,
                                      .snapshot = see_snapshot,
                                      .epoch = see_epoch,
                                      .commit = see_commit};
        rs_trainer_observe(seen->trainer, &observer);
        if (!restore) {
            keep_state(seen, 0);
        }
        status = rs_trainer_run(seen->trainer, error);
        (void)snprintf(seen->reason, sizeof seen->reason, "%s", rs_trainer_reason(seen->trainer));
        rs_trainer_destroy(seen->trainer);
    }
    rs_measured_layers_release(&measured);
    return status;
}

const float *small_values(const small_seen *seen, int epoch, const char *name, size_t *bytes)
{
    const rs_network *network = seen->run->network;
    const float *at = seen->values[epoch];
    for (int i = 0; i < network->parameter_count + network->buffer_count; i++) {
        const rs_parameter *parameter = i < network->parameter_count
                                            ? &network->parameters[i]
                                            : &network->buffers[i - network->parameter_count];
        if (strcmp(parameter->name, name) == 0) {
            *bytes = (size_t)parameter->count * sizeof *at;
            return at;
        }
        at += parameter->count;
    }
    fail_msg("no parameter %s", name);
    return NULL;
}
