/* normalize.c: the mean and standard deviation that a network's input is normalised with. */
#include <math.h>
#include <string.h>

#include "prepare.h"
#include "rs/host.h"

enum { BYTES = 256 };

/* How often each byte is in one channel of the training images. */
static void count_bytes(const rs__part *part, int channel, int channels, size_t plane, int64_t counts[BYTES])
{
    memset(counts, 0, BYTES * sizeof *counts);
    for (int64_t i = 0; i < part->count; i++) {
        const uint8_t *bytes = part->images + ((size_t)i * (size_t)channels + (size_t)channel) * plane;
        for (size_t k = 0; k < plane; k++) {
            counts[bytes[k]]++;
        }
    }
}

static void mean_and_std(const int64_t counts[BYTES], double *mean, double *std)
{
    double sum = 0.0, all = 0.0, squares = 0.0;
    for (int b = 0; b < BYTES; b++) {
        all += (double)counts[b];
        sum += (double)counts[b] * b;
    }
    *mean = sum / all / 255.0;
    for (int b = 0; b < BYTES; b++) {
        double distance = b / 255.0 - *mean;
        squares += (double)counts[b] * distance * distance;
    }
    *std = sqrt(squares / all);
}

static rs_status measure(const rs__set *set, size_t image_bytes, rs__loaded *loaded, rs_error *error)
{
    for (int c = 0; c < set->channels; c++) {
        int64_t counts[BYTES];
        double mean, std;
        count_bytes(&loaded->train, c, set->channels, image_bytes / (size_t)set->channels, counts);
        mean_and_std(counts, &mean, &std);
        if (!(std > 0.0)) {
            return RS_FAIL(
                error, RS_USAGE,
                "normalization train: channel %d of the training images of %s is the same everywhere", c,
                set->name);
        }
        loaded->mean[c] = (float)mean;
        loaded->std[c] = (float)std;
    }
    return RS_OK;
}

static rs_status take_given(const rs__set *set, const rs_normalization *given, rs__loaded *loaded,
                            rs_error *error)
{
    if (given->count > 1 && given->count != set->channels) {
        return RS_FAIL(error, RS_USAGE, "normalization: %d pairs of M/S, but images of %s have %d channel%s",
                       given->count, set->name, set->channels, set->channels == 1 ? "" : "s");
    }
    for (int c = 0; c < set->channels; c++) {
        int pair = given->count == 1 ? 0 : c;
        loaded->mean[c] = given->count ? (float)given->mean[pair] : set->mean;
        loaded->std[c] = given->count ? (float)given->std[pair] : set->std;
    }
    return RS_OK;
}

rs_status rs__normalize(const rs__set *set, const rs_dataset_request *request, size_t image_bytes,
                        rs__loaded *loaded, rs_error *error)
{
    rs_normalization given;
    RS_TRY(rs_normalization_parse(request->normalization ? request->normalization : "", &given, error));
    if (set->format == RS__FORMAT_FUNCTION && (given.count || given.of_training)) {
        return RS_FAIL(error, RS_USAGE, "normalization is of images; the data set %s has numbers", set->name);
    }
    return given.of_training ? measure(set, image_bytes, loaded, error)
                             : take_given(set, &given, loaded, error);
}
