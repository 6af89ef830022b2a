/* model.h: the network of a run with its data on a device: states put in, splits scored. */
#ifndef RS_ANALYZE_MODEL_H
#define RS_ANALYZE_MODEL_H

#include "analysis.h"
#include "rs/backend.h"
#include "rs/network.h"

typedef struct rs__model {
    rs_config config; /* of the run, with the command's --device, --data-dir, --threads */
    rs_dataset *dataset;
    rs_network *network;
    const rs_backend *backend; /* NULL: no device was asked for */
    rs_device *device;
    rs_plan *plan;
    int64_t batch; /* samples of a batch */
} rs__model;

/* Data and network as the run's configuration says; with `device` that, too. Close it whatever happens. */
rs_status rs__model_open(const rs__analysis *a, const rs__input *input, bool device, rs__model *model,
                         rs_error *error);
void rs__model_close(rs__model *model); /* takes a zeroed one */

/* "train", "test", "valid" -> a split of the data, cut to the first `samples` (0: all). USAGE where it is empty. */
rs_status rs__model_split(rs__model *model, const char *name, int64_t samples, rs_split **split,
                          rs_error *error);

/* Makes the plan for batches of those splits. */
typedef struct rs__plan_wishes {
    const rs_split *splits[2]; /* NULL: one is enough */
    bool gradients;            /* backward to the input */
    bool statistics;           /* forward in training mode */
} rs__plan_wishes;
rs_status rs__model_plan(rs__model *model, const rs__plan_wishes *wishes, rs_error *error);

/* All tensors of a snapshot: parameters, then running statistics, one after the other. rs_free. */
int64_t rs__state_size(const rs_network *network);
rs_status rs__state_read(const rs_network *network, const rs__input *input, int64_t snapshot, float **state,
                         rs_error *error);
rs_status rs__state_write(const rs__model *model, const float *state, rs_error *error);

/* Mean loss over the samples, and share of them classified rightly: NaN where the loss takes no labels. */
typedef struct rs__score {
    double loss, accuracy;
} rs__score;
rs_status rs__model_score(const rs__model *model, const rs_split *split, rs__score *score, rs_error *error);

#endif
