/* rs/trainer.h: trains one network on one data set with one backend and tells observers. */
#ifndef RS_TRAINER_H
#define RS_TRAINER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "rs/backend.h"
#include "rs/config.h"
#include "rs/dataset.h"
#include "rs/network.h"
#include "rs/observer.h"
#include "rs/status.h"

/* The network that a configuration asks for, for a data set's images and classes; the caller's. USAGE. */
rs_status rs_configured_network(const rs_config *config, const rs_dataset *dataset, rs_network **network,
                                rs_error *error);
/* The same with the layers' YAML as a record keeps it (network_file) in place of what --network names now; NULL: that. */
rs_status rs_configured_network_from(const rs_config *config, const char *layers, const rs_dataset *dataset,
                                     rs_network **network, rs_error *error);
/* Whether there is such a network for the data that the configuration asks for, which are not loaded, and layers that its
 * --freeze, --reinitialize and --record name: USAGE, DATA as above. */
rs_status rs_configured_network_check(const rs_config *config, rs_error *error);
/* The data that a configuration asks for. The request's texts are borrowed from it. */
rs_dataset_request rs_configured_data(const rs_config *config);
/* How it changes training images, into options->augment and augment_seed. USAGE. */
rs_status rs_configured_augmentation(const rs_config *config, rs_loader_options *options, rs_error *error);
/* Bits of rs_want: what a configuration asks to be recorded. */
uint32_t rs_configured_wants(const rs_config *config);

/* The layers (rs_network_layers) whose outputs and losses --record asks for, and the layers with classifiers beside the
 * network (--isolate classifier). Free with rs_measured_layers_release (takes one that is all 0). */
typedef struct rs_measured_layers {
    int layer_count, head_count;
    char (*layers)[RS_NAME_MAX]; /* [layer_count] from the input on */
    char (*heads)[RS_NAME_MAX];  /* [head_count] */
} rs_measured_layers;
rs_status rs_configured_layers(const rs_config *config, const rs_network *network,
                               rs_measured_layers *measured, rs_error *error);
void rs_measured_layers_release(rs_measured_layers *measured);

/* Learning rate of an epoch (from 0) by the configuration's schedule, PyTorch's closed forms. `epochs` of the
 * run is T of the cosine schedule. */
double rs_learning_rate(const rs_config *config, int64_t epoch);

typedef struct rs_trainer rs_trainer;

typedef struct rs_trainer_options {
    const rs_config *config; /* all borrowed; outlive the trainer */
    const rs_dataset *dataset;
    const rs_network *network;
    const rs_backend *backend;
    rs_device *device;
    uint32_t wants; /* bits of rs_want: all that observers may want of this run; the plan keeps no more */
    const volatile sig_atomic_t *stop; /* not 0: finish the step, commit, return INTERRUPTED; may be NULL */
    const char *checkpoint_path;       /* RUN.h5.ckpt; NULL: none are written */
    bool resumes; /* rs_trainer_restore(checkpoint_path) follows: nothing is begun from --init-from */
} rs_trainer_options;

/* Makes the plan and the initial state: parameters by seed-init or --init-from. */
rs_status rs_trainer_create(const rs_trainer_options *options, rs_trainer **trainer, rs_error *error);
/* Replaces the state by a checkpoint's. Fills *position. DATA when it does not fit; *foreign says that
 * another build, machine or thread count wrote it. */
rs_status rs_trainer_restore(rs_trainer *trainer, const char *checkpoint_path, rs_position *position,
                             bool *foreign, rs_error *error);
/* Adds an observer (the struct is copied; at most 4). It may want no more than options.wants. */
void rs_trainer_observe(rs_trainer *trainer, const rs_observer *observer);
/* Trains from where it stands to the configured epochs, or until a stop rule ends it. DIVERGED: not finite is a step's loss
 * or gradient norm, the loss of a split after an epoch, or what a checkpoint would keep (with step, tensor, place and value
 * in the text; the plan of a device that runs ahead may be some steps further); INTERRUPTED: *stop was set, the steps
 * under way are finished; both after a commit. */
rs_status rs_trainer_run(rs_trainer *trainer, rs_error *error);
void rs_trainer_destroy(rs_trainer *trainer); /* takes NULL */

/* Borrowed; another one from the epoch on in which layers begin to be isolated or frozen (NULL where that failed). */
rs_plan *rs_trainer_plan(rs_trainer *trainer);
/* That epoch, counted from 0, where it is still to come; else -1. */
int64_t rs_trainer_plan_ends(const rs_trainer *trainer);
/* What ended the run: "epochs", or the rule "stop-change" or "stop-gradient". */
const char *rs_trainer_reason(const rs_trainer *trainer);
/* Of a run that diverged what is not finite, as a line of YAML (record/SCHEMA.md, `not_finite`); else "". Borrowed. */
const char *rs_trainer_not_finite(const rs_trainer *trainer);
/* What the weights began from (file, sha256, snapshot), "" for a seed; borrowed. */
const char *rs_trainer_origin(const rs_trainer *trainer);
const rs_position *rs_trainer_position(const rs_trainer *trainer);
/* Most steps and snapshots of the whole run as configured: for the size of its record. */
void rs_trainer_planned(const rs_config *config, const rs_dataset *dataset, int64_t *steps,
                        int64_t *snapshots);

#endif
