/* data_options.c: the texts of --normalization and --augment; see rs/data_options.h. */
#include <math.h>
#include <string.h>

#include "rs/data_options.h"
#include "rs/text.h"

enum { WORD = 1024, MOST_CROP = 256 };

/* "M/S" */
static bool read_pair(char *word, double *mean, double *std)
{
    char *slash = strchr(word, '/');
    if (!slash) {
        return false;
    }
    *slash = '\0';
    return rs_text_real(word, mean) && rs_text_real(slash + 1, std) && isfinite(*mean) &&
           isfinite((float)*mean) && (float)*std > 0.0F && isfinite((float)*std);
}

rs_status rs_normalization_parse(const char *text, rs_normalization *normalization, rs_error *error)
{
    char word[WORD];
    const char *at = text;
    *normalization = (rs_normalization){.of_training = strcmp(text, "train") == 0};
    if (normalization->of_training) {
        return RS_OK;
    }
    while (rs_text_next_word(&at, ',', word, sizeof word)) {
        int i = normalization->count++;
        if (i == RS_MAX_CHANNELS) {
            return RS_FAIL(error, RS_USAGE, "more than %d pairs of mean and standard deviation",
                           RS_MAX_CHANNELS);
        }
        if (!read_pair(word, &normalization->mean[i], &normalization->std[i])) {
            return RS_FAIL(
                error, RS_USAGE,
                "not train, and no mean and positive standard deviation with a slash, as in 0.5/0.5");
        }
    }
    return *text && normalization->count == 0
               ? RS_FAIL(error, RS_USAGE, "names no mean and standard deviation, as in 0.5/0.5")
               : RS_OK;
}

/* "NAME:NUMBER" with a number in (0, most]. */
static bool read_amount(const char *word, const char *name, double most, double *amount)
{
    size_t length = strlen(name);
    return strncmp(word, name, length) == 0 && word[length] == ':' &&
           rs_text_real(word + length + 1, amount) && *amount > 0.0 && *amount <= most;
}

/* One part of the list; false when it is none, or the second of its kind. */
static bool read_change(const char *word, rs_augmentation *into)
{
    double amount;
    if (strcmp(word, "flip") == 0 && !into->flip) {
        into->flip = true;
    } else if (read_amount(word, "crop", MOST_CROP, &amount) && amount == floor(amount) && !into->crop) {
        into->crop = (int)amount;
    } else if (into->rotate == 0.0 && read_amount(word, "rotate", 180.0, &amount)) {
        into->rotate = amount;
    } else if (into->jitter == 0.0 && read_amount(word, "jitter", 1.0, &amount)) {
        into->jitter = amount;
    } else {
        return false;
    }
    return true;
}

rs_status rs_augmentation_parse(const char *text, rs_augmentation *augmentation, rs_error *error)
{
    char word[WORD];
    const char *at = text;
    bool any = false;
    *augmentation = (rs_augmentation){0};
    for (; rs_text_next_word(&at, ',', word, sizeof word); any = true) {
        if (!read_change(word, augmentation)) {
            return RS_FAIL(
                error, RS_USAGE,
                "\"%s\": each at most once: flip, crop:PIXELS (1 to %d), rotate:DEGREES (up to 180), "
                "jitter:SHARE (up to 1)",
                word, MOST_CROP);
        }
    }
    return *text && !any ? RS_FAIL(error, RS_USAGE, "names no change of an image, as in flip,crop:4") : RS_OK;
}

bool rs_augmentation_any(const rs_augmentation *augmentation)
{
    return augmentation->flip || augmentation->crop > 0 || augmentation->rotate > 0.0 ||
           augmentation->jitter > 0.0;
}
