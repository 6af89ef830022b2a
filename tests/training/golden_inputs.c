/* golden_inputs.c: see golden_inputs.h and tests/golden/inputs.py, operation by operation the same. */
#include "golden_inputs.h"

#include <math.h>

#include "rs/random.h"

enum { CELL = 8, GRID = GOLDEN_SIDE / CELL + 1, CELLS = GOLDEN_CHANNELS * GRID * GRID };

static uint32_t word_at(const char *stream, uint64_t index)
{
    return rs_philox_at(GOLDEN_SEED, rs_hash64(stream), index / 4).word[index % 4];
}

/* Of a weight of two or more dimensions; biases and batch norm use 0.1. */
static double bound_of(const rs_parameter *parameter)
{
    const int64_t *d = parameter->shape.dim;
    switch (parameter->shape.rank) {
    case 4:
        return sqrt(6.0 / (double)(d[0] * d[2] * d[3]));
    case 2:
        return 1.0 / sqrt((double)d[1]);
    default:
        return 0.1;
    }
}

void golden_weights(const rs_parameter *parameter, float *values)
{
    bool running = parameter->role == RS_ROLE_RUNNING_MEAN || parameter->role == RS_ROLE_RUNNING_VARIANCE;
    bool batch_norm_weight = parameter->role == RS_ROLE_WEIGHT && parameter->shape.rank == 1;
    uint64_t stream = rs_hash64(parameter->name);
    double bound = bound_of(parameter);
    for (int64_t i = 0; i < parameter->count; i++) {
        uint32_t word = rs_philox_at(GOLDEN_SEED, stream, (uint64_t)i / 4).word[i % 4];
        double part = (2.0 * (double)rs_unit_float(word) - 1.0) * bound;
        values[i] = running ? (parameter->role == RS_ROLE_RUNNING_VARIANCE ? 1.0F : 0.0F)
                            : (float)(batch_norm_weight ? 1.0 + part : part);
    }
}

int32_t golden_label(uint64_t sample)
{
    return (int32_t)(((uint64_t)word_at("labels", sample) * GOLDEN_CLASSES) >> 32);
}

/* Pixel y, x of a grid enlarged by integer bilinear interpolation. */
static int enlarge(const int grid[GRID * GRID], int y, int x)
{
    int row = y / CELL, column = x / CELL, down = y % CELL, right = x % CELL;
    const int *above = grid + row * GRID + column, *below = above + GRID;
    int left_side = (CELL - down) * above[0] + down * below[0];
    int right_side = (CELL - down) * above[1] + down * below[1];
    return ((CELL - right) * left_side + right * right_side) / (CELL * CELL);
}

void golden_image(uint64_t sample, uint8_t bytes[GOLDEN_IMAGE_BYTES])
{
    int grid[CELLS];
    uint64_t class_cells = (uint64_t)golden_label(sample) * CELLS;
    for (int i = 0; i < CELLS; i++) {
        int of_class = (int)(word_at("classes", class_cells + (uint64_t)i) & 0xFF);
        int of_sample = (int)(word_at("samples", sample * CELLS + (uint64_t)i) & 0xFF);
        grid[i] = (of_class + 3 * of_sample) / 4;
    }
    for (int i = 0; i < GOLDEN_IMAGE_BYTES; i++) {
        int channel = i / (GOLDEN_SIDE * GOLDEN_SIDE), y = i / GOLDEN_SIDE % GOLDEN_SIDE, x = i % GOLDEN_SIDE;
        int noise = (int)(word_at("noise", sample * GOLDEN_IMAGE_BYTES + (uint64_t)i) & 0xFF);
        bytes[i] = (uint8_t)((7 * enlarge(grid + channel * GRID * GRID, y, x) + noise) / 8);
    }
}
