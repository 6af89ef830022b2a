/* rs/observer.h: who watches a training run. The trainer asks first (want), then delivers only what somebody
 * wanted. Observers never change what is trained; a test proves losses bit-equal with and without them. */
#ifndef RS_OBSERVER_H
#define RS_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "rs/backend.h"
#include "rs/network.h"
#include "rs/status.h"

/* What can be wanted of a run: bits. */
typedef enum rs_want {
    RS_WANT_DISTANCES = 1 << 0,      /* every step */
    RS_WANT_GRADIENT_STATS = 1 << 1, /* every step */
    RS_WANT_WEIGHTS = 1 << 2,        /* at snapshots */
    RS_WANT_GRADIENTS = 1 << 3,      /* at snapshots */
    RS_WANT_LAYER_OUTPUTS = 1 << 4,  /* every step: mean of a layer's output */
    RS_WANT_LAYER_LOSSES = 1 << 5,   /* every step: a layer's own loss */
    RS_WANT_SENSITIVITY = 1 << 6     /* every step: gradient norms of the input */
} rs_want;

/* A loss that many times the first one has exploded: said while training (of the first step that the process did) and in
 * reports. */
#define RS_LOSS_EXPLOSION 10.0
enum { RS_NOT_FINITE_BYTES = 512 }; /* of the text of what was not finite when a run diverged, with its end */

/* Where a run stands: everything up to here has happened. */
typedef struct rs_position {
    int64_t epochs;    /* finished epochs */
    int64_t steps;     /* finished steps in all */
    int64_t batches;   /* finished steps of the epoch under way; 0 at its start */
    int64_t snapshots; /* snapshots taken */
} rs_position;

typedef struct rs_step_row {
    int64_t step;           /* from 0 */
    int64_t epoch;          /* from 0 */
    int64_t batch, batches; /* batch of the epoch from 0, and how many it has */
    int64_t samples;        /* in this batch */
    double
        loss; /* what the step minimised: task_loss and the objectives of layers and heads by their weights */
    double task_loss; /* the network's own */
    double accuracy;  /* NaN for numbers instead of classes */
    double learning_rate;
    rs_sensitivity sensitivity;        /* NaN where nobody wanted it */
    const rs_measurement *measurement; /* arrays are NULL where nobody wanted them; layer_losses, layer_means:
                                          [layer of rs_record_spec] */
    const double *head_losses, *head_accuracies; /* [head of rs_record_spec], or NULL */
} rs_step_row;

/* How well numbers are predicted; NaN for classes. */
typedef struct rs_fit {
    double mean_absolute_error;
    double
        r_squared; /* 1 - sum of squared errors / sum of squares about the targets' mean; NaN where they are all equal */
} rs_fit;

typedef struct rs_epoch_row {
    int64_t epoch; /* from 0 */
    /* Means over samples of the network's own loss, from the steps' own forward passes. Accuracies are NaN for numbers
     * instead of classes, all of a split that is not there. */
    double train_loss, train_accuracy;
    double valid_loss, valid_accuracy; /* after the epoch, evaluation mode */
    double test_loss, test_accuracy;   /* the same; as valid where the test set is the validation set */
    rs_fit valid_fit, test_fit;
    double train_seconds, valid_seconds, record_seconds;
} rs_epoch_row;

/* A moment at which weights and gradients may be read from the plan. */
typedef struct rs_snapshot_moment {
    int64_t index;          /* of the snapshot, from 0 */
    int64_t epoch;          /* finished epochs when it is an epoch's end (0: initial), -1 within an epoch */
    int64_t step;           /* finished steps */
    int64_t gradient_steps; /* steps in the plan's gradient sums; 0 at the initial state */
    const rs_backend *backend;
    rs_plan *plan;
} rs_snapshot_moment;

typedef enum rs_commit_kind {
    RS_COMMIT_INITIAL,
    RS_COMMIT_EPOCH,
    RS_COMMIT_STEP_SNAPSHOT,
    RS_COMMIT_INTERRUPT,
    RS_COMMIT_STOP /* training diverged; a run that is done ends on EPOCH */
} rs_commit_kind;

/* Functions may be NULL. Each is called in the trainer's thread and must not block for longer than copying
 * takes. On a device that runs ahead (RS_CAN_RUN_AHEAD) `step` comes up to RS_MOST_RESULTS - 1 steps late: the plan and
 * rs_trainer_position are further by then. In snapshot, epoch and commit they stand where the rows do. */
typedef struct rs_observer {
    void *context;
    uint32_t (*want)(void *context); /* bits of rs_want; asked once, before training */
    rs_status (*step)(void *context, const rs_step_row *row, rs_error *error);
    rs_status (*snapshot)(void *context, const rs_snapshot_moment *moment, rs_error *error);
    rs_status (*epoch)(void *context, const rs_epoch_row *row, rs_error *error);
    /* All delivered so far is to be made durable. checkpoint: path of a complete temporary checkpoint file to
     * be synced and renamed to its final name (path less ".part") after the record is durable, or NULL. */
    rs_status (*commit)(void *context, rs_commit_kind kind, const rs_position *position,
                        const char *checkpoint, rs_error *error);
    /* Waits until earlier commits are durable, so that the temporary checkpoint may be written anew. */
    rs_status (*wait)(void *context, rs_error *error);
} rs_observer;

/* An observer that feeds a recorder (rs/recorder.h), which it borrows. */
struct rs_recorder;
rs_observer rs_recorder_observer(struct rs_recorder *recorder);

#endif
