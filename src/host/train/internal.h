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

/* What the backward graph is edited by: bits. A run goes from stage to stage, each with a plan of its own. */
enum { RS__ISOLATED = 1, RS__FROZEN = 2 };

/* The layers of a run and what a plan is told of them. Which objectives there are is the same in all stages, only
 * weights change, so that a switch changes nothing of what came before it. */
typedef struct rs__layers {
    rs_units units;
    int objective_count;      /* of units, in their order, then of heads */
    rs_objective *objectives; /* [objective_count], with the stage's weights */
    int unit_objectives;      /* how many are of units; the others are of heads */
    int recorded_count;
    int *recorded; /* [recorded_count] the objectives that a step's row tells */
    int cut_count;
    rs_cut *cuts; /* of the stage */
    bool *frozen; /* [parameter] of the stage */
    bool any_frozen;
} rs__layers;

/* What the stop rules remember, and whether one has ended the run: part of a checkpoint. */
typedef struct rs__stop {
    double last_loss; /* of the epoch before */
    int64_t has_last; /* there was one */
    int64_t ended;    /* rs__stop_rule that ended the run, or 0 */
    double last_norm; /* gradient norm of the last step */
} rs__stop;
/* The first tensor found that is not finite. Names are borrowed from the network. */
typedef struct rs__not_finite {
    const char *what; /* "input", "output", "loss", "gradient", "weight" ..; NULL: nothing found */
    const char *name, *layer;
    int rank;
    int64_t index[RS_MAX_RANK]; /* of its first value that is not finite: that value */
    double value;
    int64_t count, elements; /* how many are not, of how many */
} rs__not_finite;

typedef enum rs__stop_rule { RS__STOP_NONE, RS__STOP_CHANGE, RS__STOP_GRADIENT } rs__stop_rule;

struct rs_trainer {
    rs_trainer_options options;
    rs_observer observers[RS__MAX_OBSERVERS];
    int observer_count;
    rs_plan *plan;
    rs_loader *train, *valid,
        *test; /* valid: NULL where the test set serves; test: NULL where there is none */
    rs_position position;
    rs__epoch_sums sums;
    rs__stop stop;
    rs__not_finite not_finite;
    char not_finite_text[RS_NOT_FINITE_BYTES]; /* of a run that diverged, for its record */
    double first_loss;                         /* of the first step that this process did; NaN before */
    bool exploded;                             /* and a warning has said so */
    char *origin;                              /* what the weights began from; NULL: a seed */
    rs__layers layers;
    unsigned stage;             /* edits that the plan was made with */
    int64_t gradient_steps;     /* steps in the plan's gradient sums */
    int64_t batches;            /* steps of an epoch */
    bool regression;            /* nothing to be right or wrong about: accuracies are NaN */
    rs_reduction reduction;     /* of the network's loss */
    rs_update_options update;   /* learning_rate is set per epoch */
    rs_measurement measurement; /* as the backend fills it; arrays NULL where nobody wants them */
    rs_measurement told; /* the same for observers: layer_losses, layer_means of recorded layers only */
    double *head_losses, *head_accuracies; /* [head] for observers */
    uint64_t capabilities;                 /* of the device */
    rs_step_row rows[RS_MOST_RESULTS];     /* a ring of steps whose results are still to come */
    int first_pending, pending;
    double last_commit;                   /* rs_seconds */
    double train_seconds, record_seconds; /* of the epoch under way */
};

/* trainer.c: waits until observers have done all they were given. */
rs_status rs__wait_for_observers(rs_trainer *trainer, rs_error *error);

/* create.c: the optimizer that --optimizer names; loaders of all splits, for the plan as it is. */
rs_optimizer_kind rs__optimizer_kind(const rs_config *config);
rs_status rs__make_loaders(rs_trainer *trainer, rs_error *error);
void rs__destroy_loaders(rs_trainer *trainer);

/* plan.c: makes the plan of trainer->stage. choices: of an earlier plan's search, or NULL. */
rs_status rs__make_plan(rs_trainer *trainer, const char *choices, rs_error *error);
/* A second plan of the stage that keeps every output, for batches of that many samples. */
rs_status rs__make_looking_plan(const rs_trainer *trainer, int64_t samples, rs_plan **plan, rs_error *error);
/* move.c: makes the plan of the stage that `epoch` stands in, where it is another, and moves all state there. */
rs_status rs__enter_stage(rs_trainer *trainer, int64_t epoch, rs_error *error);

/* globs.c: names of --freeze, --reinitialize and --record. A glob takes a parameter, a layer, or a layer as isolation counts
 * them. */
bool rs__globs_take(const rs_network *network, const char *globs, const rs_parameter *parameter);
/* USAGE for one that takes nothing: it would silently freeze, begin anew or record nothing. */
rs_status rs__globs_check(const rs_config *config, const rs_network *network, rs_error *error);

/* layers.c: USAGE for globs that take nothing. */
rs_status rs__layers_create(rs_trainer *trainer, rs_error *error);
void rs__layers_destroy(rs__layers *layers);
unsigned rs__stage_of(const rs_config *config, int64_t epoch);
/* Sets weights, cuts and frozen parameters for a stage. */
void rs__layers_set_stage(rs_trainer *trainer, unsigned stage);
/* Sum of the objectives' losses by their weights. */
double rs__weighed_losses(const rs_trainer *trainer);

/* Gives every layer with parameters but the last a classifier of its own, for --isolate classifier. */
rs_status rs__add_classifiers(const rs_config *config, rs_network *network, rs_error *error);

/* initial.c: writes the initial state into the plan: by seed-init, and with --init-from from there. */
rs_status rs__initialize(rs_trainer *trainer, rs_error *error);

/* warm.c: the file that a run begins from (--init-from). */
typedef struct rs__warm rs__warm;
/* NULL in *warm where there is none, or where the run is resumed from its checkpoint. */
rs_status rs__warm_open(const rs_trainer *trainer, rs__warm **warm, rs_error *error);
void rs__warm_close(rs__warm *warm); /* takes NULL */
/* Replaces `values` by the file's unless --reinitialize names the parameter (or buffer). DATA when the file has it not. */
rs_status rs__warm_read(const rs__warm *warm, const rs_parameter *parameter, float *values, rs_error *error);
/* Moments and step counts of the record's checkpoint, where --init-optimizer asks for them. */
rs_status rs__warm_optimizer(rs_trainer *trainer, const rs__warm *warm, rs_error *error);
/* What the file is, as text that the caller frees. */
rs_status rs__warm_describe(const rs__warm *warm, char **text, rs_error *error);

/* step.c: one training step, told to the observers; DIVERGED when it is not finite and that stops. */
rs_status rs__train_batch(rs_trainer *trainer, const rs_batch *batch, rs_error *error);
/* Takes the results that are there, and waits for those beyond `most`: 0 takes all. */
rs_status rs__take_results(rs_trainer *trainer, int most, rs_error *error);

/* fit.c: sums over the numbers of a split, and what they say. */
typedef struct rs__fit_sums {
    double absolute, squared; /* errors */
    double mean, about_mean;  /* of the targets, and their squares about it */
    int64_t count;
} rs__fit_sums;
void rs__fit_add(rs__fit_sums *sums, const float *outputs, const float *targets, int64_t count);
rs_fit rs__fit_of(const rs__fit_sums *sums); /* NaN of nothing */

typedef struct rs__score {
    double loss, accuracy;
    rs_fit fit;
    int64_t bad; /* the first batch whose loss is not finite; -1: none */
} rs__score;
/* evaluate.c: scores of a whole split in evaluation mode; NaN without a loader. INTERRUPTED when asked to stop. */
rs_status rs__evaluate(rs_trainer *trainer, rs_loader *loader, rs__score *score, rs_error *error);
/* Adds a batch's result to sums over samples, and makes means of them: of the loss by its reduction. */
void rs__sums_add(const rs_trainer *trainer, rs__epoch_sums *sums, const rs_loss *result, int64_t samples);
void rs__sums_means(const rs_trainer *trainer, const rs__epoch_sums *sums, double *loss, double *accuracy);

/* stop.c: after an epoch with that training loss: whether a rule ends the run, which trainer->stop then says. */
bool rs__stop_rules(rs_trainer *trainer, double train_loss);

/* Calls `visit` for every slot that the run's state has: name is "SLOT/PARAMETER", buffer is large enough for any. */
typedef rs_status (*rs__visit_slot)(rs_trainer *trainer, void *context, const char *name, rs_slot slot,
                                    int index, void *buffer, size_t bytes, rs_error *error);
/* slots.c */
rs_status rs__visit_slots(rs_trainer *trainer, rs__visit_slot visit, void *context, rs_error *error);
/* state.c: writes the checkpoint of the state as it stands to `path`. */
rs_status rs__state_save(rs_trainer *trainer, const char *path, rs_error *error);
/* The algorithms that the run to be resumed has found by its search, from its checkpoint; NULL where there are none. The
 * caller frees the text. */
rs_status rs__choices_load(const rs_trainer *trainer, char **choices, rs_error *error);

/* planned.c: whether the state after these epochs (-1: within an epoch) and steps is kept. */
bool rs__snapshot_due(const rs_config *config, int64_t epochs_done, int64_t steps_done);
/* Samples in a step: --batch-size, or all. */
int64_t rs__batch_size(const rs_config *config, const rs_dataset *dataset);

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
