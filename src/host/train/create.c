/* create.c: making a trainer: its plan, loaders, and room for a step's measurements. */
#include <math.h>
#include <string.h>

#include "internal.h"
#include "rs/host.h"

rs_optimizer_kind rs__optimizer_kind(const rs_config *config)
{
    static const struct {
        const char *name;
        rs_optimizer_kind kind;
    } kinds[] = {{"sgd", RS_OPTIMIZER_SGD},
                 {"adam", RS_OPTIMIZER_ADAM},
                 {"adamw", RS_OPTIMIZER_ADAMW},
                 {"adagrad", RS_OPTIMIZER_ADAGRAD},
                 {"rmsprop", RS_OPTIMIZER_RMSPROP}};
    size_t i = 0;
    while (strcmp(config->optimizer, kinds[i].name) != 0) {
        i++;
        RS_ASSERT(i < sizeof kinds / sizeof kinds[0]); /* the option table has the same names */
    }
    return kinds[i].kind;
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

/* A split in its own order, for validation and test; none where it is empty. */
static rs_status make_scoring_loader(rs_trainer *trainer, const rs_split *split, rs_loader **loader,
                                     rs_error *error)
{
    const rs_trainer_options *o = &trainer->options;
    rs_loader_options options = {.batch_size = rs__batch_size(o->config, o->dataset), .prefetch = true};
    if (split->count == 0) {
        return RS_OK;
    }
    RS_TRY(hold_images(trainer, split, &options.leave_out_images, error));
    return rs_loader_create(o->dataset, split, &options, loader, error);
}

/* A batch of all samples by --batch-size 0 keeps their order: there is nothing to shuffle. */
rs_status rs__make_loaders(rs_trainer *trainer, rs_error *error)
{
    const rs_trainer_options *o = &trainer->options;
    int64_t order = o->config->seed_order < 0 ? o->config->seed : o->config->seed_order;
    rs_loader_options train = {.batch_size = rs__batch_size(o->config, o->dataset),
                               .shuffle = o->config->batch_size > 0,
                               .seed = (uint64_t)order,
                               .prefetch = true};
    RS_TRY(rs_configured_augmentation(o->config, &train, error));
    if (!rs_augmentation_any(&train.augment)) { /* changed images are in the batches alone */
        RS_TRY(hold_images(trainer, &o->dataset->train, &train.leave_out_images, error));
    }
    RS_TRY(rs_loader_create(o->dataset, &o->dataset->train, &train, &trainer->train, error));
    trainer->batches = rs_loader_steps(trainer->train);
    RS_TRY(make_scoring_loader(trainer, &o->dataset->valid, &trainer->valid, error));
    return make_scoring_loader(trainer, &o->dataset->test, &trainer->test, error);
}

void rs__destroy_loaders(rs_trainer *trainer)
{
    rs_loader_destroy(trainer->train);
    rs_loader_destroy(trainer->valid);
    rs_loader_destroy(trainer->test);
    trainer->train = trainer->valid = trainer->test = NULL;
}

static bool make_distances(rs_trainer *trainer)
{
    rs_measurement *m = &trainer->measurement;
    size_t cells = (size_t)trainer->options.network->block_count * RS_MAX_METRICS + 1;
    m->to_initial = rs_alloc_array(cells, sizeof(double));
    m->to_previous = rs_alloc_array(cells, sizeof(double));
    return m->to_initial && m->to_previous;
}

static bool make_gradient_stats(rs_trainer *trainer)
{
    rs_measurement *m = &trainer->measurement;
    size_t parameters = (size_t)trainer->options.network->parameter_count;
    m->gradient_abs_mean = rs_alloc_array(parameters, sizeof(float));
    m->gradient_abs_std = rs_alloc_array(parameters, sizeof(float));
    m->gradient_norms = rs_alloc_array(parameters, sizeof(float));
    return m->gradient_abs_mean && m->gradient_abs_std && m->gradient_norms;
}

/* Room for the layers' values as the backend fills them, and as observers are told them. */
static bool make_layer_values(rs_trainer *trainer)
{
    const size_t count = (size_t)trainer->layers.objective_count;
    rs_measurement *m = &trainer->measurement, *told = &trainer->told;
    m->layer_losses = rs_alloc_array(count, sizeof(double));
    m->layer_means = rs_alloc_array(count, sizeof(double));
    told->layer_losses = rs_alloc_array(count, sizeof(double));
    told->layer_means = rs_alloc_array(count, sizeof(double));
    trainer->head_losses = rs_alloc_array(count, sizeof(double));
    trainer->head_accuracies = rs_alloc_array(count, sizeof(double));
    return m->layer_losses && m->layer_means && told->layer_losses && told->layer_means &&
           trainer->head_losses && trainer->head_accuracies;
}

static rs_status make_measurement(rs_trainer *trainer, rs_error *error)
{
    const uint32_t wants = trainer->options.wants;
    bool complete = !(wants & RS_WANT_DISTANCES) || make_distances(trainer);
    complete = complete && (!(wants & RS_WANT_GRADIENT_STATS) || make_gradient_stats(trainer));
    complete = complete && (trainer->layers.objective_count == 0 || make_layer_values(trainer));
    return complete ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for a step's measurements");
}

static void make_update(rs_trainer *trainer)
{
    const rs_config *config = trainer->options.config;
    trainer->update = (rs_update_options){.optimizer = rs__optimizer_kind(config),
                                          .beta1 = config->beta1,
                                          .beta2 = config->beta2,
                                          .epsilon = rs_config_epsilon(config),
                                          .alpha = config->alpha,
                                          .momentum = config->momentum,
                                          .weight_decay = rs_config_weight_decay(config),
                                          .nesterov = config->nesterov,
                                          .clip_norm = config->clip_norm,
                                          .distances = trainer->options.wants & RS_WANT_DISTANCES,
                                          .gradient_stats = trainer->options.wants & RS_WANT_GRADIENT_STATS};
}

/* What follows from the options alone. */
static void describe(rs_trainer *trainer)
{
    const rs_network *network = trainer->options.network;
    const rs_node *loss = &network->nodes[network->node_count - 1];
    rs_device_info info = {0};
    trainer->options.backend->info(trainer->options.device, &info);
    trainer->capabilities = info.capabilities;
    trainer->regression = loss->kind == RS_OP_MEAN_SQUARED_ERROR;
    trainer->reduction = loss->attributes.reduction;
    make_update(trainer);
}

static rs_status make_first_plan(rs_trainer *trainer, rs_error *error)
{
    char *choices = NULL;
    rs__layers_set_stage(trainer, rs__stage_of(trainer->options.config, 0));
    RS_TRY(rs__choices_load(trainer, &choices, error));
    rs_status status = rs__make_plan(trainer, choices, error);
    rs_free(choices);
    return status;
}

rs_status rs_trainer_create(const rs_trainer_options *options, rs_trainer **trainer, rs_error *error)
{
    rs_trainer *made = rs_alloc_zero(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a trainer");
    }
    made->options = *options;
    made->first_loss = (double)NAN;
    describe(made);
    rs_status status = rs__layers_create(made, error);
    status = status ? status : make_first_plan(made, error);
    status = status ? status : rs__make_loaders(made, error);
    status = status ? status : make_measurement(made, error);
    status = status ? status : rs__initialize(made, error);
    if (status) {
        rs_trainer_destroy(made);
        return status;
    }
    *trainer = made;
    return RS_OK;
}

static void destroy_measurement(rs_trainer *trainer)
{
    rs_measurement *m = &trainer->measurement;
    rs_free(m->to_initial);
    rs_free(m->to_previous);
    rs_free(m->gradient_abs_mean);
    rs_free(m->gradient_abs_std);
    rs_free(m->gradient_norms);
    rs_free(m->layer_losses);
    rs_free(m->layer_means);
    rs_free(trainer->told.layer_losses);
    rs_free(trainer->told.layer_means);
    rs_free(trainer->head_losses);
    rs_free(trainer->head_accuracies);
}

void rs_trainer_destroy(rs_trainer *trainer)
{
    if (!trainer) {
        return;
    }
    rs__destroy_loaders(trainer);
    trainer->options.backend->plan_destroy(trainer->plan);
    destroy_measurement(trainer);
    rs__layers_destroy(&trainer->layers);
    rs_free(trainer->origin);
    rs_free(trainer);
}
