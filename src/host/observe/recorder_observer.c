/* recorder_observer.c: the observer that feeds a recorder; see rs/observer.h. What is wanted follows from the
 * record's spec. */
#include "rs/observer.h"
#include "rs/recorder.h"

static bool any(const bool *flags, int count)
{
    for (int i = 0; i < count; i++) {
        if (flags[i]) {
            return true;
        }
    }
    return false;
}

static uint32_t want(void *context)
{
    const rs_record_spec *spec = rs_recorder_spec(context);
    uint32_t wanted = 0;
    wanted |= spec->metrics.count > 0 ? RS_WANT_DISTANCES : 0u;
    wanted |= spec->gradient_stats ? RS_WANT_GRADIENT_STATS : 0u;
    wanted |= spec->layer_count > 0 && spec->layer_losses ? RS_WANT_LAYER_LOSSES : 0u;
    wanted |= spec->layer_count > 0 && spec->layer_outputs ? RS_WANT_LAYER_OUTPUTS : 0u;
    wanted |= spec->sensitivity ? RS_WANT_SENSITIVITY : 0u;
    wanted |=
        any(spec->weights, spec->network->parameter_count) || any(spec->buffers, spec->network->buffer_count)
            ? RS_WANT_WEIGHTS
            : 0u;
    wanted |= any(spec->gradients, spec->network->parameter_count) ? RS_WANT_GRADIENTS : 0u;
    return wanted;
}

static rs_status step(void *context, const rs_step_row *row, rs_error *error)
{
    return rs_recorder_step(context, row, error);
}

static rs_status snapshot(void *context, const rs_snapshot_moment *moment, rs_error *error)
{
    return rs_recorder_snapshot(context, moment, error);
}

static rs_status epoch(void *context, const rs_epoch_row *row, rs_error *error)
{
    return rs_recorder_epoch(context, row, error);
}

static rs_status commit(void *context, rs_commit_kind kind, const rs_position *position,
                        const char *checkpoint, rs_error *error)
{
    return rs_recorder_commit(context, kind, position, checkpoint, error);
}

static rs_status wait(void *context, rs_error *error)
{
    return rs_recorder_wait(context, error);
}

rs_observer rs_recorder_observer(struct rs_recorder *recorder)
{
    const rs_observer observer = {
        .context = recorder,
        .want = want,
        .step = step,
        .snapshot = snapshot,
        .epoch = epoch,
        .commit = commit,
        .wait = wait,
    };
    return observer;
}
