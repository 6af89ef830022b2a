/* golden_engine.h: one backend that takes the golden steps: a device, a plan, and its gradients as doubles. */
#ifndef GOLDEN_ENGINE_H
#define GOLDEN_ENGINE_H

#include <stdbool.h>

#include "golden_state.h"
#include "rs/backend.h"

#define GOLDEN_RATE 1e-3

typedef struct golden_engine_spec {
    const char *backend; /* "ref", "cpu" */
    rs_dtype dtype;
    rs_convolution_choice convolution;
    const char *label; /* "cpu, Winograd" */
} golden_engine_spec;

typedef struct golden_engine {
    const golden_engine_spec *spec;
    const rs_network *network;
    const rs_backend *backend;
    rs_device *device;
    rs_plan *plan;
    double **gradient; /* [parameter][element] of the last golden_engine_gradients */
    rs_loss loss;      /* of the same */
    void *scratch;     /* a tensor of the plan's type, the network's largest */
    uint8_t *images;
    int32_t *labels;
    int64_t *sample_ids, batch;
} golden_engine;

/* False, and says why, when this machine cannot run it (Winograd needs AVX-512). */
bool golden_engine_open(golden_engine *engine, const golden_engine_spec *spec, const rs_network *network,
                        int64_t batch);
void golden_engine_close(golden_engine *engine); /* also of one that did not open */

void golden_engine_write_state(golden_engine *engine, const golden_state *state);
/* Forward, backward, and reads loss and gradients of the batch of `step` (from 0). */
void golden_engine_gradients(golden_engine *engine, int step);
void golden_engine_update(golden_engine *engine); /* Adam with GOLDEN_RATE */
/* A slot of the plan as doubles. */
void golden_engine_read(golden_engine *engine, rs_slot slot, int index, double *values);

#endif
