/* state.c: everything training depends on, to and from a checkpoint file.
 *
 * Sections: "format" (a number), "config" (YAML), "machine" (text), "choices" (text; with --convolution search),
 * "position", "epoch_sums", "stop", "gradient_steps", and per parameter or buffer "SLOT/NAME" in canonical order. A slot
 * the plan does not keep has no section. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "not_finite.h"
#include "rs/checkpoint.h"
#include "rs/host.h"
#include "rs/version.h"

static const int64_t state_format = 2;

enum { MACHINE_TEXT = 1024 };

/* What decides the bits of a run besides its configuration. */
static void machine_text(const rs_trainer *trainer, char text[MACHINE_TEXT])
{
    rs_device_info info = {0};
    trainer->options.backend->info(trainer->options.device, &info);
    memset(text, 0, MACHINE_TEXT);
    (void)snprintf(text, MACHINE_TEXT, "%s %s; %s; %s; %s; %s; %d threads", rs_version(), rs_commit(),
                   rs_build_flags(), trainer->options.backend->name, info.name, info.libraries, info.threads);
}

static rs_status save_slot(rs_trainer *trainer, void *context, const char *name, rs_slot slot, int index,
                           void *buffer, size_t bytes, rs_error *error)
{
    RS_TRY(trainer->options.backend->read(trainer->plan, slot, index, buffer, error));
    if (trainer->options.config->stop_on_nan && !rs__slot_is_finite(trainer, slot, index, buffer)) {
        char found[400];
        const rs_position *p = &trainer->position;
        rs__not_finite_note(trainer, p->steps, p->epochs);
        rs__not_finite_say(&trainer->not_finite, found, sizeof found);
        return RS_FAIL(error, RS_DIVERGED,
                       "training diverged: after %" PRId64 " steps (%" PRId64
                       " epochs) its state cannot be gone on with; %s; the record is whole. Try a lower "
                       "--learning-rate or --clip-norm",
                       p->steps, p->epochs, found);
    }
    return rs_checkpoint_put(context, name, buffer, bytes, error);
}

static rs_status load_slot(rs_trainer *trainer, void *context, const char *name, rs_slot slot, int index,
                           void *buffer, size_t bytes, rs_error *error)
{
    RS_TRY(rs_checkpoint_get(context, name, buffer, bytes, error));
    return trainer->options.backend->write(trainer->plan, slot, index, buffer, error);
}

static bool searches(const rs_trainer *trainer)
{
    return strcmp(trainer->options.config->convolution, "search") == 0;
}

static rs_status save_choices(const rs_trainer *trainer, rs_checkpoint_writer *writer, rs_error *error)
{
    if (!searches(trainer)) {
        return RS_OK;
    }
    const char *text = trainer->options.backend->plan_choices(trainer->plan);
    return rs_checkpoint_put(writer, "choices", text, strlen(text), error);
}

static rs_status save_sections(rs_trainer *trainer, rs_checkpoint_writer *writer, const char *yaml,
                               rs_error *error)
{
    char machine[MACHINE_TEXT];
    machine_text(trainer, machine);
    RS_TRY(rs_checkpoint_put(writer, "format", &state_format, sizeof state_format, error));
    RS_TRY(rs_checkpoint_put(writer, "config", yaml, strlen(yaml), error));
    RS_TRY(rs_checkpoint_put(writer, "machine", machine, sizeof machine, error));
    RS_TRY(save_choices(trainer, writer, error));
    RS_TRY(rs_checkpoint_put(writer, "position", &trainer->position, sizeof trainer->position, error));
    RS_TRY(rs_checkpoint_put(writer, "epoch_sums", &trainer->sums, sizeof trainer->sums, error));
    RS_TRY(rs_checkpoint_put(writer, "stop", &trainer->stop, sizeof trainer->stop, error));
    RS_TRY(rs_checkpoint_put(writer, "gradient_steps", &trainer->gradient_steps,
                             sizeof trainer->gradient_steps, error));
    return rs__visit_slots(trainer, save_slot, writer, error);
}

static rs_status add_bytes(rs_trainer *trainer, void *context, const char *name, rs_slot slot, int index,
                           void *buffer, size_t bytes, rs_error *error)
{
    uint64_t *sum = context;
    (void)trainer;
    (void)slot;
    (void)index;
    (void)buffer;
    (void)error;
    *sum += rs_checkpoint_section_bytes(name, bytes);
    return RS_OK;
}

/* Room for all that save_sections is about to write. */
static rs_status reserve(rs_trainer *trainer, rs_checkpoint_writer *writer, const char *yaml, rs_error *error)
{
    const rs_trainer_options *o = &trainer->options;
    const struct {
        const char *name;
        size_t bytes;
    } sections[] = {{"format", sizeof state_format},
                    {"config", strlen(yaml)},
                    {"machine", MACHINE_TEXT},
                    {"position", sizeof trainer->position},
                    {"epoch_sums", sizeof trainer->sums},
                    {"stop", sizeof trainer->stop},
                    {"gradient_steps", sizeof trainer->gradient_steps}};
    uint64_t bytes = RS_CHECKPOINT_BYTES;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        bytes += rs_checkpoint_section_bytes(sections[i].name, sections[i].bytes);
    }
    if (searches(trainer)) {
        bytes += rs_checkpoint_section_bytes("choices", strlen(o->backend->plan_choices(trainer->plan)));
    }
    RS_TRY(rs__visit_slots(trainer, add_bytes, &bytes, error));
    return rs_checkpoint_reserve(writer, bytes, strcmp(o->config->on_full, "wait") == 0, o->stop, error);
}

rs_status rs__state_save(rs_trainer *trainer, const char *path, rs_error *error)
{
    rs_checkpoint_writer *writer = NULL;
    char *yaml = NULL;
    RS_TRY(rs_config_yaml(trainer->options.config, &yaml, error));
    rs_status status = rs_checkpoint_create(path, &writer, error);
    if (!status) {
        status = reserve(trainer, writer, yaml, error);
        status = status ? status : save_sections(trainer, writer, yaml, error);
        if (status) {
            rs_checkpoint_abandon(writer);
        } else {
            status = rs_checkpoint_finish(writer, error);
        }
    }
    rs_free(yaml);
    return status;
}

/* The configuration must be the same in all that changes results; only more epochs are allowed. */
static rs_status compare_config(const rs_trainer *trainer, const char *yaml, const char *path,
                                rs_error *error)
{
    rs_config before;
    char names[512];
    rs_config_default(&before);
    RS_TRY(rs_config_read_yaml(&before, yaml, path, error));
    rs_config now = *trainer->options.config;
    if (!rs_config_needs_end(&now)) {
        before.epochs = now.epochs;
    }
    if (rs_config_differences(&before, &now, names, sizeof names) > 0) {
        return RS_FAIL(
            error, RS_USAGE,
            "cannot resume from %s: it was made with another %s; use the same options, or another --out",
            path, names);
    }
    return RS_OK;
}

/* A section as text that the caller frees; NULL where there is none. */
static rs_status read_text(rs_checkpoint *checkpoint, const char *path, const char *section, char **text,
                           rs_error *error)
{
    int64_t length = rs_checkpoint_length(checkpoint, section);
    if (length < 0) {
        return RS_OK;
    }
    *text = rs_alloc_zero((size_t)length + 1);
    if (!*text) {
        return RS_FAIL(error, RS_MEMORY, "no memory to read %s", path);
    }
    return rs_checkpoint_get(checkpoint, section, *text, (size_t)length, error);
}

static rs_status check_config(const rs_trainer *trainer, rs_checkpoint *checkpoint, const char *path,
                              rs_error *error)
{
    char *yaml = NULL;
    rs_status status = read_text(checkpoint, path, "config", &yaml, error);
    if (!status) {
        status = yaml ? compare_config(trainer, yaml, path, error)
                      : RS_FAIL(error, RS_DATA,
                                "%s holds no configuration; remove it and begin anew with --overwrite", path);
    }
    rs_free(yaml);
    return status;
}

rs_status rs__choices_load(const rs_trainer *trainer, char **choices, rs_error *error)
{
    const char *path = trainer->options.checkpoint_path;
    rs_checkpoint *checkpoint = NULL;
    if (!searches(trainer) || !trainer->options.resumes) {
        return RS_OK;
    }
    RS_TRY(rs_checkpoint_open(path, &checkpoint, error));
    rs_status status = read_text(checkpoint, path, "choices", choices, error);
    rs_checkpoint_close(checkpoint);
    if (status) {
        rs_free(*choices);
        *choices = NULL;
    }
    return status;
}

static rs_status check_position(const rs_trainer *trainer, const char *path, rs_error *error)
{
    const rs_position *p = &trainer->position;
    if (p->epochs < 0 || p->batches < 0 || p->batches > trainer->batches || p->snapshots < 0 ||
        p->steps != p->epochs * trainer->batches + p->batches) {
        return RS_FAIL(error, RS_DATA,
                       "%s stands at an impossible position; remove it and begin anew with --overwrite",
                       path);
    }
    if (p->epochs > trainer->options.config->epochs) {
        return RS_FAIL(error, RS_USAGE, "%s has %lld epochs already, more than --epochs %lld", path,
                       (long long)p->epochs, (long long)trainer->options.config->epochs);
    }
    return RS_OK;
}

static rs_status load_sections(rs_trainer *trainer, rs_checkpoint *checkpoint, const char *path,
                               bool *foreign, rs_error *error)
{
    int64_t format = 0;
    char here[MACHINE_TEXT], there[MACHINE_TEXT];
    RS_TRY(rs_checkpoint_get(checkpoint, "format", &format, sizeof format, error));
    if (format != state_format) {
        return RS_FAIL(
            error, RS_DATA,
            "%s has state format %lld, this program reads %lld; resume with the program that wrote it", path,
            (long long)format, (long long)state_format);
    }
    RS_TRY(check_config(trainer, checkpoint, path, error));
    RS_TRY(rs_checkpoint_get(checkpoint, "machine", there, sizeof there, error));
    machine_text(trainer, here);
    *foreign = memcmp(here, there, sizeof here) != 0;
    RS_TRY(rs_checkpoint_get(checkpoint, "position", &trainer->position, sizeof trainer->position, error));
    RS_TRY(rs_checkpoint_get(checkpoint, "epoch_sums", &trainer->sums, sizeof trainer->sums, error));
    RS_TRY(rs_checkpoint_get(checkpoint, "stop", &trainer->stop, sizeof trainer->stop, error));
    RS_TRY(rs_checkpoint_get(checkpoint, "gradient_steps", &trainer->gradient_steps,
                             sizeof trainer->gradient_steps, error));
    RS_TRY(check_position(trainer, path, error));
    return rs__visit_slots(trainer, load_slot, checkpoint, error);
}

rs_status rs_trainer_restore(rs_trainer *trainer, const char *checkpoint_path, rs_position *position,
                             bool *foreign, rs_error *error)
{
    rs_checkpoint *checkpoint = NULL;
    RS_TRY(rs_checkpoint_open(checkpoint_path, &checkpoint, error));
    rs_status status = load_sections(trainer, checkpoint, checkpoint_path, foreign, error);
    rs_checkpoint_close(checkpoint);
    RS_TRY(status);
    *position = trainer->position;
    return RS_OK;
}
