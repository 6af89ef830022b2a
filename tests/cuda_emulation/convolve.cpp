/* convolve.cpp: convolution as matrix products over patches of the image. Work is cut by the shape alone
 * and each sum has one owner, so that the number of threads changes no bit. */
#include <algorithm>
#include <cstring>

#include "standin.hpp"

namespace standin
{

namespace
{

enum : int64_t { CHUNK = 128, DEPTH = 256, TILE = 64 };

int64_t depth_of(const Convolution &v)
{
    return v.r * v.s * v.c;
}

/* A place of y and of the filter -> the pixel of x below it; false: in the padding. */
bool pixel_of(const Convolution &v, int64_t row, int64_t r, int64_t s, int64_t *pixel)
{
    int64_t q = row % v.q, p = row / v.q % v.p, n = row / (v.q * v.p);
    int64_t i = p * v.stride_h - v.pad_h + r * v.dilation_h, j = q * v.stride_w - v.pad_w + s * v.dilation_w;
    *pixel = (n * v.h + i) * v.w + j;
    return i >= 0 && i < v.h && j >= 0 && j < v.w;
}

/* One row of patches: what a row of y sees, in the filter's order. */
void patch_of(const Convolution &v, const float *x, int64_t row, float *patch)
{
    for (int64_t r = 0; r < v.r; r++) {
        for (int64_t s = 0; s < v.s; s++, patch += v.c) {
            int64_t pixel;
            if (pixel_of(v, row, r, s, &pixel)) {
                memcpy(patch, x + pixel * v.c, (size_t)v.c * sizeof *x);
            } else {
                memset(patch, 0, (size_t)v.c * sizeof *x);
            }
        }
    }
}

/* [k][depth] -> [depth][k]. */
std::vector<float> transposed(const float *filter, int64_t k, int64_t depth)
{
    std::vector<float> turned((size_t)(k * depth));
    for (int64_t i = 0; i < k; i++) {
        for (int64_t d = 0; d < depth; d++) {
            turned[(size_t)(d * k + i)] = filter[i * depth + d];
        }
    }
    return turned;
}

} // namespace

void convolve(const Convolution &v, const float *x, const float *filter, float *y, Blend blend)
{
    const int64_t rows = v.n * v.p * v.q, depth = depth_of(v);
    const std::vector<float> turned = transposed(filter, v.k, depth);
#pragma omp parallel for schedule(static)
    for (int64_t first = 0; first < rows; first += CHUNK) {
        const int64_t count = std::min<int64_t>(CHUNK, rows - first);
        std::vector<float> patches((size_t)(count * depth));
        std::vector<double> sums((size_t)(count * v.k), 0.0);
        for (int64_t i = 0; i < count; i++) {
            patch_of(v, x, first + i, patches.data() + i * depth);
        }
        multiply_add({count, v.k, depth, patches.data(), depth, 1, turned.data(), v.k, 1, sums.data(), v.k});
        for (int64_t i = 0; i < count * v.k; i++) {
            blend.put(y + first * v.k + i, sums[(size_t)i]);
        }
    }
}

/* One sample of dx: every row of dy spread over the pixels that it saw. */
static void spread_sample(const Convolution &v, const float *filter, const float *dy, int64_t n, double *sums)
{
    const int64_t depth = depth_of(v), rows = v.p * v.q;
    std::vector<double> patches;
    for (int64_t first = 0; first < rows; first += CHUNK) {
        const int64_t count = std::min<int64_t>(CHUNK, rows - first), row = n * rows + first;
        patches.assign((size_t)(count * depth), 0.0);
        multiply_add({count, depth, v.k, dy + row * v.k, v.k, 1, filter, depth, 1, patches.data(), depth});
        for (int64_t i = 0; i < count; i++) {
            const double *patch = patches.data() + i * depth;
            for (int64_t t = 0; t < v.r * v.s; t++, patch += v.c) {
                int64_t pixel;
                if (pixel_of(v, row + i, t / v.s, t % v.s, &pixel)) {
                    double *to = sums + (pixel - n * v.h * v.w) * v.c;
                    for (int64_t c = 0; c < v.c; c++) {
                        to[c] += patch[c];
                    }
                }
            }
        }
    }
}

void convolve_data(const Convolution &v, const float *filter, const float *dy, float *dx, Blend blend)
{
    const int64_t size = v.h * v.w * v.c;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < v.n; n++) {
        std::vector<double> sums((size_t)size, 0.0);
        spread_sample(v, filter, dy, n, sums.data());
        for (int64_t i = 0; i < size; i++) {
            blend.put(dx + n * size + i, sums[(size_t)i]);
        }
    }
}

void convolve_filter(const Convolution &v, const float *x, const float *dy, float *dfilter, Blend blend)
{
    const int64_t rows = v.n * v.p * v.q, depth = depth_of(v);
    std::vector<double> sums((size_t)(v.k * depth), 0.0);
    std::vector<float> patches((size_t)(DEPTH * depth));
    for (int64_t first = 0; first < rows; first += DEPTH) {
        const int64_t count = std::min<int64_t>(DEPTH, rows - first);
#pragma omp parallel for schedule(static)
        for (int64_t i = 0; i < count; i++) {
            patch_of(v, x, first + i, patches.data() + i * depth);
        }
#pragma omp parallel for schedule(static)
        for (int64_t j = 0; j < depth; j += TILE) {
            multiply_add({v.k, std::min<int64_t>(TILE, depth - j), count, dy + first * v.k, 1, v.k,
                          patches.data() + j, depth, 1, sums.data() + j, depth});
        }
    }
    for (int64_t i = 0; i < v.k * depth; i++) {
        blend.put(dfilter + i, sums[(size_t)i]);
    }
}

} // namespace standin
