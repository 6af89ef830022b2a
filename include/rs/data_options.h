/* rs/data_options.h: what --normalization and --augment ask for. */
#ifndef RS_DATA_OPTIONS_H
#define RS_DATA_OPTIONS_H

#include <stdbool.h>

#include "rs/status.h"

#define RS_MAX_CHANNELS 4

/* --normalization: "M/S" for all channels, "M/S,M/S,M/S" one a channel, "train": mean and (population) standard
 * deviation of the training images' bytes / 255 in each channel, summed in double; "": the data set's own. */
typedef struct rs_normalization {
    bool of_training;
    int count; /* pairs; 0: none */
    double mean[RS_MAX_CHANNELS], std[RS_MAX_CHANNELS];
} rs_normalization;
/* USAGE when it is no such text. */
rs_status rs_normalization_parse(const char *text, rs_normalization *normalization, rs_error *error);

/* --augment: random changes of a training image's bytes, each as torchvision does it to a PIL image, in this order. */
typedef struct rs_augmentation {
    bool flip; /* left to right, every second time */
    int crop;  /* a window of the image's size, anywhere on the image with so many black pixels around it */
    double rotate; /* by an angle uniform in +-rotate degrees, nearest pixel, black outside */
    double jitter; /* factors uniform in 1 +- jitter for brightness, then contrast, then saturation */
} rs_augmentation;
/* "flip,crop:4,rotate:15,jitter:0.2" or some of these, or "". USAGE when it is no such text. */
rs_status rs_augmentation_parse(const char *text, rs_augmentation *augmentation, rs_error *error);
bool rs_augmentation_any(const rs_augmentation *augmentation);

#endif
