/* small_run.h: runs of the trainer on networks of a few layers, and what they leave behind: for tests of what layers learn
 * by, stop rules and scores. */
#ifndef RS_TEST_SMALL_RUN_H
#define RS_TEST_SMALL_RUN_H

#include "rs/trainer.h"

enum { SMALL_EPOCHS = 6, SMALL_STEPS = 64, SMALL_LAYERS = 12, SMALL_WEIGHTS = 8192, SMALL_BATCH = 32 };

/* One network, one data set, one device. Make it with small_run_open; small_run_close takes all back. */
typedef struct small_run {
    rs_dataset *dataset;
    rs_network *network;
    const rs_backend *backend;
    rs_device *device;
} small_run;

/* Everything the observers were told, and the state after each epoch (0: at the start). */
typedef struct small_seen {
    double loss[SMALL_STEPS], task_loss[SMALL_STEPS], accuracy[SMALL_STEPS], norm[SMALL_STEPS];
    double layer_loss[SMALL_STEPS][SMALL_LAYERS], layer_mean[SMALL_STEPS][SMALL_LAYERS];
    double head_loss[SMALL_STEPS][SMALL_LAYERS], head_accuracy[SMALL_STEPS][SMALL_LAYERS];
    rs_sensitivity sensitivity[SMALL_STEPS];
    rs_epoch_row epoch[SMALL_EPOCHS];
    rs_fit fit[SMALL_EPOCHS]; /* of keep_fit, if that is set, at each epoch's end */
    rs_fit (*keep_fit)(const struct small_run *run, rs_plan *plan);
    double
        first_gradient[SMALL_EPOCHS + 1]; /* sum of |last gradient| of the first parameter at each snapshot */
    float values[SMALL_EPOCHS + 1]
                [SMALL_WEIGHTS]; /* parameters one after the other, then running statistics */
    int steps, epochs, snapshots;
    char reason[32];
    int64_t stop_after; /* steps in all; 0: never */
    const rs_measured_layers *measured;
    volatile sig_atomic_t stop;
    rs_trainer *trainer;
    const small_run *run;
} small_seen;

/* convolution, batch norm, ReLU, convolution, batch norm, ReLU, pool, linear, loss: units conv1 bn1 relu1 conv2 bn2 relu2 pool fc */
rs_network *small_convolutions(void);
/* linear, tanh, linear and a mean squared error, for a function of one number. */
rs_network *small_regression(void);

void small_run_open(small_run *run, const char *device, const rs_dataset_request *request,
                    rs_network *network);
void small_run_close(small_run *run);
rs_dataset_request small_shapes(void); /* 100 training and 40 test images */
rs_config small_config(int64_t epochs);

/* Trains from the start, or, with restore, from the checkpoint. Its status; `seen` is cleared but for stop_after. */
rs_status small_run_train(const small_run *run, const rs_config *config, uint32_t wants,
                          const char *checkpoint, bool restore, small_seen *seen, rs_error *error);

/* Where a parameter (or buffer) lies in small_seen.values, and its length. Fails the test when there is none. */
const float *small_values(const small_seen *seen, int epoch, const char *name, size_t *bytes);

#endif
