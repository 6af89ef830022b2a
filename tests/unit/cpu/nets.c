/* nets.c: see nets.h. */
#include "nets.h"

#include <string.h>

#include "rs/random.h"

int add_node(rs_network *network, const char *name, rs_op_kind kind, int a, int b, int64_t channels, window w)
{
    rs_error error = {0};
    int node = -1;
    rs_node_spec spec = {.name = name,
                         .kind = kind,
                         .attributes = {.channels = channels,
                                        .kernel = w.kernel,
                                        .stride = w.stride,
                                        .padding = w.padding,
                                        .bias = kind == RS_OP_LINEAR || kind == RS_OP_CONVOLUTION,
                                        .epsilon = kind == RS_OP_BATCH_NORM ? 1e-5 : 0.0,
                                        .momentum = kind == RS_OP_BATCH_NORM ? 0.1 : 0.0},
                         .input = {a, b},
                         .block = -1,
                         .weight_initializer = RS_INIT_UNIFORM_FAN_IN,
                         .bias_initializer = RS_INIT_UNIFORM_FAN_IN};
    must(rs_network_add(network, &spec, &node, &error));
    return node;
}

int add_norm(rs_network *network, const char *name, int input)
{
    return add_node(network, name, RS_OP_BATCH_NORM, input, 0, 0, (window){0});
}

rs_network *odd_network(int64_t channels, int64_t middle, int64_t size)
{
    rs_error error = {0};
    rs_network *n = NULL;
    must(rs_network_create("odd", channels, size, size, 10, &n, &error));
    int a = add_node(n, "conv1", RS_OP_CONVOLUTION, 0, 0, middle, (window){3, 1, 1});
    a = add_norm(n, "bn1", a);
    a = add_node(n, "relu1", RS_OP_RELU, a, 0, 0, (window){0});
    int pool = add_node(n, "pool", RS_OP_MAX_POOL, a, 0, 0, (window){3, 2, 1});
    a = add_node(n, "conv2", RS_OP_CONVOLUTION, pool, 0, middle, (window){1, 1, 0});
    a = add_norm(n, "bn2", a);
    a = add_node(n, "add", RS_OP_ADD, a, pool, 0, (window){0});
    a = add_node(n, "relu2", RS_OP_RELU, a, 0, 0, (window){0});
    a = add_node(n, "global", RS_OP_GLOBAL_AVERAGE_POOL, a, 0, 0, (window){0});
    a = add_node(n, "fc", RS_OP_LINEAR, a, 0, 10, (window){0});
    (void)add_node(n, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, a, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    return n;
}

rs_network *pool_network(int64_t channels, int64_t size)
{
    rs_error error = {0};
    rs_network *n = NULL;
    must(rs_network_create("pools", channels, size, size, 10, &n, &error));
    int a = add_norm(n, "bn1", 0);
    int relu = add_node(n, "relu1", RS_OP_RELU, a, 0, 0, (window){0});
    a = add_norm(n, "bn2", relu);
    a = add_node(n, "add", RS_OP_ADD, a, relu, 0, (window){0});
    a = add_node(n, "relu2", RS_OP_RELU, a, 0, 0, (window){0});
    a = add_node(n, "max", RS_OP_MAX_POOL, a, 0, 0, (window){3, 2, 1});
    a = add_node(n, "average", RS_OP_AVERAGE_POOL, a, 0, 0, (window){2, 1, 0});
    a = add_node(n, "soft", RS_OP_SOFTPLUS, a, 0, 0, (window){0});
    (void)add_node(n, "global", RS_OP_GLOBAL_AVERAGE_POOL, a, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    return n;
}

float *some_values(uint64_t seed, int64_t count)
{
    float *values = rs_alloc_array((size_t)count, sizeof(float));
    assert_non_null(values);
    rs_philox words = {{0}};
    for (int64_t i = 0; i < count; i++) {
        if (i % 4 == 0) {
            words = rs_philox_at(seed, 0, (uint64_t)i / 4);
        }
        values[i] = (float)((double)words.word[i % 4] / 2147483648.0 - 1.0);
    }
    return values;
}

rs_plan_options small_options(int64_t batch)
{
    rs_plan_options options = {.dtype = RS_F32,
                               .batch_size_count = 1,
                               .batch_sizes = {batch},
                               .training = true,
                               .optimizer = RS_OPTIMIZER_ADAM,
                               .keep_initial = true,
                               .sum_gradients = true};
    for (int c = 0; c < RS_MAX_CHANNELS; c++) {
        options.mean[c] = 0.5f;
        options.std[c] = 0.5f;
    }
    return options;
}

void fill_parameters(const rs_backend *backend, rs_plan *plan, const rs_network *network)
{
    rs_error error = {0};
    for (int i = 0; i < network->parameter_count; i++) {
        float *values = some_values((uint64_t)i + 1, network->parameters[i].count);
        must(backend->write(plan, RS_SLOT_VALUE, i, values, &error));
        must(backend->write(plan, RS_SLOT_INITIAL, i, values, &error));
        rs_free(values);
    }
    for (int i = 0; i < network->buffer_count; i++) {
        float *values = some_values((uint64_t)i + 1000, network->buffers[i].count);
        for (int64_t k = 0; k < network->buffers[i].count; k++) {
            values[k] += network->buffers[i].role == RS_ROLE_RUNNING_VARIANCE ? 1.5f : 0.0f;
        }
        must(backend->write(plan, RS_SLOT_RUNNING, i, values, &error));
        rs_free(values);
    }
}

void load_something(const rs_backend *backend, rs_plan *plan, const rs_network *network, int64_t count,
                    uint64_t seed)
{
    rs_error error = {0};
    const int64_t *shape = network->nodes[0].shape;
    float *values = some_values(seed, count * shape[0] * shape[1] * shape[2]);
    int32_t *labels = rs_alloc_array((size_t)count, sizeof(int32_t));
    assert_non_null(labels);
    for (int64_t n = 0; n < count; n++) {
        labels[n] = (int32_t)((n * 7 + (int64_t)seed) % 10);
    }
    must(backend->load_values(plan, values, labels, NULL, count, &error));
    rs_free(values);
    rs_free(labels);
}

fixture open_plan(rs_network *network, const rs_plan_options *options)
{
    rs_error error = {0};
    fixture f = {.backend = rs_cpu_backend(), .network = network};
    must(f.backend->open(rs_services(), 0, 2, &f.device, &error));
    must(f.backend->plan_create(f.device, network, options, &f.plan, &error));
    fill_parameters(f.backend, f.plan, network);
    return f;
}

void close_plan(fixture *f)
{
    f->backend->plan_destroy(f->plan);
    f->backend->close(f->device);
    rs_network_destroy(f->network);
}

void train_steps(fixture *f, int first, double losses[4])
{
    rs_error error = {0};
    rs_update_options update = {
        .optimizer = RS_OPTIMIZER_ADAM, .learning_rate = 1e-2, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    for (int step = first; step < first + 4; step++) {
        rs_measurement measurement = {0};
        rs_loss loss;
        load_something(f->backend, f->plan, f->network, step % 2 ? 3 : 4, (uint64_t)step);
        must(f->backend->forward(f->plan, RS_MODE_TRAIN, &error));
        must(f->backend->backward(f->plan, RS_LABELS_TRUE, &error));
        must(f->backend->update(f->plan, &update, &measurement, &error));
        must(f->backend->read_loss(f->plan, &loss, &error));
        losses[step - first] = loss.loss;
    }
}

void expect_same_values(fixture *a, fixture *b)
{
    rs_error error = {0};
    for (int i = 0; i < a->network->parameter_count; i++) {
        size_t bytes = (size_t)a->network->parameters[i].count * sizeof(float);
        void *x = rs_alloc_zero(bytes), *y = rs_alloc_zero(bytes);
        must(a->backend->read(a->plan, RS_SLOT_VALUE, i, x, &error));
        must(b->backend->read(b->plan, RS_SLOT_VALUE, i, y, &error));
        assert_memory_equal(x, y, bytes);
        rs_free(x);
        rs_free(y);
    }
}

rs_network *small_resnet(int depth, bool plain, bool standard, int blocks)
{
    rs_error error = {0};
    rs_network *network = NULL;
    rs_resnet_options options = {.depth = depth,
                                 .plain = plain,
                                 .standard = standard,
                                 .blocks = {blocks, blocks, blocks, blocks},
                                 .channels = 3,
                                 .height = 32,
                                 .width = 32,
                                 .classes = 10};
    must(rs_resnet_build(&options, &network, &error));
    return network;
}
