/* configured_data.c: which data a configuration asks for, and how its training images are changed. */
#include "rs/trainer.h"

rs_dataset_request rs_configured_data(const rs_config *config)
{
    return (rs_dataset_request){.name = config->dataset,
                                .directory = config->data_dir,
                                .download = !config->no_download,
                                .train_limit = config->train_limit,
                                .test_limit = config->test_limit,
                                .resize = (int)config->resize,
                                .split_seed = (uint64_t)config->seed_split,
                                .valid_split = config->valid_split,
                                .swap_splits = config->swap_splits,
                                .random_labels = config->random_labels,
                                .normalization = config->normalization,
                                .function = config->function,
                                .function_from = config->function_from,
                                .function_to = config->function_to,
                                .function_samples = config->function_samples,
                                .function_valid = config->function_valid};
}

rs_status rs_configured_augmentation(const rs_config *config, rs_loader_options *options, rs_error *error)
{
    options->augment_seed = (uint64_t)(config->seed_augment < 0 ? config->seed : config->seed_augment);
    return rs_augmentation_parse(config->augment, &options->augment, error);
}
