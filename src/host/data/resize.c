/* resize.c: bilinear resize to the bit as Pillow does it, which torchvision's Resize calls for PIL images.
 *
 * Each output pixel is a weighted mean of the input pixels under a triangle whose half width is the scale (at
 * least one pixel). Weights are normalised in double and rounded to 22 fractional bits; sums are integers,
 * begin at one half, are shifted down and clipped. Rows first, rounded to bytes, then columns. */
#include "resize.h"

#include <math.h>
#include <stddef.h>

#include "rs/dataset.h"
#include "rs/host.h"
#include "rs/tensor.h"

enum { WEIGHT_BITS = 32 - 8 - 2, LARGEST_SIDE = 1 << 14 };

/* Weights of one direction: output i is made of inputs first[i] .. first[i] + count[i] - 1. */
typedef struct axis {
    int in, out, most; /* most: weights that any output has */
    int *first, *count;
    int32_t *weights; /* [out, most] */
} axis;

struct rs__resizer {
    axis across, down;
    uint8_t *rows; /* [height, size], between the passes */
};

static double triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

static void plan_output(axis *plan, int i, double scale, double stretch, double *real)
{
    double center = (i + 0.5) * scale, sum = 0.0;
    int first = (int)(center - stretch + 0.5), end = (int)(center + stretch + 0.5);
    first = first < 0 ? 0 : first;
    end = end > plan->in ? plan->in : end;
    for (int k = 0; k < end - first; k++) {
        real[k] = triangle((k + first - center + 0.5) * (1.0 / stretch));
        sum += real[k];
    }
    for (int k = 0; k < end - first; k++) {
        double weight = sum != 0.0 ? real[k] / sum : real[k];
        plan->weights[(size_t)i * (size_t)plan->most + (size_t)k] =
            (int32_t)(0.5 + weight * (1 << WEIGHT_BITS));
    }
    plan->first[i] = first;
    plan->count[i] = end - first;
}

static void free_axis(axis *plan)
{
    rs_free(plan->first);
    rs_free(plan->count);
    rs_free(plan->weights);
}

static rs_status plan_axis(axis *plan, int in, int out, rs_error *error)
{
    double scale = (double)in / out, stretch = scale < 1.0 ? 1.0 : scale;
    plan->in = in;
    plan->out = out;
    plan->most = (int)ceil(stretch) * 2 + 1;
    plan->first = rs_alloc_array((size_t)out, sizeof *plan->first);
    plan->count = rs_alloc_array((size_t)out, sizeof *plan->count);
    plan->weights = rs_alloc_array((size_t)out * (size_t)plan->most, sizeof *plan->weights);
    double *real = rs_alloc_array((size_t)plan->most, sizeof *real);
    if (!plan->first || !plan->count || !plan->weights || !real) {
        rs_free(real);
        return RS_FAIL(error, RS_MEMORY, "no memory to resize images to %d", out);
    }
    for (int i = 0; i < out; i++) {
        plan_output(plan, i, scale, stretch, real);
    }
    rs_free(real);
    return RS_OK;
}

rs_status rs__resizer_create(int height, int width, int size, rs__resizer **resizer, rs_error *error)
{
    if (height < 1 || width < 1 || size < 1 || height > LARGEST_SIDE || width > LARGEST_SIDE ||
        size > LARGEST_SIDE) {
        return RS_FAIL(error, RS_USAGE, "can't resize %d x %d to %d: sides are 1 to %d", height, width, size,
                       LARGEST_SIDE);
    }
    rs__resizer *made = rs_alloc_zero(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory to resize images to %d", size);
    }
    made->rows = rs_alloc_array((size_t)height, (size_t)size);
    rs_status status =
        made->rows ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory to resize images to %d", size);
    if (status == RS_OK) {
        status = plan_axis(&made->across, width, size, error);
    }
    if (status == RS_OK) {
        status = plan_axis(&made->down, height, size, error);
    }
    if (status != RS_OK) {
        rs__resizer_destroy(made);
        return status;
    }
    *resizer = made;
    return RS_OK;
}

void rs__resizer_destroy(rs__resizer *resizer)
{
    if (resizer) {
        free_axis(&resizer->across);
        free_axis(&resizer->down);
        rs_free(resizer->rows);
        rs_free(resizer);
    }
}

/* Output i of an axis from input pixels `step` bytes apart. */
static uint8_t weigh(const axis *plan, int i, const uint8_t *in, size_t step)
{
    const int32_t *weight = plan->weights + (size_t)i * (size_t)plan->most;
    const uint8_t *pixel = in + (size_t)plan->first[i] * step;
    int32_t sum = 1 << (WEIGHT_BITS - 1);
    for (int k = 0; k < plan->count[i]; k++) {
        sum += pixel[(size_t)k * step] * weight[k];
    }
    sum >>= WEIGHT_BITS; /* weights are not negative, so neither is the sum */
    return sum > 255 ? 255 : (uint8_t)sum;
}

void rs__resizer_apply(const rs__resizer *resizer, const uint8_t *in, uint8_t *out)
{
    size_t width = (size_t)resizer->across.in, size = (size_t)resizer->across.out;
    for (size_t y = 0; y < (size_t)resizer->down.in; y++) {
        for (size_t x = 0; x < size; x++) {
            resizer->rows[y * size + x] = weigh(&resizer->across, (int)x, in + y * width, 1);
        }
    }
    for (size_t y = 0; y < size; y++) {
        for (size_t x = 0; x < size; x++) {
            out[y * size + x] = weigh(&resizer->down, (int)y, resizer->rows + x, size);
        }
    }
}

rs_status rs_resize_bytes(const uint8_t *in, int height, int width, uint8_t *out, int size, rs_error *error)
{
    rs__resizer *resizer = NULL;
    RS_TRY(rs__resizer_create(height, width, size, &resizer, error));
    rs__resizer_apply(resizer, in, out);
    rs__resizer_destroy(resizer);
    return RS_OK;
}
