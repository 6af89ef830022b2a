/* golden_state.c: see golden_state.h, and make_golden.py for why roundings are stored. */
#include "golden_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "golden_inputs.h"

const rs_parameter *golden_tensor(const rs_network *network, int kind, int index)
{
    return kind == GOLDEN_RUNNING ? &network->buffers[index] : &network->parameters[index];
}

int golden_tensor_count(const rs_network *network, int kind)
{
    return kind == GOLDEN_RUNNING ? network->buffer_count : network->parameter_count;
}

void golden_state_begin(golden_state *state, const rs_network *network)
{
    *state = (golden_state){.network = network};
    for (int kind = 0; kind < GOLDEN_KINDS; kind++) {
        int tensors = golden_tensor_count(network, kind);
        state->values[kind] = calloc((size_t)tensors, sizeof(float *));
        assert_non_null(state->values[kind]);
        for (int i = 0; i < tensors; i++) {
            const rs_parameter *tensor = golden_tensor(network, kind, i);
            state->values[kind][i] = calloc((size_t)tensor->count, sizeof(float));
            assert_non_null(state->values[kind][i]);
            if (kind == GOLDEN_WEIGHT || kind == GOLDEN_RUNNING) {
                golden_weights(tensor, state->values[kind][i]);
            }
        }
    }
}

void golden_state_release(golden_state *state)
{
    for (int kind = 0; kind < GOLDEN_KINDS; kind++) {
        for (int i = 0; state->values[kind] && i < golden_tensor_count(state->network, kind); i++) {
            free(state->values[kind][i]);
        }
        free(state->values[kind]);
        state->values[kind] = NULL;
    }
}

void golden_state_round(golden_state *state, int kind, int index, const double *values)
{
    int64_t count = golden_tensor(state->network, kind, index)->count;
    for (int64_t i = 0; i < count; i++) {
        state->values[kind][index][i] = (float)values[i];
    }
}

static double root_mean_square(const float *values, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        sum += (double)values[i] * (double)values[i];
    }
    return sqrt(sum / (double)count);
}

/* A stored rounding: the code ((kind * 1024 + tensor) * 2^24 + element) and the value. */
static void take_rounding(golden_state *state, const double pair[2])
{
    uint64_t code = (uint64_t)pair[0];
    int kind = (int)(code >> 34), index = (int)(code >> 24 & 1023);
    int64_t element = (int64_t)(code & 0xFFFFFF);
    assert_in_range(kind, 0, GOLDEN_KINDS - 1);
    assert_in_range(index, 0, golden_tensor_count(state->network, kind) - 1);
    const rs_parameter *tensor = golden_tensor(state->network, kind, index);
    assert_in_range(element, 0, tensor->count - 1);
    float *values = state->values[kind][index], stored = (float)pair[1];
    double step = fabs((double)nextafterf(values[element], INFINITY) - (double)values[element]);
    double allowed = 2.0 * step + 1e-9 * root_mean_square(values, tensor->count);
    if (!(fabs((double)stored - (double)values[element]) <= allowed)) {
        fail_msg("%s, kind %d, element %ld: %.9g, the reference has %.9g", tensor->name, kind, (long)element,
                 (double)values[element], (double)stored);
    }
    values[element] = stored;
}

static void demand_checksum(const golden_state *state, const golden_file *file, int step)
{
    const rs_network *net = state->network;
    int tensors = net->parameter_count + net->buffer_count;
    const double *sums = golden_step_section(file, "state", step, (size_t)tensors * 2);
    for (int i = 0; i < tensors; i++) {
        int buffer = i - net->parameter_count;
        const rs_parameter *tensor = buffer < 0 ? &net->parameters[i] : &net->buffers[buffer];
        const float *arrays[3];
        for (int kind = 0; kind < 3; kind++) {
            arrays[kind] = buffer < 0 ? state->values[kind][i] : state->values[GOLDEN_RUNNING][buffer];
        }
        uint64_t sum = golden_checksum(arrays, buffer < 0 ? 3 : 1, tensor->count);
        if (sum != golden_stored_checksum(sums + 2 * i)) {
            fail_msg("step %d: after the update, %s is not the reference's to the bit", step, tensor->name);
        }
    }
}

void golden_state_settle(golden_state *state, const golden_file *file, int step)
{
    char section[32];
    size_t count;
    (void)snprintf(section, sizeof section, "ties/%d", step);
    const double *ties = golden_section(file, section, &count);
    for (size_t i = 0; i + 1 < count; i += 2) {
        take_rounding(state, ties + i);
    }
    demand_checksum(state, file, step);
    state->steps++;
}
