/* networks.c: see networks.h. */
#include "networks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rs/random.h"

static rs_error error;

rs_network *network_of(const char *name, int64_t channels, int64_t side, int classes, const layer *layers)
{
    rs_network *network;
    int node = 0;
    harness_ok(rs_network_create(name, channels, side, side, classes, &network, &error), &error);
    for (int i = 0; layers[i].kind != RS_OP_INPUT; i++) {
        char text[RS_NAME_MAX];
        (void)snprintf(text, sizeof text, "%s%d", rs_op_name(layers[i].kind), i + 1);
        const rs_node_spec spec = {.name = text,
                                   .kind = layers[i].kind,
                                   .attributes = layers[i].attributes,
                                   .input = {node, node - layers[i].back},
                                   .block = -1,
                                   .weight_initializer = RS_INIT_UNIFORM_FAN_IN,
                                   .bias_initializer = RS_INIT_UNIFORM_FAN_IN};
        harness_ok(rs_network_add(network, &spec, &node, &error), &error);
    }
    harness_ok(rs_network_finish(network, &error), &error);
    return network;
}

static double draw(const char *name, int64_t index, double low, double high)
{
    return rs_uniform(7, rs_hash64(name), (uint64_t)index, low, high);
}

static void make_samples(problem *p)
{
    const int64_t *shape = p->network->nodes[0].shape, elements = shape[0] * shape[1] * shape[2];
    p->values = calloc((size_t)(p->samples * elements), sizeof *p->values);
    p->targets = calloc((size_t)(p->samples * p->network->classes), sizeof *p->targets);
    p->labels = calloc((size_t)p->samples, sizeof *p->labels);
    for (int64_t i = 0; i < p->samples * elements; i++) {
        p->values[i] = (float)draw("samples", i, -1.5, 1.5);
    }
    for (int64_t i = 0; i < p->samples * p->network->classes; i++) {
        p->targets[i] = (float)draw("targets", i, -1.0, 1.0);
    }
    rs_fill_labels(7, p->network->classes, p->labels, p->samples);
    p->dataset = (rs_dataset){.channels = (int)shape[0],
                              .height = (int)shape[1],
                              .width = (int)shape[2],
                              .classes = p->network->classes,
                              .train = {.count = p->samples, .values = p->values}};
    bool values = p->network->nodes[p->network->node_count - 1].kind == RS_OP_MEAN_SQUARED_ERROR;
    p->dataset.train.labels = values ? NULL : p->labels;
    p->dataset.train.targets = values ? p->targets : NULL;
}

void problem_make(problem *p, rs_network *network, int64_t samples)
{
    *p = (problem){.network = network, .samples = samples};
    make_samples(p);
    for (int i = 0; i < network->parameter_count; i++) {
        p->size += network->parameters[i].count;
    }
    p->weights = calloc((size_t)p->size, sizeof *p->weights);
    for (int64_t i = 0; i < p->size; i++) {
        p->weights[i] = draw("weights", i, -0.7, 0.7);
    }
    p->running = calloc((size_t)network->buffer_count + 1, sizeof *p->running);
    for (int b = 0; b < network->buffer_count; b++) {
        bool variance = network->buffers[b].role == RS_ROLE_RUNNING_VARIANCE;
        p->running[b] = calloc((size_t)network->buffers[b].count, sizeof **p->running);
        for (int64_t i = 0; i < network->buffers[b].count; i++) {
            p->running[b][i] = draw(network->buffers[b].name, i, variance ? 0.5 : -0.3, variance ? 1.5 : 0.3);
        }
    }
}

void problem_release(problem *p)
{
    for (int b = 0; b < p->network->buffer_count; b++) {
        free(p->running[b]);
    }
    free(p->running);
    free(p->weights);
    free(p->values);
    free(p->targets);
    free(p->labels);
    rs_network_destroy(p->network);
}

void reference_open(reference *r, const problem *p)
{
    rs_plan_options options = {
        .dtype = RS_F64, .batch_size_count = 1, .batch_sizes = {p->samples}, .training = true};
    r->backend = rs_ref_backend();
    harness_ok(r->backend->open(rs_services(), 0, 2, &r->device, &error), &error);
    harness_ok(r->backend->plan_create(r->device, p->network, &options, &r->plan, &error), &error);
}

void reference_close(reference *r)
{
    r->backend->plan_destroy(r->plan);
    r->backend->close(r->device);
}

static void load(const reference *r, const problem *p)
{
    const int64_t *shape = p->network->nodes[0].shape, elements = shape[0] * shape[1] * shape[2];
    const int64_t numbers = p->samples * p->network->classes;
    double *values = calloc((size_t)(p->samples * elements), sizeof *values);
    double *targets = calloc((size_t)numbers, sizeof *targets);
    for (int64_t i = 0; i < p->samples * elements; i++) {
        values[i] = (double)p->values[i];
    }
    for (int64_t i = 0; i < numbers; i++) {
        targets[i] = (double)p->targets[i];
    }
    harness_ok(r->backend->load_values(r->plan, values, p->dataset.train.labels,
                                       p->dataset.train.targets ? targets : NULL, p->samples, &error),
               &error);
    free(values);
    free(targets);
}

double reference_gradient(const reference *r, const problem *p, rs_mode mode, const double *weights,
                          double *gradient)
{
    rs_loss loss;
    int64_t at = 0;
    for (int i = 0; i < p->network->parameter_count; at += p->network->parameters[i++].count) {
        harness_ok(r->backend->write(r->plan, RS_SLOT_VALUE, i, weights + at, &error), &error);
    }
    for (int b = 0; b < p->network->buffer_count; b++) {
        harness_ok(r->backend->write(r->plan, RS_SLOT_RUNNING, b, p->running[b], &error), &error);
    }
    load(r, p);
    harness_ok(r->backend->forward(r->plan, mode, &error), &error);
    harness_ok(r->backend->read_loss(r->plan, &loss, &error), &error);
    harness_ok(r->backend->backward(r->plan, RS_LABELS_TRUE, &error), &error);
    at = 0;
    for (int i = 0; i < p->network->parameter_count; at += p->network->parameters[i++].count) {
        harness_ok(r->backend->read(r->plan, RS_SLOT_GRADIENT, i, gradient + at, &error), &error);
    }
    return loss.loss;
}

void reference_hessian(const reference *r, const problem *p, rs_mode mode, double *hessian)
{
    static const double step = 1e-5;
    const size_t bytes = (size_t)p->size * sizeof(double);
    double *moved = malloc(bytes), *above = malloc(bytes), *below = malloc(bytes);
    memcpy(moved, p->weights, bytes);
    for (int64_t i = 0; i < p->size; i++) {
        moved[i] = p->weights[i] + step;
        (void)reference_gradient(r, p, mode, moved, above);
        moved[i] = p->weights[i] - step;
        (void)reference_gradient(r, p, mode, moved, below);
        moved[i] = p->weights[i];
        for (int64_t j = 0; j < p->size; j++) {
            hessian[i * p->size + j] = (above[j] - below[j]) / (2.0 * step);
        }
    }
    free(moved);
    free(above);
    free(below);
}
