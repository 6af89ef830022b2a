/* initial.c: the state that training begins from. Distances to the initial state are to this one, also where it is that of
 * another run. */
#include "not_finite.h"
#include "rs/host.h"

/* What a file gives to begin from must be numbers. */
static rs_status check_warm(rs_trainer *trainer, rs_slot slot, int index, const float *values,
                            rs_error *error)
{
    char found[400];
    if (!trainer->options.config->stop_on_nan || rs__slot_is_finite(trainer, slot, index, values)) {
        return RS_OK;
    }
    rs__not_finite_say(&trainer->not_finite, found, sizeof found);
    return RS_FAIL(error, RS_DATA,
                   "%s: %s; begin from another snapshot, or with --reinitialize, or go on all the same with "
                   "--no-stop-on-nan",
                   trainer->options.config->init_from, found);
}

/* Writes one parameter's (or buffer's) initial value, also as the state that distances start from. */
static rs_status initialize_one(rs_trainer *trainer, const rs__warm *warm, const rs_parameter *parameter,
                                bool buffer, int index, rs_error *error)
{
    const rs_trainer_options *o = &trainer->options;
    int64_t seed = o->config->seed_init < 0 ? o->config->seed : o->config->seed_init;
    float *values = rs_alloc((size_t)parameter->count * sizeof *values);
    if (!values) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the initial values of %s", parameter->name);
    }
    rs_parameter_initialize(parameter, (uint64_t)seed, values);
    const rs_slot slot = buffer ? RS_SLOT_RUNNING : RS_SLOT_VALUE;
    rs_status status = warm ? rs__warm_read(warm, parameter, values, error) : RS_OK;
    if (!status && warm) {
        status = check_warm(trainer, slot, index, values, error);
    }
    if (!status) {
        status = o->backend->write(trainer->plan, slot, index, values, error);
    }
    if (!status && !buffer && (o->wants & RS_WANT_DISTANCES)) {
        status = o->backend->write(trainer->plan, RS_SLOT_INITIAL, index, values, error);
    }
    rs_free(values);
    return status;
}

static rs_status initialize_all(rs_trainer *trainer, const rs__warm *warm, rs_error *error)
{
    const rs_network *network = trainer->options.network;
    for (int i = 0; i < network->parameter_count; i++) {
        RS_TRY(initialize_one(trainer, warm, &network->parameters[i], false, i, error));
    }
    for (int i = 0; i < network->buffer_count; i++) {
        RS_TRY(initialize_one(trainer, warm, &network->buffers[i], true, i, error));
    }
    return RS_OK;
}

rs_status rs__initialize(rs_trainer *trainer, rs_error *error)
{
    rs__warm *warm = NULL;
    RS_TRY(rs__warm_open(trainer, &warm, error));
    rs_status status = initialize_all(trainer, warm, error);
    if (warm) {
        status = status ? status : rs__warm_optimizer(trainer, warm, error);
        status = status ? status : rs__warm_describe(warm, &trainer->origin, error);
    }
    rs__warm_close(warm);
    return status;
}

const char *rs_trainer_origin(const rs_trainer *trainer)
{
    return trainer->origin ? trainer->origin : "";
}
