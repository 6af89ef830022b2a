/* warm.c: beginning from the weights of a record's snapshot, or of a safetensors file, by parameter name. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "rs/checkpoint.h"
#include "rs/host.h"
#include "rs/record_reader.h"
#include "rs/safetensors.h"
#include "rs/text.h"

enum { PATH = 4096, ORIGIN = 8192 };

struct rs__warm {
    const rs_config *config;
    const rs_network *network;
    rs_record_reader *record; /* one of the two */
    rs_safetensors *tensors;
    int64_t snapshot; /* of the record */
    rs_snapshot_place place;
};

static bool is_hdf5(const char *path)
{
    static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char head[sizeof signature] = {0};
    FILE *stream = fopen(path, "rb");
    bool read = stream && fread(head, 1, sizeof head, stream) == sizeof head;
    if (stream) {
        (void)fclose(stream);
    }
    return read && memcmp(head, signature, sizeof head) == 0;
}

/* "last" stands for the end of a run: where --snapshots left that out, it would silently be an earlier state. */
static rs_status check_end(const rs__warm *warm, rs_error *error)
{
    const int64_t end = rs_record_reader_committed(warm->record)->steps;
    if (strcmp(warm->config->init_snapshot, "last") != 0 || warm->place.step == end) {
        return RS_OK;
    }
    return RS_FAIL(
        error, RS_DATA,
        "%s: the last snapshot, %" PRId64 ", is of step %" PRId64 ", the run stands at step %" PRId64
        "; train it with --snapshots \"..;last:1\", or take that snapshot with --init-snapshot %" PRId64,
        warm->config->init_from, warm->snapshot, warm->place.step, end, warm->snapshot);
}

static rs_status open_file(rs__warm *warm, rs_error *error)
{
    const char *path = warm->config->init_from;
    if (access(path, R_OK) != 0) {
        return RS_FAIL(error, RS_DATA, "--init-from %s: there is no such file, or it cannot be read", path);
    }
    if (!is_hdf5(path)) {
        return rs_safetensors_open(path, &warm->tensors, error);
    }
    RS_TRY(rs_record_reader_open(path, &warm->record, error));
    RS_TRY(rs_record_reader_find_snapshot(warm->record, warm->config->init_snapshot, &warm->snapshot, error));
    RS_TRY(rs_record_reader_snapshot(warm->record, warm->snapshot, &warm->place, error));
    return check_end(warm, error);
}

rs_status rs__warm_open(const rs_trainer *trainer, rs__warm **warm, rs_error *error)
{
    const rs_trainer_options *o = &trainer->options;
    *warm = NULL;
    if (!o->config->init_from[0] || o->resumes) {
        return RS_OK;
    }
    rs__warm *made = rs_alloc_zero(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory to begin from %s", o->config->init_from);
    }
    made->config = o->config;
    made->network = o->network;
    rs_status status = open_file(made, error);
    if (!status && made->tensors && strcmp(o->config->init_snapshot, "last") != 0) {
        status =
            RS_FAIL(error, RS_USAGE, "--init-snapshot is of records; %s has one state", o->config->init_from);
    }
    if (status) {
        rs__warm_close(made);
        return status;
    }
    *warm = made;
    return RS_OK;
}

void rs__warm_close(rs__warm *warm)
{
    if (warm) {
        rs_record_reader_close(warm->record);
        rs_safetensors_close(warm->tensors);
        rs_free(warm);
    }
}

static bool has(const rs__warm *warm, const char *name)
{
    char path[RS_NAME_MAX + 16];
    (void)snprintf(path, sizeof path, "weights/%s", name);
    return warm->record ? rs_record_reader_has(warm->record, path) : rs_safetensors_has(warm->tensors, name);
}

/* Classifiers beside the network are new where the file has none: it may be of a run without. */
static bool leaves_out(const rs__warm *warm, const rs_parameter *parameter)
{
    return rs__globs_take(warm->network, warm->config->reinitialize, parameter) ||
           (parameter->head && !has(warm, parameter->name));
}

rs_status rs__warm_read(const rs__warm *warm, const rs_parameter *parameter, float *values, rs_error *error)
{
    if (leaves_out(warm, parameter)) {
        return RS_OK;
    }
    if (!has(warm, parameter->name)) {
        return RS_FAIL(error, RS_DATA, "%s has no %s; --reinitialize %s begins it anew",
                       warm->config->init_from, parameter->name, parameter->name);
    }
    return warm->record
               ? rs_record_reader_tensor(warm->record, parameter->name, warm->snapshot, &parameter->shape,
                                         values, error)
               : rs_safetensors_read(warm->tensors, parameter->name, &parameter->shape, values, error);
}

/* --- the optimizer's state ------------------------------------------------------------------------------ */
typedef struct state_source {
    const rs__warm *warm;
    rs_checkpoint *checkpoint;
} state_source;

static rs_status copy_slot(rs_trainer *trainer, void *context, const char *name, rs_slot slot, int index,
                           void *buffer, size_t bytes, rs_error *error)
{
    const state_source *from = context;
    const bool wanted = slot == RS_SLOT_MOMENT1 || slot == RS_SLOT_MOMENT2 || slot == RS_SLOT_STEP_COUNT;
    if (!wanted || leaves_out(from->warm, &trainer->options.network->parameters[index])) {
        return RS_OK;
    }
    RS_TRY(rs_checkpoint_get(from->checkpoint, name, buffer, bytes, error));
    return trainer->options.backend->write(trainer->plan, slot, index, buffer, error);
}

/* The checkpoint must be of the snapshot's moment, and of the same optimizer. */
static rs_status check_moment(const rs__warm *warm, rs_checkpoint *checkpoint, const char *path,
                              rs_error *error)
{
    rs_position position;
    rs_config before;
    rs_config_default(&before);
    RS_TRY(
        rs_config_read_yaml(&before, rs_record_reader_config(warm->record), warm->config->init_from, error));
    if (strcmp(before.optimizer, warm->config->optimizer) != 0) {
        return RS_FAIL(error, RS_USAGE, "--init-optimizer: %s was trained with %s, this run uses %s",
                       warm->config->init_from, before.optimizer, warm->config->optimizer);
    }
    if ((before.momentum > 0.0) != (warm->config->momentum > 0.0)) {
        return RS_FAIL(
            error, RS_USAGE,
            "--init-optimizer: %s was trained with --momentum %g, this run uses %g: one has a state for "
            "it, the other has not",
            warm->config->init_from, before.momentum, warm->config->momentum);
    }
    RS_TRY(rs_checkpoint_get(checkpoint, "position", &position, sizeof position, error));
    if (position.steps != warm->place.step) {
        return RS_FAIL(error, RS_DATA,
                       "--init-optimizer: %s stands at step %" PRId64 ", the last snapshot at step %" PRId64,
                       path, position.steps, warm->place.step);
    }
    return RS_OK;
}

rs_status rs__warm_optimizer(rs_trainer *trainer, const rs__warm *warm, rs_error *error)
{
    char path[PATH];
    state_source from = {.warm = warm};
    if (!warm->config->init_optimizer) {
        return RS_OK;
    }
    if (!warm->record) {
        return RS_FAIL(error, RS_USAGE, "--init-optimizer needs a record; %s holds weights alone",
                       warm->config->init_from);
    }
    (void)snprintf(path, sizeof path, "%s.ckpt", warm->config->init_from);
    RS_TRY(rs_checkpoint_open(path, &from.checkpoint, error));
    rs_status status = check_moment(warm, from.checkpoint, path, error);
    status = status ? status : rs__visit_slots(trainer, copy_slot, &from, error);
    rs_checkpoint_close(from.checkpoint);
    return status;
}

/* --- provenance ----------------------------------------------------------------------------------------- */
static rs_status describe_record(const rs__warm *warm, char *text, rs_error *error)
{
    rs_config before;
    char name[128], *start = NULL;
    rs_config_default(&before);
    RS_TRY(
        rs_config_read_yaml(&before, rs_record_reader_config(warm->record), warm->config->init_from, error));
    rs_config_run_name(&before, name, sizeof name);
    RS_TRY(rs_record_reader_attribute(warm->record, "start_time", &start, error));
    (void)snprintf(text, ORIGIN, "%s: snapshot %" PRId64 " (step %" PRId64 ") of %s, started %s%s%s%s",
                   warm->config->init_from, warm->snapshot, warm->place.step, name, start,
                   warm->config->init_optimizer ? ", with its optimizer" : "",
                   warm->config->reinitialize[0] ? "; begun anew: " : "", warm->config->reinitialize);
    rs_free(start);
    return RS_OK;
}

rs_status rs__warm_describe(const rs__warm *warm, char **text, rs_error *error)
{
    char origin[ORIGIN], hex[RS_SHA256_TEXT];
    if (warm->record) {
        RS_TRY(describe_record(warm, origin, error));
    } else {
        RS_TRY(rs_file_sha256(warm->config->init_from, hex, error));
        (void)snprintf(origin, sizeof origin, "%s: sha256 %s%s%s", warm->config->init_from, hex,
                       warm->config->reinitialize[0] ? "; begun anew: " : "", warm->config->reinitialize);
    }
    *text = rs_strdup(origin);
    return *text ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory to describe %s", warm->config->init_from);
}
