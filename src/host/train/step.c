/* step.c: one training step: forward, backward, update and measure, then the observers. */
#include <inttypes.h>
#include <math.h>

#include "internal.h"

static rs_status tell_step(rs_trainer *trainer, const rs_step_row *row, rs_error *error)
{
    double begin = rs_seconds();
    for (int i = 0; i < trainer->observer_count; i++) {
        const rs_observer *observer = &trainer->observers[i];
        if (observer->step) {
            RS_TRY(observer->step(observer->context, row, error));
        }
    }
    trainer->record_seconds += rs_seconds() - begin;
    return RS_OK;
}

static rs_status check_finite(const rs_trainer *trainer, const rs_step_row *row, rs_error *error)
{
    double norm = trainer->measurement.gradient_norm;
    if (!trainer->options.config->stop_on_nan || (isfinite(row->loss) && isfinite(norm))) {
        return RS_OK;
    }
    return RS_FAIL(error, RS_DIVERGED,
                   "training diverged at step %" PRId64 " (epoch %" PRId64
                   "): loss %g, gradient norm %g; the record up to this step is whole. Try a lower "
                   "--learning-rate or --clip-norm",
                   row->step + 1, row->epoch + 1, row->loss, norm);
}

rs_status rs__train_batch(rs_trainer *trainer, const rs_batch *batch, rs_error *error)
{
    const rs_backend *backend = trainer->options.backend;
    double begin = rs_seconds();
    rs_loss result;
    RS_TRY(backend->load_batch(trainer->plan, batch, error));
    RS_TRY(backend->forward(trainer->plan, RS_MODE_TRAIN, error));
    RS_TRY(backend->backward(trainer->plan, error));
    RS_TRY(backend->update(trainer->plan, &trainer->update, &trainer->measurement, error));
    RS_TRY(backend->read_loss(trainer->plan, &result, error));
    trainer->train_seconds += rs_seconds() - begin;
    trainer->sums.loss += result.loss * (double)batch->count;
    trainer->sums.correct += result.correct;
    trainer->sums.samples += batch->count;
    trainer->gradient_steps++;
    rs_step_row row = {
        .step = trainer->position.steps,
        .epoch = trainer->position.epochs,
        .batch = trainer->position.batches,
        .batches = trainer->batches,
        .samples = batch->count,
        .loss = result.loss,
        .task_loss = result.loss,
        .accuracy = (double)result.correct / (double)batch->count,
        .learning_rate = trainer->update.learning_rate,
        .measurement = &trainer->measurement,
    };
    trainer->position.steps++;
    trainer->position.batches++;
    RS_TRY(tell_step(trainer, &row, error));
    return check_finite(trainer, &row, error);
}
