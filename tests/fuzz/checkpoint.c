/* checkpoint.c: RUN.h5.ckpt, read as resuming a run of a small network reads it.
 *
 * The trainer is made once; every input replaces its state, or is refused. */
#include "rs/checkpoint.h"

#include <string.h>

#include "fuzz.h"
#include "rs/host.h"
#include "rs/trainer.h"

enum { MOST_VALUES = 1 << 16 };

static rs_config config;
static rs_trainer *trainer;

/* What make_corpus.py trains. */
static const char *const settings = "network: mlp-fit-8x7\ndataset: function\nfunction: sin-log\n"
                                    "function-samples: 8\nfunction-valid: 4\nbatch-size: 4\nepochs: 2\n"
                                    "record: weights\ndevice: ref\nthreads: 1\n";

static void must(rs_status status, const rs_error *error)
{
    if (status) {
        (void)fprintf(stderr, "%s\n", error->text);
    }
    RS_ASSERT(status == RS_OK);
}

static void make_trainer(void)
{
    static rs_dataset *dataset;
    static rs_network *network;
    static rs_device *device;
    rs_error error;
    int index;
    rs_trainer_options options = {.config = &config};
    rs_config_default(&config);
    must(rs_config_read_yaml(&config, settings, "settings", &error), &error);
    must(rs_config_resolve(&config, &error), &error);
    const rs_dataset_request request = rs_configured_data(&config);
    must(rs_dataset_load(&request, &dataset, &error), &error);
    must(rs_configured_network(&config, dataset, &network, &error), &error);
    must(rs_backend_select("ref", &options.backend, &index, &error), &error);
    must(options.backend->open(rs_services(), index, 1, &device, &error), &error);
    options.dataset = dataset;
    options.network = network;
    options.device = device;
    must(rs_trainer_create(&options, &trainer, &error), &error);
}

static void read_sections(const char *path)
{
    static const char *const names[] = {"format", "config", "machine", "position", "", "parameters/0.bias"};
    static unsigned char bytes[MOST_VALUES];
    rs_checkpoint *checkpoint = NULL;
    rs_error error;
    rs_status status = rs_checkpoint_open(path, &checkpoint, &error);
    rs_fuzz_settle(status, &error);
    for (size_t i = 0; !status && i < sizeof names / sizeof names[0]; i++) {
        int64_t length = rs_checkpoint_length(checkpoint, names[i]);
        if (length >= 0 && length <= MOST_VALUES) {
            rs_fuzz_settle(rs_checkpoint_get(checkpoint, names[i], bytes, (size_t)length, &error), &error);
        }
        RS_ASSERT(rs_checkpoint_get(checkpoint, names[i], bytes, 3, &error) != RS_OK || length == 3);
    }
    rs_checkpoint_close(checkpoint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rs_position position = {0};
    rs_error error;
    bool foreign = false;
    if (!trainer) {
        rs_log_set_level(RS_LOG_ERROR);
        make_trainer();
    }
    const char *path = rs_fuzz_file(0, data, size);
    read_sections(path);
    rs_status status = rs_trainer_restore(trainer, path, &position, &foreign, &error);
    rs_fuzz_settle(status, &error);
    if (!status) {
        rs_fuzz_accept();
        RS_ASSERT(position.epochs >= 0 && position.epochs <= config.epochs && position.snapshots >= 0);
        RS_ASSERT(strlen(rs_trainer_reason(trainer)) > 0);
    }
    return 0;
}
