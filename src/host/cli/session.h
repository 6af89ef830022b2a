/* session.h: everything one training run holds, made in order and released in reverse. */
#ifndef RS_CLI_SESSION_H
#define RS_CLI_SESSION_H

#include <signal.h>

#include "rs/config.h"
#include "rs/recorder.h"
#include "rs/trainer.h"

typedef struct session {
    rs_config config;
    char path[4096], checkpoint[4096 + 8]; /* RUN.h5, RUN.h5.ckpt */
    const rs_backend *backend;
    rs_device *device;
    rs_device_info info;
    rs_dataset *dataset;
    rs_network *network;
    rs_trainer *trainer;
    rs_recorder *recorder;
    rs_record_spec spec;
    rs_measured_layers measured;
    bool *kept; /* storage of the spec's lists */
    char *config_yaml, *algorithms;
    char start_time[32];
    rs_error no_gpu;         /* why --device auto took none, where that matters; "": no matter */
    char made_on[128];       /* the device of the record that is resumed; "": a new one */
    bool goes_on;            /* the record has commits, which --resume carries on */
    bool resumes;            /* from its checkpoint */
    bool profiling;          /* --profile: the plan counts by now */
    int64_t profiled_from;   /* the epoch, from 0, in which it began to */
    int64_t finished_epochs; /* that the record has already */
    bool finished_before;    /* the record was complete already: nothing to do */
} session;

/* Opens device, data, network, trainer and record as session->config says; on failure what was made is still
 * in *session. */
rs_status session_open(session *s, const volatile sig_atomic_t *stop, rs_error *error);
/* Closes the record in `state` (its error is returned) and releases everything. */
rs_status session_close(session *s, rs_run_state state, rs_error *error);

#endif
