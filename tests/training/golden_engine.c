/* golden_engine.c: see golden_engine.h. An error of the backend fails the running test. */
#include "golden_engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "golden_inputs.h"

static void demand(const golden_engine *e, rs_status status, const rs_error *error)
{
    if (status != RS_OK) {
        fail_msg("%s: %s (%s:%d)", e->spec->label, error->text, error->file, error->line);
    }
}

static int64_t largest_tensor(const rs_network *network)
{
    int64_t largest = 1;
    for (int kind = GOLDEN_WEIGHT; kind < GOLDEN_KINDS; kind++) {
        for (int i = 0; i < golden_tensor_count(network, kind); i++) {
            int64_t count = golden_tensor(network, kind, i)->count;
            largest = count > largest ? count : largest;
        }
    }
    return largest;
}

static void allocate(golden_engine *e, int64_t batch)
{
    e->batch = batch;
    e->gradient = calloc((size_t)e->network->parameter_count, sizeof(double *));
    e->scratch = calloc((size_t)largest_tensor(e->network), sizeof(double));
    e->images = calloc((size_t)batch, GOLDEN_IMAGE_BYTES);
    e->labels = calloc((size_t)batch, sizeof(int32_t));
    e->sample_ids = calloc((size_t)batch, sizeof(int64_t));
    assert_true(e->gradient && e->scratch && e->images && e->labels && e->sample_ids);
    for (int i = 0; i < e->network->parameter_count; i++) {
        e->gradient[i] = calloc((size_t)e->network->parameters[i].count, sizeof(double));
        assert_non_null(e->gradient[i]);
    }
}

bool golden_engine_open(golden_engine *e, const golden_engine_spec *spec, const rs_network *network,
                        int64_t batch)
{
    rs_error error = {0};
    rs_device_info info = {0};
    int index;
    *e = (golden_engine){.spec = spec, .network = network};
    demand(e, rs_backend_select(spec->backend, &e->backend, &index, &error), &error);
    demand(e, e->backend->open(rs_services(), index, 0, &e->device, &error), &error);
    e->backend->info(e->device, &info);
    if (spec->convolution == RS_CONVOLUTION_WINOGRAD && !(info.capabilities & RS_CAN_WINOGRAD)) {
        print_message("%s: skipped, %s has no Winograd convolution\n", spec->label, info.name);
        return false;
    }
    rs_plan_options options = {.dtype = spec->dtype,
                               .batch_size_count = 1,
                               .batch_sizes = {batch},
                               .convolution = spec->convolution,
                               .training = true,
                               .mean = {0.5F, 0.5F, 0.5F},
                               .std = {0.5F, 0.5F, 0.5F},
                               .optimizer = RS_OPTIMIZER_ADAM};
    demand(e, e->backend->plan_create(e->device, network, &options, &e->plan, &error), &error);
    allocate(e, batch);
    return true;
}

void golden_engine_close(golden_engine *e)
{
    for (int i = 0; e->gradient && i < e->network->parameter_count; i++) {
        free(e->gradient[i]);
    }
    free(e->gradient);
    free(e->scratch);
    free(e->images);
    free(e->labels);
    free(e->sample_ids);
    if (e->backend) {
        e->backend->plan_destroy(e->plan);
        e->backend->close(e->device);
    }
    *e = (golden_engine){0};
}

static void write_tensor(golden_engine *e, rs_slot slot, int index, const float *values, int64_t count)
{
    rs_error error = {0};
    for (int64_t i = 0; e->spec->dtype == RS_F64 && i < count; i++) {
        ((double *)e->scratch)[i] = (double)values[i];
    }
    const void *from = e->spec->dtype == RS_F64 ? e->scratch : values;
    demand(e, e->backend->write(e->plan, slot, index, from, &error), &error);
}

void golden_engine_write_state(golden_engine *e, const golden_state *state)
{
    static const rs_slot slots[GOLDEN_KINDS] = {RS_SLOT_VALUE, RS_SLOT_MOMENT1, RS_SLOT_MOMENT2,
                                                RS_SLOT_RUNNING};
    rs_error error = {0};
    for (int kind = 0; kind < GOLDEN_KINDS; kind++) {
        for (int i = 0; i < golden_tensor_count(e->network, kind); i++) {
            write_tensor(e, slots[kind], i, state->values[kind][i],
                         golden_tensor(e->network, kind, i)->count);
        }
    }
    for (int i = 0; i < e->network->parameter_count; i++) {
        demand(e, e->backend->write(e->plan, RS_SLOT_STEP_COUNT, i, &state->steps, &error), &error);
    }
}

void golden_engine_read(golden_engine *e, rs_slot slot, int index, double *values)
{
    rs_error error = {0};
    int kind = slot == RS_SLOT_RUNNING ? GOLDEN_RUNNING : GOLDEN_WEIGHT;
    int64_t count = golden_tensor(e->network, kind, index)->count;
    bool single = e->spec->dtype == RS_F32;
    demand(e, e->backend->read(e->plan, slot, index, single ? e->scratch : values, &error), &error);
    for (int64_t i = 0; single && i < count; i++) {
        values[i] = (double)((const float *)e->scratch)[i];
    }
}

static void load_batch(golden_engine *e, int step)
{
    rs_error error = {0};
    for (int64_t i = 0; i < e->batch; i++) {
        int64_t sample = step * e->batch + i;
        golden_image((uint64_t)sample, e->images + i * GOLDEN_IMAGE_BYTES);
        e->labels[i] = golden_label((uint64_t)sample);
        e->sample_ids[i] = sample;
    }
    rs_batch batch = {
        .count = e->batch, .images = e->images, .labels = e->labels, .sample_ids = e->sample_ids};
    demand(e, e->backend->load_batch(e->plan, &batch, &error), &error);
}

void golden_engine_gradients(golden_engine *e, int step)
{
    rs_error error = {0};
    load_batch(e, step);
    demand(e, e->backend->forward(e->plan, RS_MODE_TRAIN, &error), &error);
    demand(e, e->backend->backward(e->plan, RS_LABELS_TRUE, &error), &error);
    demand(e, e->backend->read_loss(e->plan, &e->loss, &error), &error);
    for (int i = 0; i < e->network->parameter_count; i++) {
        golden_engine_read(e, RS_SLOT_GRADIENT, i, e->gradient[i]);
    }
}

void golden_engine_update(golden_engine *e)
{
    rs_error error = {0};
    rs_measurement measurement = {0};
    rs_update_options options = {.optimizer = RS_OPTIMIZER_ADAM,
                                 .learning_rate = GOLDEN_RATE,
                                 .beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .epsilon = 1e-8};
    demand(e, e->backend->update(e->plan, &options, &measurement, &error), &error);
}
