/* fixture.c: see fixture.h. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rs/backend.h"
#include "rs/checkpoint.h"

struct rs_plan {
    const fixture *made;
    int64_t row, steps;
};

float fixture_value(char what, int tensor, int64_t row, int64_t element)
{
    uint64_t mixed =
        (uint64_t)element * 2654435761u + (uint64_t)row * 40503u + (uint64_t)(tensor * 131 + what) * 977u;
    mixed ^= mixed >> 15;
    return (float)(mixed % 1048576) / 1024.0f - 512.0f;
}

double fixture_number(char table, int field, int64_t row)
{
    return (double)row * 1.25 + (double)field * 0.125 + (double)table;
}

/* A gradient's sum is its mean times the steps, exactly: means have 20 bits. */
static rs_status fake_read(rs_plan *plan, rs_slot slot, int index, void *values, rs_error *error)
{
    const bool buffer = slot == RS_SLOT_RUNNING;
    const char what = buffer ? 'b' : slot == RS_SLOT_VALUE ? 'w' : 'g';
    const rs_parameter *tensor = buffer ? &plan->made->buffers[index] : &plan->made->parameters[index];
    if (plan->made->broken) {
        return RS_FAIL(error, RS_DEVICE, "the device is gone");
    }
    for (int64_t i = 0; i < tensor->count; i++) {
        float value = fixture_value(what, index, plan->row, i);
        if (slot == RS_SLOT_GRADIENT_SUM) {
            ((double *)values)[i] = (double)value * (double)plan->steps;
        } else {
            ((float *)values)[i] = value;
        }
    }
    return RS_OK;
}

static void name_parameter(rs_parameter *parameter, const char *name, int rank, const int64_t *dims,
                           int layer, int block)
{
    memset(parameter, 0, sizeof *parameter);
    (void)snprintf(parameter->name, sizeof parameter->name, "%s", name);
    parameter->shape.rank = rank;
    memcpy(parameter->shape.dim, dims, (size_t)rank * sizeof *dims);
    parameter->count = rs_shape_count(&parameter->shape);
    parameter->layer = layer;
    parameter->node = layer;
    parameter->block = block;
}

static void init_network(fixture *made, bool large)
{
    const int64_t convolution[] = {large ? 128 : 4, large ? 300 : 3, 3, 3},
                  middle[] = {large ? 64 : 4, large ? 40 : 4, 3, 3};
    const int64_t channels[] = {4}, linear[] = {10, 4}, classes[] = {10};
    static const char *const layers[FIXTURE_LAYERS] = {"conv1", "layer1.0.conv1", "fc"};
    static const rs_op_kind kinds[FIXTURE_LAYERS] = {RS_OP_CONVOLUTION, RS_OP_CONVOLUTION, RS_OP_LINEAR};
    name_parameter(&made->parameters[0], "conv1.weight", 4, convolution, 0, -1);
    name_parameter(&made->parameters[1], "layer1.0.conv1.weight", 4, middle, 1, 0);
    name_parameter(&made->parameters[2], "layer1.0.bn1.weight", 1, channels, 1, 1);
    name_parameter(&made->parameters[3], "fc.weight", 2, linear, 2, -1);
    name_parameter(&made->parameters[4], "fc.bias", 1, classes, 2, -1);
    name_parameter(&made->buffers[0], "layer1.0.bn1.running_mean", 1, channels, 1, -1);
    name_parameter(&made->buffers[1], "layer1.0.bn1.running_var", 1, channels, 1, -1);
    for (int i = 0; i < FIXTURE_LAYERS; i++) {
        (void)snprintf(made->layers[i].name, RS_NAME_MAX, "%s", layers[i]);
        made->layers[i].kind = kinds[i];
        made->layers[i].node = i;
        made->nodes[i].shape[0] = 4;
        made->nodes[i].shape[1] = made->nodes[i].shape[2] = 1;
    }
    for (int i = 0; i < FIXTURE_BLOCKS; i++) {
        (void)snprintf(made->blocks[i].name, RS_NAME_MAX, "layer1.%d", i);
        made->blocks[i].depth = i + 1;
        made->blocks[i].weights = 100 + i;
    }
}

void fixture_init(fixture *made, bool large, int64_t epochs)
{
    memset(made, 0, sizeof *made);
    init_network(made, large);
    rs_network *network = &made->network;
    (void)snprintf(network->name, sizeof network->name, "fixture");
    network->node_count = network->layer_count = FIXTURE_LAYERS;
    network->parameter_count = FIXTURE_PARAMETERS;
    network->buffer_count = FIXTURE_BUFFERS;
    network->block_count = FIXTURE_BLOCKS;
    network->nodes = made->nodes;
    network->layers = made->layers;
    network->blocks = made->blocks;
    network->parameters = made->parameters;
    network->buffers = made->buffers;
    for (int i = 0; i < FIXTURE_PARAMETERS; i++) {
        network->weight_count += made->parameters[i].count;
        made->weights[i] = made->gradients[i] = true;
    }
    made->running[0] = made->running[1] = true;
    rs_error error;
    RS_ASSERT(rs_metric_list_parse("minkowski:1,cosine", &made->spec.metrics, &error) == RS_OK);
    made->spec.network = network;
    made->spec.config_yaml = "depth: 18\nepochs: 3\nout: a.h5\n";
    made->spec.provenance = (rs_provenance){.version = "0.1.0",
                                            .commit = "abc",
                                            .device = "a processor",
                                            .libraries = "some 1.0",
                                            .algorithms = "conv1 direct\n",
                                            .dataset = "name: shapes\n",
                                            .start_time = "2020-01-01T00:00:00Z",
                                            .threads = 1,
                                            .seed = 7};
    made->spec.weights = made->weights;
    made->spec.buffers = made->running;
    made->spec.gradients = made->gradients;
    for (int i = 0; i < FIXTURE_LAYERS; i++) {
        memcpy(made->layer_names[i], made->layers[i].name, RS_NAME_MAX);
    }
    made->spec.layer_count = FIXTURE_LAYERS;
    made->spec.layers = made->layer_names;
    made->spec.head_count = 1;
    made->spec.heads = &made->layer_names[FIXTURE_LAYERS - 1];
    made->spec.layer_losses = made->spec.layer_outputs = made->spec.sensitivity = true;
    made->spec.gradient_stats = made->spec.gradient_mean = made->spec.initial_snapshot = true;
    made->spec.planned_epochs = epochs;
    made->spec.planned_steps = epochs * FIXTURE_STEPS;
    made->spec.planned_snapshots = epochs + 1;
}

rs_status fixture_step(const fixture *made, const rs_observer *observer, rs_position *position,
                       rs_error *error)
{
    double initial[2 * FIXTURE_BLOCKS], previous[2 * FIXTURE_BLOCKS];
    double losses[FIXTURE_LAYERS], outputs[FIXTURE_LAYERS];
    float means[FIXTURE_PARAMETERS], deviations[FIXTURE_PARAMETERS], norms[FIXTURE_PARAMETERS];
    const int64_t row = position->steps;
    for (int i = 0; i < made->spec.metrics.count * FIXTURE_BLOCKS; i++) {
        initial[i] = fixture_number('i', i, row);
        previous[i] = fixture_number('p', i, row);
    }
    for (int i = 0; i < FIXTURE_PARAMETERS; i++) {
        means[i] = (float)fixture_number('m', i, row);
        deviations[i] = (float)fixture_number('d', i, row);
        norms[i] = (float)fixture_number('n', i, row);
    }
    for (int i = 0; i < FIXTURE_LAYERS; i++) {
        losses[i] = fixture_number('l', i, row);
        outputs[i] = fixture_number('o', i, row);
    }
    const double head_loss = fixture_number('h', 0, row), head_accuracy = fixture_number('a', 0, row);
    const rs_measurement measurement = {.gradient_norm = fixture_number('s', 4, row),
                                        .gradient_norm_clipped = fixture_number('s', 5, row),
                                        .to_initial = initial,
                                        .to_previous = previous,
                                        .gradient_abs_mean = means,
                                        .gradient_abs_std = deviations,
                                        .gradient_norms = norms,
                                        .layer_losses = losses,
                                        .layer_means = outputs};
    const rs_step_row step = {.step = row,
                              .epoch = position->epochs,
                              .batch = position->batches,
                              .batches = FIXTURE_STEPS,
                              .samples = 8,
                              .loss = fixture_number('s', 0, row) + made->skew,
                              .task_loss = fixture_number('s', 1, row),
                              .accuracy = fixture_number('s', 2, row),
                              .learning_rate = fixture_number('s', 3, row),
                              .sensitivity = {fixture_number('s', 6, row), fixture_number('s', 7, row)},
                              .head_losses = &head_loss,
                              .head_accuracies = &head_accuracy,
                              .measurement = &measurement};
    position->steps++;
    position->batches++;
    return observer->step(observer->context, &step, error);
}

rs_status fixture_snapshot(const fixture *made, const rs_observer *observer, rs_position *position,
                           bool epoch_end, rs_error *error)
{
    static const rs_backend backend = {
        .abi = RS_BACKEND_ABI, .size = sizeof backend, .name = "fake", .read = fake_read};
    rs_plan plan = {.made = made, .row = position->snapshots, .steps = FIXTURE_STEPS};
    const rs_snapshot_moment moment = {.index = position->snapshots,
                                       .epoch = epoch_end ? position->epochs : -1,
                                       .step = position->steps,
                                       .gradient_steps = position->snapshots ? FIXTURE_STEPS : 0,
                                       .backend = &backend,
                                       .plan = &plan};
    position->snapshots++;
    return observer->snapshot(observer->context, &moment, error);
}

rs_status fixture_epoch(const rs_observer *observer, rs_position *position, rs_error *error)
{
    const int64_t row = position->epochs;
    const rs_epoch_row epoch = {.epoch = row,
                                .train_loss = fixture_number('e', 0, row),
                                .train_accuracy = fixture_number('e', 1, row),
                                .valid_loss = fixture_number('e', 2, row),
                                .valid_accuracy = fixture_number('e', 3, row),
                                .test_loss = fixture_number('e', 4, row),
                                .test_accuracy = fixture_number('e', 5, row),
                                .train_seconds = fixture_number('e', 6, row),
                                .valid_seconds = fixture_number('e', 7, row),
                                .record_seconds = fixture_number('e', 8, row)};
    position->epochs++;
    position->batches = 0;
    return observer->epoch(observer->context, &epoch, error);
}

static rs_status commit(const rs_observer *observer, rs_commit_kind kind, const rs_position *position,
                        const char *checkpoint, rs_error *error)
{
    char part[1024];
    rs_checkpoint_writer *writer;
    if (!checkpoint) {
        return observer->commit(observer->context, kind, position, NULL, error);
    }
    RS_TRY(observer->wait(observer->context, error));
    (void)snprintf(part, sizeof part, "%s.part", checkpoint);
    RS_TRY(rs_checkpoint_create(part, &writer, error));
    RS_TRY(rs_checkpoint_put(writer, "position", position, sizeof *position, error));
    RS_TRY(rs_checkpoint_finish(writer, error));
    return observer->commit(observer->context, kind, position, part, error);
}

rs_status fixture_restore(const char *checkpoint, rs_position *position, rs_error *error)
{
    rs_checkpoint *opened;
    memset(position, 0, sizeof *position);
    if (access(checkpoint, F_OK) != 0) {
        return RS_OK;
    }
    RS_TRY(rs_checkpoint_open(checkpoint, &opened, error));
    rs_status status = rs_checkpoint_get(opened, "position", position, sizeof *position, error);
    rs_checkpoint_close(opened);
    return status;
}

rs_status fixture_train(const fixture *made, const rs_observer *observer, rs_position *position,
                        int64_t epochs, const char *checkpoint, rs_error *error)
{
    if (position->snapshots == 0) {
        RS_TRY(fixture_snapshot(made, observer, position, true, error));
        RS_TRY(commit(observer, RS_COMMIT_INITIAL, position, checkpoint, error));
    }
    while (position->epochs < epochs) {
        while (position->batches < FIXTURE_STEPS) {
            RS_TRY(fixture_step(made, observer, position, error));
        }
        RS_TRY(fixture_epoch(observer, position, error));
        RS_TRY(fixture_snapshot(made, observer, position, true, error));
        RS_TRY(commit(observer, RS_COMMIT_EPOCH, position, checkpoint, error));
    }
    return RS_OK;
}
