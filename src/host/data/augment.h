/* augment.h: random changes of an image's bytes, as torchvision makes them on a PIL image. */
#ifndef RS_DATA_AUGMENT_H
#define RS_DATA_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "rs/data_options.h"
#include "rs/status.h"

typedef struct rs__frame {
    int channels, height, width;
} rs__frame;

/* What is done to one image. */
typedef struct rs__change {
    bool flip;
    int down, right; /* rows and columns by which the window is moved over the image */
    double angle;    /* degrees, against the clock */
    double brightness, contrast, saturation;
} rs__change;

/* The change of a sample in an epoch: a function of these alone. */
rs__change rs__draw_change(const rs_augmentation *augmentation, uint64_t seed, int64_t epoch, int64_t sample);

/* USAGE when images of this frame can't be changed so: jitter is of 1 or 3 channels. */
rs_status rs__augment_check_frame(const rs_augmentation *augmentation, const rs__frame *frame,
                                  rs_error *error);

/* Changes image [C, H, W] in place, in the order of rs_augmentation; `scratch` is as large. */
void rs__apply_change(const rs_augmentation *augmentation, const rs__change *change, const rs__frame *frame,
                      uint8_t *image, uint8_t *scratch);

/* The single steps. All but those of colour write another image. */
void rs__flip(const rs__frame *frame, const uint8_t *in, uint8_t *out);
/* out[y][x] = in[y + down][x + right], black outside. */
void rs__shift(const rs__frame *frame, const uint8_t *in, int down, int right, uint8_t *out);
/* Nearest pixel, about the centre, black outside. */
void rs__rotate(const rs__frame *frame, const uint8_t *in, double degrees, uint8_t *out);
/* 1: as it is; 0: black, the mean grey, grey. Above 1 away from those. */
void rs__set_brightness(const rs__frame *frame, uint8_t *image, double factor);
void rs__set_contrast(const rs__frame *frame, uint8_t *image, double factor);
void rs__set_saturation(const rs__frame *frame, uint8_t *image, double factor);

#endif
