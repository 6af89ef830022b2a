/* gemm.cpp: a matrix product fast enough to train small networks with: tiles of 6 by 32 in vector
 * registers. Sums of at most 256 products are in float, as on tensor cores and in blocked loops; those are
 * added up in double. */
#include <algorithm>
#include <cstring>

#include "standin.hpp"

namespace standin
{

namespace
{

typedef float Vector __attribute__((vector_size(64)));
enum : int64_t { ROWS = 6, LANES = 16, COLUMNS = 2 * LANES, DEPTH = 256 };

struct alignas(64) Panel {
    Vector of[DEPTH][2]; /* COLUMNS columns of b */
};

/* Columns from j on of rows d0 .. d0 + depth - 1 of b, zeros past its end. */
void pack(const Product &x, int64_t d0, int64_t depth, int64_t j, Panel *panel)
{
    int64_t columns = std::min<int64_t>(COLUMNS, x.n - j);
    for (int64_t d = 0; d < depth; d++) {
        float row[COLUMNS] = {0};
        const float *from = x.b + (d0 + d) * x.bd + j * x.bj;
        for (int64_t i = 0; i < columns; i++) {
            row[i] = from[i * x.bj];
        }
        memcpy(panel->of[d], row, sizeof row);
    }
}

template <int rows>
__attribute__((always_inline)) inline void tile(const float *a, int64_t ai, int64_t ad, const Panel &panel,
                                                int64_t depth, Vector (*out)[2])
{
    Vector sum[rows][2];
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
        sum[i][0] = sum[i][1] = Vector{};
    }
    for (int64_t d = 0; d < depth; d++) {
        const Vector left = panel.of[d][0], right = panel.of[d][1];
#pragma GCC unroll 6
        for (int i = 0; i < rows; i++) {
            const float factor = a[i * ai + d * ad];
            sum[i][0] += left * factor;
            sum[i][1] += right * factor;
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
        out[i][0] = sum[i][0];
        out[i][1] = sum[i][1];
    }
}

/* All rows of c, COLUMNS columns from j on. */
__attribute__((always_inline)) inline void multiply_rows(const Product &x, const Panel &panel, int64_t d0,
                                                         int64_t depth, int64_t j)
{
    int64_t columns = std::min<int64_t>(COLUMNS, x.n - j);
    Vector out[ROWS][2];
    for (int64_t i = 0; i < x.m;) {
        const float *a = x.a + i * x.ai + d0 * x.ad;
        int64_t rows = x.m - i >= ROWS ? (int64_t)ROWS : 1;
        if (rows == ROWS) {
            tile<ROWS>(a, x.ai, x.ad, panel, depth, out);
        } else {
            tile<1>(a, x.ai, x.ad, panel, depth, out);
        }
        for (int64_t r = 0; r < rows; r++) {
            double *c = x.c + (i + r) * x.ldc + j;
            for (int64_t col = 0; col < columns; col++) {
                c[col] += (double)out[r][col / LANES][col % LANES];
            }
        }
        i += rows;
    }
}

using Multiply = void(const Product &, const Panel &, int64_t, int64_t, int64_t);

void multiply_plain(const Product &x, const Panel &panel, int64_t d0, int64_t depth, int64_t j)
{
    multiply_rows(x, panel, d0, depth, j);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) void multiply_avx2(const Product &x, const Panel &panel, int64_t d0,
                                                       int64_t depth, int64_t j)
{
    multiply_rows(x, panel, d0, depth, j);
}

__attribute__((target("avx512f,avx2,fma"))) void multiply_avx512(const Product &x, const Panel &panel,
                                                                 int64_t d0, int64_t depth, int64_t j)
{
    multiply_rows(x, panel, d0, depth, j);
}
#endif

Multiply *choose()
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        return multiply_avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return multiply_avx2;
    }
#endif
    return multiply_plain;
}

} // namespace

void multiply_add(const Product &x)
{
    static Multiply *const multiply_panel = choose();
    auto panel = std::make_unique<Panel>();
    for (int64_t j = 0; j < x.n; j += COLUMNS) {
        for (int64_t d = 0; d < x.depth; d += DEPTH) {
            int64_t depth = std::min<int64_t>(DEPTH, x.depth - d);
            pack(x, d, depth, j, panel.get());
            multiply_panel(x, *panel, d, depth, j);
        }
    }
}

float to_tf32(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7f800000u) != 0x7f800000u) {
        bits = (bits + 0x1000u) & ~0x1fffu;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

std::vector<float> rounded_copy(const float *values, int64_t count, bool wanted)
{
    std::vector<float> copy;
    if (wanted) {
        copy.assign(values, values + count);
        std::transform(copy.begin(), copy.end(), copy.begin(), to_tf32);
    }
    return copy;
}

} // namespace standin
