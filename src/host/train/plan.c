/* plan.c: the plan of a stage: batch sizes, what is kept, and the edits of the backward graph (layers.c). */
#include <string.h>

#include "internal.h"
#include "rs/host.h"

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
    RS_ASSERT(plan->batch_size_count < RS_MAX_BATCH_SIZES);
    for (int i = plan->batch_size_count++; i > at; i--) {
        plan->batch_sizes[i] = plan->batch_sizes[i - 1];
    }
    plan->batch_sizes[at] = size;
}

/* Whole batches have one size in common, so three splits have four sizes at most. */
static void add_split_sizes(rs_plan_options *plan, const rs_split *split, int64_t batch)
{
    add_batch_size(plan, split->count < batch ? split->count : batch);
    add_batch_size(plan, split->count % batch);
}

static void add_sizes(rs_plan_options *plan, const rs_trainer *trainer)
{
    const rs_dataset *dataset = trainer->options.dataset;
    const int64_t batch = rs__batch_size(trainer->options.config, dataset);
    add_split_sizes(plan, &dataset->train, batch);
    add_split_sizes(plan, &dataset->valid, batch);
    add_split_sizes(plan, &dataset->test, batch);
}

/* What the plan of the stage is made with; batch sizes and metrics apart. */
static rs_plan_options options_of(const rs_trainer *trainer, const char *choices)
{
    const rs_trainer_options *o = &trainer->options;
    const rs__layers *layers = &trainer->layers;
    bool distances = o->wants & RS_WANT_DISTANCES;
    int64_t dropout = o->config->seed_dropout < 0 ? o->config->seed : o->config->seed_dropout;
    rs_plan_options plan = {.dtype = RS_F32,
                            .dropout_seed = (uint64_t)dropout,
                            .convolution = convolution_choice(o->config),
                            .choices = choices,
                            .memory = memory_choice(o->config),
                            .tf32 = strcmp(o->config->precision, "tf32") == 0,
                            .training = true,
                            .optimizer = rs__optimizer_kind(o->config),
                            .momentum = o->config->momentum > 0.0,
                            .keep_initial = distances,
                            .sum_gradients =
                                (o->wants & RS_WANT_GRADIENTS) && strcmp(o->config->gradient, "mean") == 0,
                            .input_gradient = o->wants & RS_WANT_SENSITIVITY,
                            .objectives = layers->objectives,
                            .objective_count = layers->objective_count,
                            .cuts = layers->cuts,
                            .cut_count = layers->cut_count,
                            .frozen = layers->any_frozen ? layers->frozen : NULL};
    memcpy(plan.mean, o->dataset->mean, sizeof plan.mean);
    memcpy(plan.std, o->dataset->std, sizeof plan.std);
    return plan;
}

rs_status rs__make_plan(rs_trainer *trainer, const char *choices, rs_error *error)
{
    const rs_trainer_options *o = &trainer->options;
    rs_plan_options plan = options_of(trainer, choices);
    add_sizes(&plan, trainer);
    if (plan.keep_initial) {
        RS_TRY(rs_metric_list_parse(o->config->metric, &plan.metrics, error));
    }
    return o->backend->plan_create(o->device, o->network, &plan, &trainer->plan, error);
}

rs_status rs__make_looking_plan(const rs_trainer *trainer, int64_t samples, rs_plan **plan, rs_error *error)
{
    const rs_trainer_options *o = &trainer->options;
    const bool searched = trainer->capabilities & RS_CAN_SEARCH;
    const char *choices = searched ? o->backend->plan_choices(trainer->plan) : NULL;
    rs_plan_options options = options_of(trainer, choices);
    options.keep_all = true;
    options.keep_initial = options.sum_gradients = options.input_gradient = false;
    options.batch_sizes[0] = samples;
    options.batch_size_count = 1;
    return o->backend->plan_create(o->device, o->network, &options, plan, error);
}
