/* golden_inputs.h: the weights and images that the golden files start from, rebuilt from Philox alone: bit for
 * bit those of tests/golden/inputs.py, which says how they are made. */
#ifndef GOLDEN_INPUTS_H
#define GOLDEN_INPUTS_H

#include <stdint.h>

#include "rs/network.h"

#define GOLDEN_SEED UINT64_C(20220)
enum { GOLDEN_CLASSES = 10, GOLDEN_CHANNELS = 3, GOLDEN_SIDE = 32 };
enum { GOLDEN_IMAGE_BYTES = GOLDEN_CHANNELS * GOLDEN_SIDE * GOLDEN_SIDE };

/* Initial values of a parameter, canonical order; of a buffer 0 (mean) or 1 (variance). */
void golden_weights(const rs_parameter *parameter, float *values);

int32_t golden_label(uint64_t sample);
/* Bytes [C, H, W] of a sample; batch b of size n holds samples b n .. b n + n - 1. */
void golden_image(uint64_t sample, uint8_t bytes[GOLDEN_IMAGE_BYTES]);

#endif
