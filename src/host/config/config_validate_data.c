/* config_validate_data.c: options of data that would have no effect, or exclude each other. */
#include <inttypes.h>
#include <string.h>

#include "validate.h"

static rs_status needs_function(bool set, const char *option, const rs_config *c, rs_error *error)
{
    return set ? RS_FAIL(error, RS_USAGE, "%s is of --dataset function; the data set is %s", option,
                         c->dataset)
               : RS_OK;
}

static rs_status needs_images(bool set, const char *option, rs_error *error)
{
    return set ? RS_FAIL(error, RS_USAGE, "%s is of images and their labels; --dataset function has numbers",
                         option)
               : RS_OK;
}

static rs_status validate_function(const rs_config *c, rs_error *error)
{
    RS_TRY(needs_images(c->random_labels > 0.0, "--random-labels", error));
    RS_TRY(needs_images(c->resize > 0, "--resize", error));
    RS_TRY(needs_images(c->normalization[0] != '\0', "--normalization", error));
    RS_TRY(needs_images(c->augment[0] != '\0', "--augment", error));
    if (c->function[0] == '\0') {
        return RS_FAIL(error, RS_USAGE, "--dataset function needs --function sin-log, sinc or sinc-log");
    }
    if (!(c->function_from < c->function_to)) {
        return RS_FAIL(error, RS_USAGE, "--function-from %g must be below --function-to %g", c->function_from,
                       c->function_to);
    }
    if (strstr(c->function, "log") && !(c->function_from > -1.0)) {
        return RS_FAIL(error, RS_USAGE, "--function %s has ln(x + 1): --function-from must be above -1",
                       c->function);
    }
    return RS_OK;
}

static rs_status validate_images(const rs_config *c, const rs_config *d, rs_error *error)
{
    RS_TRY(needs_function(c->function[0] != '\0', "--function", c, error));
    RS_TRY(needs_function(c->function_from != d->function_from, "--function-from", c, error));
    RS_TRY(needs_function(c->function_to != d->function_to, "--function-to", c, error));
    RS_TRY(needs_function(c->function_samples != d->function_samples, "--function-samples", c, error));
    return needs_function(c->function_valid != d->function_valid, "--function-valid", c, error);
}

rs_status rs__validate_data(const rs_config *c, const rs_config *d, rs_error *error)
{
    if (c->swap_splits && c->valid_split == 0) {
        return RS_FAIL(error, RS_USAGE, "--swap-splits needs a --valid-split to swap with");
    }
    if (c->valid_split > 0 && c->train_limit > 0 && c->valid_split >= c->train_limit) {
        return RS_FAIL(error, RS_USAGE,
                       "--valid-split %" PRId64 " would take all of --train-limit %" PRId64
                       "; give a smaller --valid-split, %" PRId64 " for example (`run`: --set valid-split=N)",
                       c->valid_split, c->train_limit, c->train_limit > 4 ? c->train_limit / 5 : 1);
    }
    if (c->seed_augment >= 0 && c->augment[0] == '\0') {
        return RS_FAIL(error, RS_USAGE, "--seed-augment has no effect without --augment");
    }
    return strcmp(c->dataset, "function") == 0 ? validate_function(c, error) : validate_images(c, d, error);
}
