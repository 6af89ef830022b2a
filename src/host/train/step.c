/* step.c: one training step: forward, backward, update and measure, then the observers. Where the device works on its
 * own, some steps are on their way before their rows are told, in order: as many as the backend has room for (batches,
 * results), RS_MOST_RESULTS at most. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "not_finite.h"
#include "rs/host.h"
#include "rs/text.h"

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

/* Says once that a loss grew out of hand, though it is finite. */
static void watch_explosion(rs_trainer *trainer, const rs_step_row *row)
{
    if (isnan(trainer->first_loss)) {
        trainer->first_loss = row->loss;
    }
    const double times = row->loss / trainer->first_loss;
    if (!trainer->exploded && trainer->first_loss > 0.0 && times > RS_LOSS_EXPLOSION && isfinite(row->loss)) {
        trainer->exploded = true;
        rs_log(RS_LOG_WARNING,
               "the loss exploded: %.4g at step %" PRId64 " (epoch %" PRId64
               "), %.3g times the first one; a lower --learning-rate or --clip-norm may keep it down",
               row->loss, row->step + 1, row->epoch + 1, times);
    }
}

static rs_status check_finite(rs_trainer *trainer, const rs_step_row *row, rs_error *error)
{
    char found[400], ahead[120] = "";
    double norm = trainer->measurement.gradient_norm;
    if (!trainer->options.config->stop_on_nan || (isfinite(row->loss) && isfinite(norm))) {
        return RS_OK;
    }
    rs__look_after_update(trainer, row->task_loss);
    rs__not_finite_note(trainer, row->step + 1, row->epoch);
    rs__not_finite_say(&trainer->not_finite, found, sizeof found);
    if (trainer->position.steps > row->step + 1) {
        (void)snprintf(ahead, sizeof ahead,
                       " (as it stands on the device, which has gone %" PRId64 " steps further)",
                       trainer->position.steps - row->step - 1);
    }
    /* a device may have gone some steps further: the record ends on this one */
    trainer->position.steps = row->step + 1;
    trainer->position.batches = row->batch + 1;
    trainer->pending = 0;
    return RS_FAIL(error, RS_DIVERGED,
                   "training diverged at step %" PRId64 " (epoch %" PRId64
                   "): loss %g, gradient norm %g; %s%s; the record up to this step is whole. Try a lower "
                   "--learning-rate or --clip-norm",
                   row->step + 1, row->epoch + 1, rs_text_plain(row->loss), rs_text_plain(norm), found,
                   ahead);
}

/* The measurement as observers get it: of layers the recorded ones, of heads loss and share of right answers. */
static void tell_layers(rs_trainer *trainer, rs_step_row *row)
{
    const rs__layers *layers = &trainer->layers;
    const rs_measurement *from = &trainer->measurement;
    const rs_measurement arrays = trainer->told;
    trainer->told = *from;
    trainer->told.layer_losses = arrays.layer_losses;
    trainer->told.layer_means = arrays.layer_means;
    for (int i = 0; i < layers->recorded_count; i++) {
        trainer->told.layer_losses[i] = from->layer_losses[layers->recorded[i]];
        trainer->told.layer_means[i] = from->layer_means[layers->recorded[i]];
    }
    for (int i = layers->unit_objectives; i < layers->objective_count; i++) {
        trainer->head_losses[i - layers->unit_objectives] = from->layer_losses[i];
        trainer->head_accuracies[i - layers->unit_objectives] = from->layer_means[i];
    }
    row->measurement = &trainer->told;
    row->head_losses = trainer->head_losses;
    row->head_accuracies = trainer->head_accuracies;
}

/* Counts a step's result and tells it. */
static rs_status finish_step(rs_trainer *trainer, const rs_loss *result, rs_error *error)
{
    rs_step_row row = trainer->rows[trainer->first_pending];
    trainer->first_pending = (trainer->first_pending + 1) % RS_MOST_RESULTS;
    trainer->pending--;
    rs__sums_add(trainer, &trainer->sums, result, row.samples);
    trainer->stop.last_norm = trainer->measurement.gradient_norm;
    row.task_loss = result->loss;
    row.loss = result->loss + rs__weighed_losses(trainer);
    row.accuracy = trainer->regression ? (double)NAN : (double)result->correct / (double)row.samples;
    tell_layers(trainer, &row);
    RS_TRY(tell_step(trainer, &row, error));
    watch_explosion(trainer, &row);
    return check_finite(trainer, &row, error);
}

rs_status rs__take_results(rs_trainer *trainer, int most, rs_error *error)
{
    const rs_backend *backend = trainer->options.backend;
    rs_loss result;
    bool taken = true;
    while (trainer->pending > 0 && taken) {
        double begin = rs_seconds();
        RS_TRY(backend->next_result(trainer->plan, trainer->pending > most, &result, &trainer->measurement,
                                    &taken, error));
        trainer->train_seconds += rs_seconds() - begin;
        if (taken) {
            RS_TRY(finish_step(trainer, &result, error));
        }
    }
    return RS_OK;
}

static bool adds_predictions(const rs_trainer *trainer)
{
    return strcmp(trainer->options.config->loss_labels, "added") == 0;
}

/* Norms of the input's gradient of the loss of the network's own predictions, as it is before the step. */
static rs_status measure_sensitivity(rs_trainer *trainer, rs_sensitivity *sensitivity, rs_error *error)
{
    const rs_backend *backend = trainer->options.backend;
    RS_TRY(backend->forward(trainer->plan, RS_MODE_EVALUATE, error));
    RS_TRY(backend->backward(trainer->plan, RS_LABELS_PREDICTED, error));
    return backend->read_sensitivity(trainer->plan, sensitivity, error);
}

static bool runs_ahead(const rs_trainer *trainer)
{
    return trainer->capabilities & RS_CAN_RUN_AHEAD;
}

/* The loss is read, and looked at, while the weights are still those that gave it. */
static rs_status forward_and_backward(rs_trainer *trainer, const rs_batch *batch, rs_sensitivity *sensitivity,
                                      rs_loss *result, rs_error *error)
{
    const rs_backend *backend = trainer->options.backend;
    const bool added = adds_predictions(trainer), wanted = trainer->options.wants & RS_WANT_SENSITIVITY;
    if (wanted && !added) {
        RS_TRY(measure_sensitivity(trainer, sensitivity, error));
    }
    RS_TRY(backend->forward(trainer->plan, RS_MODE_TRAIN, error));
    if (!runs_ahead(trainer)) {
        RS_TRY(backend->read_loss(trainer->plan, result, error));
        RS_TRY(rs__look_after_forward(trainer, batch, result, error));
    }
    RS_TRY(backend->backward(trainer->plan, added ? RS_LABELS_BOTH : RS_LABELS_TRUE, error));
    return wanted && added ? backend->read_sensitivity(trainer->plan, sensitivity, error) : RS_OK;
}

/* Forward, backward, update of one batch. */
static rs_status compute(rs_trainer *trainer, const rs_batch *batch, rs_sensitivity *sensitivity,
                         rs_loss *result, rs_error *error)
{
    const rs_backend *backend = trainer->options.backend;
    RS_TRY(backend->load_batch(trainer->plan, batch, error));
    RS_TRY(forward_and_backward(trainer, batch, sensitivity, result, error));
    return runs_ahead(trainer)
               ? backend->update_later(trainer->plan, &trainer->update, error)
               : backend->update(trainer->plan, &trainer->update, &trainer->measurement, error);
}

rs_status rs__train_batch(rs_trainer *trainer, const rs_batch *batch, rs_error *error)
{
    double begin = rs_seconds();
    rs_loss result = {0};
    rs_sensitivity sensitivity = {(double)NAN, (double)NAN};
    RS_TRY(compute(trainer, batch, &sensitivity, &result, error));
    trainer->train_seconds += rs_seconds() - begin;
    trainer->gradient_steps++;
    trainer->rows[(trainer->first_pending + trainer->pending++) % RS_MOST_RESULTS] = (rs_step_row){
        .step = trainer->position.steps,
        .epoch = trainer->position.epochs,
        .batch = trainer->position.batches,
        .batches = trainer->batches,
        .samples = batch->count,
        .learning_rate = trainer->update.learning_rate,
        .sensitivity = sensitivity,
    };
    trainer->position.steps++;
    trainer->position.batches++;
    /* a profile begins with the first result, and lets nothing run ahead anyway */
    const int ahead = trainer->options.config->profile ? 0 : RS_MOST_RESULTS - 1;
    return runs_ahead(trainer) ? rs__take_results(trainer, ahead, error)
                               : finish_step(trainer, &result, error);
}
