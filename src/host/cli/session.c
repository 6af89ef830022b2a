/* session.c: makes a training run from its configuration: device, data, network, plan, record. */
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/version.h"

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Refuses an existing record before anything expensive happens. */
static rs_status check_output(session *s, rs_error *error)
{
    rs_config_output_path(&s->config, s->path, sizeof s->path);
    (void)snprintf(s->checkpoint, sizeof s->checkpoint, "%s.ckpt", s->path);
    if (exists(s->path) && !s->config.overwrite && !s->config.resume) {
        return RS_FAIL(error, RS_USAGE,
                       "%s exists; go on with --resume, replace it with --overwrite, or choose another --out",
                       s->path);
    }
    return s->config.overwrite ? rs_check_replaceable(s->path, error) : RS_OK;
}

static rs_status open_named(session *s, const char *name, rs_error *error)
{
    int index = 0;
    RS_TRY(rs_backend_select(name, &s->backend, &index, error));
    RS_TRY(s->backend->open(rs_services(), index, (int)s->config.threads, &s->device, error));
    s->backend->info(s->device, &s->info);
    return RS_OK;
}

static rs_status open_gpu_again(session *s, rs_error *error)
{
    if (open_named(s, "cuda", error)) {
        const rs_error why = *error;
        return RS_FAIL(error, why.status, "%s; %s was made on %s, so that only --device cpu resumes it here",
                       why.text, s->path, s->made_on);
    }
    return RS_OK;
}

static rs_status open_cpu_again(session *s, rs_error *error)
{
    rs_error why_not = {0};
    const rs_backend *cuda;
    int index;
    if (rs_backend_select("cuda", &cuda, &index, &why_not) == RS_OK) {
        rs_log(RS_LOG_WARNING, "%s was made on the CPU and goes on there; --device cuda takes the GPU",
               s->path);
    }
    return open_named(s, "cpu", error);
}

/* A GPU that is there may still not be had: others fill its memory, or keep it for themselves. */
static rs_status open_best(session *s, rs_error *error)
{
    rs_status status = open_named(s, "auto", error);
    if (status && s->backend && strcmp(s->backend->name, "cpu") != 0) {
        rs_log(RS_LOG_WARNING, "the GPU cannot be used, training on the CPU: %s", error->text);
        s->no_gpu = *error;
        return open_named(s, "cpu", error);
    }
    if (strcmp(s->config.precision, "tf32") == 0) { /* the CPU has none: see make_trainer */
        (void)rs_backend_has_gpu(&s->no_gpu);
    }
    return status;
}

/* --device auto is the best that is there, but of a record that is resumed the kind of device that made it: half of it
 * would be another training than the rest. */
static rs_status open_device(session *s, rs_error *error)
{
    if (strcmp(s->config.device, "auto") != 0) {
        return open_named(s, s->config.device, error);
    }
    if (s->made_on[0] == '\0') {
        return open_best(s, error);
    }
    bool gpu = strstr(s->made_on, ", sm_") != NULL; /* as GPUs are named */
    return gpu ? open_gpu_again(s, error) : open_cpu_again(s, error);
}

static rs_status load_data(session *s, const volatile sig_atomic_t *stop, rs_error *error)
{
    rs_dataset_request request = rs_configured_data(&s->config);
    request.stop = stop;
    return rs_dataset_load(&request, &s->dataset, error);
}

static rs_status make_trainer(session *s, uint32_t wants, const volatile sig_atomic_t *stop, rs_error *error)
{
    rs_trainer_options options = {.config = &s->config,
                                  .dataset = s->dataset,
                                  .network = s->network,
                                  .backend = s->backend,
                                  .device = s->device,
                                  .wants = wants,
                                  .stop = stop,
                                  .checkpoint_path = s->checkpoint,
                                  .resumes = s->resumes};
    rs_status status = rs_trainer_create(&options, &s->trainer, error);
    if (status == RS_UNSUPPORTED && s->no_gpu.text[0] && strcmp(s->config.precision, "tf32") == 0) {
        const rs_error what = *error;
        return RS_FAIL(error, status, "%.400s; --device auto takes no GPU: %.500s", what.text,
                       s->no_gpu.text);
    }
    return status;
}

/* What the plan chose, node by node, as text. */
static rs_status print_algorithms(session *s, rs_error *error)
{
    size_t size = 0;
    char *text = NULL;
    FILE *stream = open_memstream(&text, &size);
    if (!stream) {
        return RS_FAIL(error, RS_MEMORY, "no memory to describe the plan");
    }
    s->backend->plan_print(rs_trainer_plan(s->trainer), stream);
    if (rs_trainer_plan_ends(s->trainer) >= 0) {
        (void)fprintf(stream,
                      "from epoch %" PRId64
                      " on (counted from 0: --isolate-from, --freeze-from) another plan\n",
                      rs_trainer_plan_ends(s->trainer));
    }
    (void)fclose(stream);
    s->algorithms = text ? rs_strdup(text) : NULL;
    free(text);
    return s->algorithms ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory to describe the plan");
}

/* Which tensors are kept, by name. */
static rs_status choose_tensors(session *s, uint32_t wants, rs_error *error)
{
    size_t parameters = (size_t)s->network->parameter_count, buffers = (size_t)s->network->buffer_count;
    s->kept = rs_alloc_array(2 * parameters + buffers + 1, sizeof *s->kept);
    if (!s->kept) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the list of recorded tensors");
    }
    bool *weights = s->kept, *gradients = s->kept + parameters, *running = s->kept + 2 * parameters;
    for (size_t i = 0; i < parameters; i++) {
        const char *name = s->network->parameters[i].name;
        weights[i] = (wants & RS_WANT_WEIGHTS) && rs_config_records(&s->config, RS_RECORD_WEIGHTS, name);
        gradients[i] =
            (wants & RS_WANT_GRADIENTS) && rs_config_records(&s->config, RS_RECORD_GRADIENTS, name);
    }
    for (size_t i = 0; i < buffers; i++) {
        running[i] = (wants & RS_WANT_WEIGHTS) &&
                     rs_config_records(&s->config, RS_RECORD_WEIGHTS, s->network->buffers[i].name);
    }
    s->spec.weights = weights;
    s->spec.gradients = gradients;
    s->spec.buffers = running;
    return RS_OK;
}

static void stamp_start(session *s)
{
    time_t now = time(NULL);
    struct tm utc;
    (void)gmtime_r(&now, &utc);
    (void)strftime(s->start_time, sizeof s->start_time, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

/* Of heads all is kept that there is. */
static void describe_layers(session *s, uint32_t wants)
{
    rs_record_spec *spec = &s->spec;
    spec->layer_losses = wants & RS_WANT_LAYER_LOSSES;
    spec->layer_outputs = wants & RS_WANT_LAYER_OUTPUTS;
    spec->layer_count = s->measured.layer_count;
    spec->layers = s->measured.layers;
    spec->head_count = s->measured.head_count;
    spec->heads = s->measured.heads;
    spec->sensitivity = wants & RS_WANT_SENSITIVITY;
    spec->regression = s->network->nodes[s->network->node_count - 1].kind == RS_OP_MEAN_SQUARED_ERROR;
}

static rs_status make_spec(session *s, uint32_t wants, const volatile sig_atomic_t *stop, rs_error *error)
{
    RS_TRY(rs_config_yaml(&s->config, &s->config_yaml, error));
    RS_TRY(print_algorithms(s, error));
    RS_TRY(choose_tensors(s, wants, error));
    RS_TRY(rs_configured_layers(&s->config, s->network, &s->measured, error));
    stamp_start(s);
    rs_record_spec *spec = &s->spec;
    if (wants & RS_WANT_DISTANCES) {
        RS_TRY(rs_metric_list_parse(s->config.metric, &spec->metrics, error));
    }
    spec->network = s->network;
    spec->backend = s->backend;
    spec->device = s->device;
    spec->config_yaml = s->config_yaml;
    spec->provenance = (rs_provenance){.version = rs_version(),
                                       .commit = rs_commit(),
                                       .device = s->info.name,
                                       .libraries = s->info.libraries,
                                       .algorithms = s->algorithms,
                                       .dataset = s->dataset->provenance,
                                       .start_time = s->start_time,
                                       .init_from = rs_trainer_origin(s->trainer),
                                       .threads = s->info.threads,
                                       .seed = s->config.seed};
    describe_layers(s, wants);
    spec->gradient_stats = wants & RS_WANT_GRADIENT_STATS;
    spec->gradient_mean = strcmp(s->config.gradient, "mean") == 0;
    spec->initial_snapshot =
        rs_config_snapshot_epoch(&s->config, 0) || rs_config_snapshot_step(&s->config, 0);
    spec->compress = s->config.compress;
    spec->wait_when_full = strcmp(s->config.on_full, "wait") == 0;
    spec->stop = stop;
    spec->keep_checkpoint = true; /* so that a finished run can get more epochs */
    spec->planned_epochs = s->config.epochs;
    rs_trainer_planned(&s->config, s->dataset, &spec->planned_steps, &spec->planned_snapshots);
    if (spec->planned_snapshots == 0 && (wants & (RS_WANT_WEIGHTS | RS_WANT_GRADIENTS))) {
        return RS_FAIL(
            error, RS_USAGE,
            "--snapshots %s keeps nothing in a run of %lld epochs and %lld steps; choose others, or none",
            s->config.snapshots, (long long)s->config.epochs, (long long)spec->planned_steps);
    }
    return RS_OK;
}

/* Goes on from the checkpoint, or from the start of an existing record that has none. */
static rs_status resume(session *s, rs_error *error)
{
    rs_position position = {0};
    bool foreign = false;
    if (s->resumes) {
        RS_TRY(rs_trainer_restore(s->trainer, s->checkpoint, &position, &foreign, error));
    } else {
        rs_log(RS_LOG_WARNING,
               "%s is not there: trains from the start again and compares with what is committed",
               s->checkpoint);
    }
    s->spec.foreign = foreign; /* the recorder says so, and marks it */
    return rs_recorder_resume(s->path, &s->spec, &position, &s->recorder, error);
}

/* Whether the record was made with the same options (more epochs are allowed), and is complete already. */
static rs_status examine_summary(session *s, const rs_record_summary *summary, rs_error *error)
{
    rs_config before;
    char names[512];
    rs_config_default(&before);
    RS_TRY(rs_config_read_yaml(&before, summary->config_yaml, s->path, error));
    bool rule = summary->reason[0] && strcmp(summary->reason, "epochs") != 0; /* more epochs change nothing */
    bool enough =
        rule || (before.epochs >= s->config.epochs && summary->committed.epochs >= s->config.epochs);
    if (!rs_config_needs_end(&s->config)) {
        before.epochs = s->config.epochs;
    }
    if (rs_config_differences(&before, &s->config, names, sizeof names) > 0) {
        return RS_FAIL(
            error, RS_USAGE,
            "cannot resume %s: it was made with another %s; use the same options, or another --out", s->path,
            names);
    }
    s->finished_epochs = summary->committed.epochs;
    s->finished_before = enough && strcmp(summary->state, rs_run_state_name(RS_RUN_DONE)) == 0;
    return RS_OK;
}

/* Looks at the record that is to be resumed. One without a commit has nothing to say: it is made anew, and a checkpoint
 * beside it is of another run. */
static rs_status examine_existing(session *s, rs_error *error)
{
    rs_record_summary summary = {0};
    RS_TRY(rs_record_summarize(s->path, &summary, error));
    rs_status status = summary.commits > 0 ? examine_summary(s, &summary, error) : RS_OK;
    s->goes_on = summary.commits > 0;
    s->resumes = s->goes_on && exists(s->checkpoint);
    (void)snprintf(s->made_on, sizeof s->made_on, "%s", s->goes_on ? summary.device : "");
    rs_free(summary.config_yaml);
    return status;
}

static rs_status open_record(session *s, rs_error *error)
{
    if (s->goes_on) {
        RS_TRY(resume(s, error));
    }
    return s->recorder ? RS_OK
                       : rs_recorder_create(s->path, &s->spec, s->config.overwrite || s->config.resume,
                                            &s->recorder, error);
}

/* Images of another size are taken as they are, and layers behind them get other numbers of parameters. */
static void compare_with_example(const session *s)
{
    const int *made = s->network->made_for;
    const rs_dataset *d = s->dataset;
    const bool size_differs = made[1] != d->height || made[2] != d->width;
    if (made[0] == 0 || (made[0] == d->channels && !size_differs)) {
        return;
    }
    char hint[64] = "";
    if (size_differs && made[1] == made[2] && made[1] > 1) {
        (void)snprintf(hint, sizeof hint, "; --resize %d makes images %d x %d", made[1], made[1], made[1]);
    }
    rs_log(RS_LOG_WARNING,
           "network %s is made for %dx%dx%d (its example), %s gives %dx%dx%d: its number of parameters may "
           "differ%s",
           s->network->name, made[0], made[1], made[2], d->name, d->channels, d->height, d->width, hint);
}

rs_status session_open(session *s, const volatile sig_atomic_t *stop, rs_error *error)
{
    uint32_t wants = rs_configured_wants(&s->config);
    RS_TRY(check_output(s, error));
    RS_TRY(rs_configured_network_check(&s->config, error));
    if (s->config.resume && !exists(s->path)) {
        rs_log(RS_LOG_INFO, "there is no %s to resume: a new run", s->path);
    }
    if (s->config.resume && exists(s->path)) {
        RS_TRY(examine_existing(s, error));
        if (s->finished_before) {
            return RS_OK;
        }
    }
    RS_TRY(open_device(s, error));
    RS_TRY(load_data(s, stop, error));
    RS_TRY(rs_configured_network(&s->config, s->dataset, &s->network, error));
    compare_with_example(s);
    RS_TRY(make_trainer(s, wants, stop, error));
    RS_TRY(make_spec(s, wants, stop, error));
    RS_TRY(open_record(s, error));
    rs_observer recording = rs_recorder_observer(s->recorder);
    rs_trainer_observe(s->trainer, &recording);
    return RS_OK;
}

rs_status session_close(session *s, rs_run_state state, rs_error *error)
{
    rs_status status = rs_recorder_close(s->recorder, state, error);
    rs_trainer_destroy(s->trainer);
    rs_network_destroy(s->network);
    rs_dataset_destroy(s->dataset);
    if (s->device) {
        s->backend->close(s->device);
    }
    rs_measured_layers_release(&s->measured);
    rs_free(s->kept);
    rs_free(s->config_yaml);
    rs_free(s->algorithms);
    return status;
}
