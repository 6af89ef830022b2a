/* trainer.c: the loop over epochs. Order at an epoch's end: validation, epoch row, snapshot, commit. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "not_finite.h"
#include "rs/host.h"
#include "rs/text.h"

void rs_trainer_observe(rs_trainer *trainer, const rs_observer *observer)
{
    RS_ASSERT(trainer->observer_count < RS__MAX_OBSERVERS);
    uint32_t wants = observer->want ? observer->want(observer->context) : 0;
    RS_ASSERT((wants & ~trainer->options.wants) == 0);
    trainer->observers[trainer->observer_count++] = *observer;
}

rs_plan *rs_trainer_plan(rs_trainer *trainer)
{
    return trainer->plan;
}

const rs_position *rs_trainer_position(const rs_trainer *trainer)
{
    return &trainer->position;
}

/* Gives the state as it stands to the observers. epoch: finished epochs, or -1 within one. */
static rs_status take_snapshot(rs_trainer *trainer, int64_t epoch, rs_error *error)
{
    rs_snapshot_moment moment = {.index = trainer->position.snapshots,
                                 .epoch = epoch,
                                 .step = trainer->position.steps,
                                 .gradient_steps = trainer->gradient_steps,
                                 .backend = trainer->options.backend,
                                 .plan = trainer->plan};
    double begin = rs_seconds();
    for (int i = 0; i < trainer->observer_count; i++) {
        if (trainer->observers[i].snapshot) {
            RS_TRY(trainer->observers[i].snapshot(trainer->observers[i].context, &moment, error));
        }
    }
    trainer->position.snapshots++;
    trainer->gradient_steps = 0;
    rs_status status = RS_OK;
    if ((trainer->options.wants & RS_WANT_GRADIENTS) &&
        strcmp(trainer->options.config->gradient, "mean") == 0) {
        status = trainer->options.backend->clear_gradient_sums(trainer->plan, error);
    }
    trainer->record_seconds += rs_seconds() - begin;
    return status;
}

rs_status rs__wait_for_observers(rs_trainer *trainer, rs_error *error)
{
    for (int i = 0; i < trainer->observer_count; i++) {
        if (trainer->observers[i].wait) {
            RS_TRY(trainer->observers[i].wait(trainer->observers[i].context, error));
        }
    }
    return RS_OK;
}

/* Writes a checkpoint (but for a run that diverged: its last good one stays) and asks for a commit. */
static rs_status commit(rs_trainer *trainer, rs_commit_kind kind, rs_error *error)
{
    double begin = rs_seconds();
    char part[4096];
    bool checkpoint = trainer->options.checkpoint_path && kind != RS_COMMIT_STOP;
    if (checkpoint) {
        (void)snprintf(part, sizeof part, "%s.part", trainer->options.checkpoint_path);
        RS_TRY(rs__wait_for_observers(trainer, error));
        RS_TRY(rs__state_save(trainer, part, error));
    }
    for (int i = 0; i < trainer->observer_count; i++) {
        const rs_observer *observer = &trainer->observers[i];
        if (observer->commit) {
            RS_TRY(observer->commit(observer->context, kind, &trainer->position, checkpoint ? part : NULL,
                                    error));
        }
    }
    trainer->last_commit = rs_seconds();
    trainer->record_seconds += trainer->last_commit - begin;
    return RS_OK;
}

/* Commits what stands and says how to go on; the status is INTERRUPTED unless even that fails. */
static rs_status interrupt(rs_trainer *trainer, rs_error *error)
{
    RS_TRY(commit(trainer, RS_COMMIT_INTERRUPT, error));
    RS_TRY(rs__wait_for_observers(trainer, error));
    return RS_FAIL(error, RS_INTERRUPTED,
                   "interrupted after %" PRId64 " epoch%s and %" PRId64
                   " step%s; the record is whole. Go on with the same command and --resume",
                   trainer->position.epochs, rs_text_s(trainer->position.epochs), trainer->position.steps,
                   rs_text_s(trainer->position.steps));
}

static rs_status begin_run(rs_trainer *trainer, rs_error *error)
{
    trainer->last_commit = rs_seconds();
    if (trainer->position.steps > 0 || trainer->position.snapshots > 0) {
        return RS_OK;
    }
    if (rs__snapshot_due(trainer->options.config, 0, 0)) {
        RS_TRY(take_snapshot(trainer, 0, error));
    }
    return commit(trainer, RS_COMMIT_INITIAL, error);
}

/* The snapshot within an epoch, unless the epoch's end, which is about to come, is kept anyhow. */
static rs_status snapshot_after_step(rs_trainer *trainer, rs_error *error)
{
    const rs_position *p = &trainer->position;
    if (p->batches == trainer->batches || !rs__snapshot_due(trainer->options.config, -1, p->steps)) {
        return RS_OK;
    }
    RS_TRY(rs__take_results(trainer, 0, error));
    RS_TRY(take_snapshot(trainer, -1, error));
    if (rs_seconds() - trainer->last_commit >= trainer->options.config->commit_every) {
        return commit(trainer, RS_COMMIT_STEP_SNAPSHOT, error);
    }
    return RS_OK;
}

static rs_status train_batches(rs_trainer *trainer, rs_error *error)
{
    rs_batch batch;
    RS_TRY(rs_loader_start(trainer->train, trainer->position.epochs, trainer->position.batches, error));
    while (trainer->position.batches < trainer->batches) {
        if (rs__stop_asked(trainer)) {
            RS_TRY(rs__take_results(trainer, 0, error));
            return rs__interrupted(error);
        }
        RS_TRY(rs_loader_next(trainer->train, &batch, error));
        RS_ASSERT(batch.count > 0);
        RS_TRY(rs__train_batch(trainer, &batch, error));
        RS_TRY(snapshot_after_step(trainer, error));
    }
    return rs__take_results(trainer, 0, error);
}

/* What a split's loss, not finite in evaluation mode, comes from: batch norm's running statistics may be what is wrong, which
 * no training step reads. */
static rs_status check_score(rs_trainer *trainer, rs_loader *loader, const rs__score *score,
                             const char *split, rs_error *error)
{
    char found[400];
    if (!trainer->options.config->stop_on_nan || score->bad < 0) {
        return RS_OK;
    }
    rs__look_at_split(trainer, loader, score->bad);
    rs__not_finite_note(trainer, trainer->position.steps, trainer->position.epochs);
    rs__not_finite_say(&trainer->not_finite, found, sizeof found);
    return RS_FAIL(error, RS_DIVERGED,
                   "training diverged: after epoch %" PRId64
                   " the loss of the %s set is %g; %s; the record up to this epoch is whole. Try a lower "
                   "--learning-rate or --clip-norm",
                   trainer->position.epochs, split, rs_text_plain(score->loss), found);
}

/* Scores the splits (without a validation set the test set is it) and tells the epoch. */
static rs_status end_epoch(rs_trainer *trainer, double *train_loss, rs_error *error)
{
    rs_epoch_row row = {.epoch = trainer->position.epochs};
    double begin = rs_seconds();
    rs__score test, valid;
    rs__sums_means(trainer, &trainer->sums, &row.train_loss, &row.train_accuracy);
    RS_TRY(rs__evaluate(trainer, trainer->test, &test, error));
    valid = test;
    if (trainer->valid) {
        RS_TRY(rs__evaluate(trainer, trainer->valid, &valid, error));
    }
    row.test_loss = test.loss;
    row.test_accuracy = test.accuracy;
    row.test_fit = test.fit;
    row.valid_loss = valid.loss;
    row.valid_accuracy = valid.accuracy;
    row.valid_fit = valid.fit;
    row.train_seconds = trainer->train_seconds;
    row.valid_seconds = rs_seconds() - begin;
    row.record_seconds = trainer->record_seconds;
    for (int i = 0; i < trainer->observer_count; i++) {
        if (trainer->observers[i].epoch) {
            RS_TRY(trainer->observers[i].epoch(trainer->observers[i].context, &row, error));
        }
    }
    trainer->position.epochs++;
    trainer->position.batches = 0;
    trainer->sums = (rs__epoch_sums){0};
    trainer->train_seconds = trainer->record_seconds = 0.0;
    *train_loss = row.train_loss;
    RS_TRY(check_score(trainer, trainer->test, &test, "test", error));
    return trainer->valid ? check_score(trainer, trainer->valid, &valid, "validation", error) : RS_OK;
}

/* Whether the state at this epoch's end is kept: as asked for, or, where a rule ended the run, as its last. */
static bool keeps_epoch_end(const rs_trainer *trainer, bool stopped)
{
    const rs_config *config = trainer->options.config;
    const bool snapshots = trainer->options.wants & (RS_WANT_WEIGHTS | RS_WANT_GRADIENTS);
    return rs__snapshot_due(config, trainer->position.epochs, trainer->position.steps) ||
           (stopped && snapshots);
}

static rs_status train_epoch(rs_trainer *trainer, rs_error *error)
{
    const rs_config *config = trainer->options.config;
    double train_loss;
    RS_TRY(rs__enter_stage(trainer, trainer->position.epochs, error));
    trainer->update.learning_rate = rs_learning_rate(config, trainer->position.epochs);
    RS_TRY(train_batches(trainer, error));
    RS_TRY(end_epoch(trainer, &train_loss, error));
    const bool stopped = rs__stop_rules(trainer, train_loss);
    if (keeps_epoch_end(trainer, stopped)) {
        RS_TRY(take_snapshot(trainer, trainer->position.epochs, error));
    }
    /* Another stage has another plan: nothing may be on its way from this one. */
    const bool last = stopped || trainer->position.epochs == config->epochs ||
                      rs__stage_of(config, trainer->position.epochs) != trainer->stage;
    if (last || rs_seconds() - trainer->last_commit >= config->commit_every) {
        return commit(trainer, RS_COMMIT_EPOCH, error);
    }
    return RS_OK;
}

/* Of a run that did not come to its end: its record does. An interrupt may find that the state is no good. */
static rs_status end_early(rs_trainer *trainer, rs_status status, rs_error *error)
{
    if (status == RS_INTERRUPTED) {
        status = interrupt(trainer, error);
    }
    if (status == RS_DIVERGED) {
        rs_error later = {0};
        RS_TRY(commit(trainer, RS_COMMIT_STOP, &later) ? (*error = later, later.status) : RS_OK);
    }
    return status;
}

rs_status rs_trainer_run(rs_trainer *trainer, rs_error *error)
{
    rs_status status = begin_run(trainer, error);
    while (!status && trainer->position.epochs < trainer->options.config->epochs && !trainer->stop.ended) {
        status = train_epoch(trainer, error);
    }
    return status ? end_early(trainer, status, error) : rs__wait_for_observers(trainer, error);
}
