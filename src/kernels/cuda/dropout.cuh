/* dropout.cuh: dropout; launches in dropout.cu.
 *
 * A thread takes one draw (common/dropout.h): four neighbouring elements of a sample, at once where samples are
 * multiples of four floats. */
#ifndef RS_KERNELS_CUDA_DROPOUT_CUH
#define RS_KERNELS_CUDA_DROPOUT_CUH

#include "device.cuh"

/* What the launcher found out. */
typedef struct rs_cu_dropout_cut {
    int64_t draws, sample_draws; /* of all samples, of one */
    float scale;
} rs_cu_dropout_cut;

/* Which sample a draw belongs to: a division, of 32 bits wherever these are enough. */
RS_CU_INLINE int64_t rs_cu_dropout_sample(const rs_cu_dropout_cut &cut, int64_t draw)
{
    return cut.draws <= (int64_t)UINT32_MAX ? (int64_t)((uint32_t)draw / (uint32_t)cut.sample_draws)
                                            : draw / cut.sample_draws;
}

template <int W>
RS_CU_INLINE void rs_cu_dropout_put(const rs_cu_dropout &d, const rs_cu_dropout_cut &cut, int64_t at,
                                    uint32_t keep)
{
    rs_cu_lanes<W> value = rs_cu_load<W>(d.x + at);
    RS_CU_UNROLL
    for (int e = 0; e < W; e++) {
        value.v[e] = keep >> e & 1u ? value.v[e] * cut.scale : 0.0f;
    }
    rs_cu_put<W>(d.y + at, value, d.pass);
}

template <int W> RS_CU_INLINE void rs_cu_dropout_of(const rs_cu_dropout &d, const rs_cu_dropout_cut &cut)
{
    const int64_t draw = (int64_t)blockIdx.x * RS_CU_THREADS + (int64_t)threadIdx.x;
    if (draw >= cut.draws) {
        return;
    }
    const int64_t sample = rs_cu_dropout_sample(cut, draw), block = draw - sample * cut.sample_draws,
                  at = sample * d.sample_floats + 4 * block;
    const uint32_t keep = rs_dropout_keep(&d.rule, (uint32_t)block, d.ids[sample], *d.epoch);
    if constexpr (W == 4) {
        rs_cu_dropout_put<4>(d, cut, at, keep);
    } else {
        for (int e = 0; e < 4 && 4 * block + e < d.sample_floats; e++) {
            rs_cu_dropout_put<1>(d, cut, at + e, keep >> e);
        }
    }
}

RS_CU_GLOBAL rs_cu_k_dropout_4(rs_cu_dropout d, rs_cu_dropout_cut cut)
{
    rs_cu_dropout_of<4>(d, cut);
}

RS_CU_GLOBAL rs_cu_k_dropout_1(rs_cu_dropout d, rs_cu_dropout_cut cut)
{
    rs_cu_dropout_of<1>(d, cut);
}

#endif
