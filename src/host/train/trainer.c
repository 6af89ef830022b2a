/* trainer.c: making a trainer, and the loop over epochs. Order at an epoch's end: validation, epoch row,
 * snapshot, commit. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "rs/host.h"

static rs_optimizer_kind optimizer_kind(const rs_config *config)
{
    if (strcmp(config->optimizer, "sgd") == 0) {
        return RS_OPTIMIZER_SGD;
    }
    return strcmp(config->optimizer, "adamw") == 0 ? RS_OPTIMIZER_ADAMW : RS_OPTIMIZER_ADAM;
}

static rs_convolution_choice convolution_choice(const rs_config *config)
{
    if (strcmp(config->convolution, "direct") == 0) {
        return RS_CONVOLUTION_DIRECT;
    }
    if (strcmp(config->convolution, "search") == 0) {
        return RS_CONVOLUTION_SEARCH;
    }
    return strcmp(config->convolution, "winograd") == 0 ? RS_CONVOLUTION_WINOGRAD : RS_CONVOLUTION_AUTO;
}

static rs_memory_choice memory_choice(const rs_config *config)
{
    return strcmp(config->memory, "lean") == 0 ? RS_MEMORY_LEAN : RS_MEMORY_FAST;
}

/* Adds a size to the plan's list, largest first, without repeats. */
static void add_batch_size(rs_plan_options *plan, int64_t size)
{
    int at = 0;
    while (at < plan->batch_size_count && plan->batch_sizes[at] > size) {
        at++;
    }
    if (size == 0 || (at < plan->batch_size_count && plan->batch_sizes[at] == size)) {
        return;
    }
    for (int i = plan->batch_size_count++; i > at; i--) {
        plan->batch_sizes[i] = plan->batch_sizes[i - 1];
    }
    plan->batch_sizes[at] = size;
}

static void add_split_sizes(rs_plan_options *plan, const rs_split *split, int64_t batch)
{
    add_batch_size(plan, split->count < batch ? split->count : batch);
    add_batch_size(plan, split->count % batch);
}

static rs_status make_plan(rs_trainer *trainer, rs_error *error)
{
    const rs_trainer_options *o = &trainer->options;
    bool distances = o->wants & RS_WANT_DISTANCES;
    int64_t dropout = o->config->seed_dropout < 0 ? o->config->seed : o->config->seed_dropout;
    rs_plan_options plan = {.dtype = RS_F32,
                            .dropout_seed = (uint64_t)dropout,
                            .convolution = convolution_choice(o->config),
                            .memory = memory_choice(o->config),
                            .tf32 = strcmp(o->config->precision, "tf32") == 0,
                            .training = true,
                            .optimizer = optimizer_kind(o->config),
                            .momentum = o->config->momentum > 0.0,
                            .keep_initial = distances,
                            .sum_gradients =
                                (o->wants & RS_WANT_GRADIENTS) && strcmp(o->config->gradient, "mean") == 0};
    memcpy(plan.mean, o->dataset->mean, sizeof plan.mean);
    memcpy(plan.std, o->dataset->std, sizeof plan.std);
    add_split_sizes(&plan, &o->dataset->train, o->config->batch_size);
    add_split_sizes(&plan, &o->dataset->test, o->config->batch_size);
    if (distances) {
        RS_TRY(rs_metric_list_parse(o->config->metric, &plan.metrics, error));
    }
    char *choices = NULL;
    RS_TRY(rs__choices_load(trainer, &choices, error));
    plan.choices = choices;
    rs_status status = o->backend->plan_create(o->device, o->network, &plan, &trainer->plan, error);
    rs_free(choices);
    return status;
}

/* Puts a split on the device where that can be; *held says whether its batches need no images any more. */
static rs_status hold_images(rs_trainer *trainer, const rs_split *split, bool *held, rs_error *error)
{
    if (!(trainer->capabilities & RS_CAN_HOLD_IMAGES)) {
        return RS_OK;
    }
    rs_error why = {0};
    rs_status status = trainer->options.backend->hold_split(trainer->plan, split, &why);
    *held = status == RS_OK;
    if (status && status != RS_MEMORY) {
        *error = why;
        return status;
    }
    if (status) {
        rs_log(RS_LOG_INFO, "images go to the device batch by batch: %s", why.text);
    }
    return RS_OK;
}

static rs_status make_loaders(rs_trainer *trainer, rs_error *error)
{
    const rs_trainer_options *o = &trainer->options;
    int64_t order = o->config->seed_order < 0 ? o->config->seed : o->config->seed_order;
    rs_loader_options train = {
        .batch_size = o->config->batch_size, .shuffle = true, .seed = (uint64_t)order, .prefetch = true};
    rs_loader_options test = {.batch_size = o->config->batch_size, .prefetch = true};
    RS_TRY(hold_images(trainer, &o->dataset->train, &train.leave_out_images, error));
    RS_TRY(hold_images(trainer, &o->dataset->test, &test.leave_out_images, error));
    RS_TRY(rs_loader_create(o->dataset, &o->dataset->train, &train, &trainer->train, error));
    RS_TRY(rs_loader_create(o->dataset, &o->dataset->test, &test, &trainer->test, error));
    trainer->batches = rs_loader_steps(trainer->train);
    return RS_OK;
}

static rs_status make_measurement(rs_trainer *trainer, rs_error *error)
{
    const rs_network *network = trainer->options.network;
    rs_measurement *m = &trainer->measurement;
    bool complete = true;
    if (trainer->options.wants & RS_WANT_DISTANCES) {
        size_t cells = (size_t)network->block_count * RS_MAX_METRICS;
        m->to_initial = rs_alloc_array(cells, sizeof(double));
        m->to_previous = rs_alloc_array(cells, sizeof(double));
        complete = m->to_initial && m->to_previous;
    }
    if (trainer->options.wants & RS_WANT_GRADIENT_STATS) {
        size_t parameters = (size_t)network->parameter_count;
        m->gradient_abs_mean = rs_alloc_array(parameters, sizeof(float));
        m->gradient_abs_std = rs_alloc_array(parameters, sizeof(float));
        m->gradient_norms = rs_alloc_array(parameters, sizeof(float));
        complete = complete && m->gradient_abs_mean && m->gradient_abs_std && m->gradient_norms;
    }
    return complete ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for a step's measurements");
}

static void make_update(rs_trainer *trainer)
{
    const rs_config *config = trainer->options.config;
    trainer->update = (rs_update_options){.optimizer = optimizer_kind(config),
                                          .beta1 = config->beta1,
                                          .beta2 = config->beta2,
                                          .epsilon = config->epsilon,
                                          .momentum = config->momentum,
                                          .weight_decay = config->weight_decay,
                                          .nesterov = config->nesterov,
                                          .clip_norm = config->clip_norm,
                                          .distances = trainer->options.wants & RS_WANT_DISTANCES,
                                          .gradient_stats = trainer->options.wants & RS_WANT_GRADIENT_STATS};
}

/* Writes one parameter's (or buffer's) initial value, also as the state that distances start from. */
static rs_status initialize_one(rs_trainer *trainer, const rs_parameter *parameter, bool buffer, int index,
                                rs_error *error)
{
    const rs_trainer_options *o = &trainer->options;
    int64_t seed = o->config->seed_init < 0 ? o->config->seed : o->config->seed_init;
    float *values = rs_alloc((size_t)parameter->count * sizeof *values);
    if (!values) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the initial values of %s", parameter->name);
    }
    rs_parameter_initialize(parameter, (uint64_t)seed, values);
    rs_status status =
        o->backend->write(trainer->plan, buffer ? RS_SLOT_RUNNING : RS_SLOT_VALUE, index, values, error);
    if (!status && !buffer && (o->wants & RS_WANT_DISTANCES)) {
        status = o->backend->write(trainer->plan, RS_SLOT_INITIAL, index, values, error);
    }
    rs_free(values);
    return status;
}

static rs_status initialize(rs_trainer *trainer, rs_error *error)
{
    const rs_network *network = trainer->options.network;
    for (int i = 0; i < network->parameter_count; i++) {
        RS_TRY(initialize_one(trainer, &network->parameters[i], false, i, error));
    }
    for (int i = 0; i < network->buffer_count; i++) {
        RS_TRY(initialize_one(trainer, &network->buffers[i], true, i, error));
    }
    return RS_OK;
}

rs_status rs_trainer_create(const rs_trainer_options *options, rs_trainer **trainer, rs_error *error)
{
    rs_trainer *made = rs_alloc_zero(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a trainer");
    }
    rs_device_info info = {0};
    options->backend->info(options->device, &info);
    made->options = *options;
    made->capabilities = info.capabilities;
    make_update(made);
    rs_status status = make_plan(made, error);
    status = status ? status : make_loaders(made, error);
    status = status ? status : make_measurement(made, error);
    status = status ? status : initialize(made, error);
    if (status) {
        rs_trainer_destroy(made);
        return status;
    }
    *trainer = made;
    return RS_OK;
}

void rs_trainer_destroy(rs_trainer *trainer)
{
    if (!trainer) {
        return;
    }
    rs_loader_destroy(trainer->train);
    rs_loader_destroy(trainer->test);
    trainer->options.backend->plan_destroy(trainer->plan);
    rs_free(trainer->measurement.to_initial);
    rs_free(trainer->measurement.to_previous);
    rs_free(trainer->measurement.gradient_abs_mean);
    rs_free(trainer->measurement.gradient_abs_std);
    rs_free(trainer->measurement.gradient_norms);
    rs_free(trainer);
}

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

static rs_status wait_for_observers(rs_trainer *trainer, rs_error *error)
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
        RS_TRY(wait_for_observers(trainer, error));
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
    RS_TRY(wait_for_observers(trainer, error));
    return RS_FAIL(error, RS_INTERRUPTED,
                   "interrupted after %" PRId64 " epochs and %" PRId64
                   " steps; the record is whole. Go on with the same command and --resume",
                   trainer->position.epochs, trainer->position.steps);
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

static rs_status end_epoch(rs_trainer *trainer, rs_error *error)
{
    rs_epoch_row row = {.epoch = trainer->position.epochs,
                        .train_loss = trainer->sums.loss / (double)trainer->sums.samples,
                        .train_accuracy = (double)trainer->sums.correct / (double)trainer->sums.samples};
    double begin = rs_seconds();
    RS_TRY(rs__evaluate(trainer, &row.valid_loss, &row.valid_accuracy, error));
    row.test_loss = row.valid_loss;
    row.test_accuracy = row.valid_accuracy;
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
    return RS_OK;
}

static rs_status train_epoch(rs_trainer *trainer, rs_error *error)
{
    const rs_config *config = trainer->options.config;
    trainer->update.learning_rate = rs_learning_rate(config, trainer->position.epochs);
    RS_TRY(train_batches(trainer, error));
    RS_TRY(end_epoch(trainer, error));
    if (rs__snapshot_due(config, trainer->position.epochs, trainer->position.steps)) {
        RS_TRY(take_snapshot(trainer, trainer->position.epochs, error));
    }
    bool last = trainer->position.epochs == config->epochs;
    if (last || rs_seconds() - trainer->last_commit >= config->commit_every) {
        return commit(trainer, RS_COMMIT_EPOCH, error);
    }
    return RS_OK;
}

rs_status rs_trainer_run(rs_trainer *trainer, rs_error *error)
{
    RS_TRY(begin_run(trainer, error));
    while (trainer->position.epochs < trainer->options.config->epochs) {
        rs_status status = train_epoch(trainer, error);
        if (status == RS_INTERRUPTED) {
            return interrupt(trainer, error);
        }
        if (status == RS_DIVERGED) {
            rs_error later = {0};
            RS_TRY(commit(trainer, RS_COMMIT_STOP, &later) ? (*error = later, later.status) : RS_OK);
            return RS_DIVERGED;
        }
        RS_TRY(status);
    }
    return wait_for_observers(trainer, error);
}
