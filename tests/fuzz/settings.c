/* settings.c: the configuration that records and checkpoints hold as YAML. What is accepted reads back from what is written
 * of it. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "rs/config.h"
#include "rs/host.h"

static void read_back(const rs_config *config)
{
    rs_config again;
    rs_error error;
    char *text = NULL, name[256], path[RS_TEXT_MAX + 64], names[512];
    RS_ASSERT(rs_config_yaml(config, &text, &error) == RS_OK);
    rs_config_default(&again);
    RS_ASSERT(rs_config_read_yaml(&again, text, "written", &error) == RS_OK);
    RS_ASSERT(rs_config_differences(config, &again, names, sizeof names) == 0);
    rs_free(text);
    rs_config_run_name(config, name, sizeof name);
    rs_config_output_path(config, path, sizeof path);
    (void)rs_config_needs_end(config);
    (void)rs_config_snapshot_epoch(config, 3);
    (void)rs_config_snapshot_step(config, 1000);
    for (int what = 0; what < RS_RECORDABLES; what++) {
        (void)rs_config_records(config, (rs_recordable)what, "layer4.2.conv1.weight");
        (void)rs_config_records(config, (rs_recordable)what, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rs_config config;
    rs_error error;
    char *text = malloc(size + 1);
    RS_ASSERT(text);
    memcpy(text, data, size);
    text[size] = '\0';
    rs_config_default(&config);
    rs_status status = rs_config_read_yaml(&config, text, "settings.yaml", &error);
    free(text);
    rs_fuzz_settle(status, &error);
    if (!status) {
        rs_fuzz_accept();
        rs_fuzz_settle(rs_config_validate(&config, &error), &error);
        read_back(&config);
    }
    return 0;
}
