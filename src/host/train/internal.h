/* internal.h: the trainer's state, shared by the files of this folder. */
#ifndef RS_TRAIN_INTERNAL_H
#define RS_TRAIN_INTERNAL_H

#include "rs/trainer.h"

enum { RS__MAX_OBSERVERS = 4 };

/* Sums over the samples of the epoch under way: part of a checkpoint. */
typedef struct rs__epoch_sums {
    double loss; /* sum of the loss over samples */
    int64_t correct, samples;
} rs__epoch_sums;

struct rs_trainer {
    rs_trainer_options options;
    rs_observer observers[RS__MAX_OBSERVERS];
    int observer_count;
    rs_plan *plan;
    rs_loader *train, *test;
    rs_position position;
    rs__epoch_sums sums;
    int64_t gradient_steps;            /* steps in the plan's gradient sums */
    int64_t batches;                   /* steps of an epoch */
    rs_update_options update;          /* learning_rate is set per epoch */
    rs_measurement measurement;        /* arrays NULL where nobody wants them */
    uint64_t capabilities;             /* of the device */
    rs_step_row rows[RS_MOST_RESULTS]; /* a ring of steps whose results are still to come */
    int first_pending, pending;
    double last_commit;                   /* rs_seconds */
    double train_seconds, record_seconds; /* of the epoch under way */
};

/* step.c: one training step, told to the observers; DIVERGED when it is not finite and that stops. */
rs_status rs__train_batch(rs_trainer *trainer, const rs_batch *batch, rs_error *error);
/* Takes the results that are there, and waits for those beyond `most`: 0 takes all. */
rs_status rs__take_results(rs_trainer *trainer, int most, rs_error *error);
/* evaluate.c: loss and accuracy over the whole test set in evaluation mode. INTERRUPTED when asked to stop.
 */
rs_status rs__evaluate(rs_trainer *trainer, double *loss, double *accuracy, rs_error *error);
/* state.c: writes the checkpoint of the state as it stands to `path`. */
rs_status rs__state_save(rs_trainer *trainer, const char *path, rs_error *error);
/* The algorithms that the run to be resumed has found by its search, from its checkpoint; NULL where there are none. The
 * caller frees the text. */
rs_status rs__choices_load(const rs_trainer *trainer, char **choices, rs_error *error);
/* planned.c: whether the state after these epochs (-1: within an epoch) and steps is kept. */
bool rs__snapshot_due(const rs_config *config, int64_t epochs_done, int64_t steps_done);

/* Whether the user asked to stop. */
static inline bool rs__stop_asked(const rs_trainer *trainer)
{
    return trainer->options.stop && *trainer->options.stop;
}

static inline rs_status rs__interrupted(rs_error *error)
{
    return RS_FAIL(error, RS_INTERRUPTED, "interrupted");
}

#endif
