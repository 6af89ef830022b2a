/* order.cuh: weights and activations to canonical order and back; launches in order.cu.
 *
 * Per outer index a matrix [positions][stride] is transposed to [inner][positions] in tiles that lie in
 * shared memory, so that both sides are read and written along their rows. A tile is as many positions as
 * there are, at most 32, by so many channels that it holds about 1024 elements: a row of 9 positions is no
 * waste. */
#ifndef RS_KERNELS_CUDA_ORDER_CUH
#define RS_KERNELS_CUDA_ORDER_CUH

#include "device.cuh"

enum { RS_CU_TURN = 1536 }; /* elements of a tile with its padding, at most */

/* block = (outer * position_tiles + position tile) * channel_tiles + channel tile. */
typedef struct rs_cu_turn {
    int64_t positions, inner, stride;
    int64_t position_tiles, channel_tiles;
    int tile_positions, tile_channels;
} rs_cu_turn;

/* A block's tile; `pitch` is odd, so that neither rows nor columns hit one bank alone. */
struct rs_cu_turn_tile {
    int64_t outer, position, channel;
    int positions, channels, pitch;
};

RS_CU_INLINE int rs_cu_rest(int64_t size, int64_t first, int most)
{
    return size <= first ? 0 : size - first < most ? (int)(size - first) : most;
}

/* channels: how many the tile has of `channels` in all. */
RS_CU_INLINE rs_cu_turn_tile rs_cu_turn_tile_of(const rs_cu_turn &turn, int64_t channels)
{
    const unsigned strips = (unsigned)turn.channel_tiles, rest = blockIdx.x / strips;
    rs_cu_turn_tile tile;
    tile.channel = (int64_t)(blockIdx.x % strips) * turn.tile_channels;
    tile.position = (int64_t)(rest % (unsigned)turn.position_tiles) * turn.tile_positions;
    tile.outer = rest / (unsigned)turn.position_tiles;
    tile.positions = rs_cu_rest(turn.positions, tile.position, turn.tile_positions);
    tile.channels = rs_cu_rest(channels, tile.channel, turn.tile_channels);
    tile.pitch = turn.tile_positions | 1;
    return tile;
}

/* What becomes of an element on its way. */
struct rs_cu_as_it_is {
    template <class T> __device__ __forceinline__ T operator()(T value) const
    {
        return value;
    }
};

struct rs_cu_mean_of_sum {
    double divisor;
    __device__ __forceinline__ float operator()(double sum) const
    {
        return (float)(sum / divisor);
    }
};

template <class In, class Out, class Op>
RS_CU_INLINE void rs_cu_to_canonical_of(const rs_cu_turn &turn, const In *inside, Out *canonical,
                                        const Op &op)
{
    RS_CU_SHARED(In, shared, RS_CU_TURN);
    const rs_cu_turn_tile tile = rs_cu_turn_tile_of(turn, turn.inner);
    const int count = tile.positions * tile.channels;
    const In *from = inside + (tile.outer * turn.positions + tile.position) * turn.stride + tile.channel;
    for (int i = (int)threadIdx.x; i < count; i += RS_CU_THREADS) {
        const int p = i / tile.channels, c = i % tile.channels;
        shared[c * tile.pitch + p] = from[p * turn.stride + c];
    }
    __syncthreads();
    Out *to = canonical + (tile.outer * turn.inner + tile.channel) * turn.positions + tile.position;
    for (int i = (int)threadIdx.x; i < count; i += RS_CU_THREADS) {
        const int c = i / tile.positions, p = i % tile.positions;
        to[c * turn.positions + p] = op(shared[c * tile.pitch + p]);
    }
}

/* Channels from `inner` on are padding: zeros, or as they were where it ADDs. */
template <class T, bool ADD>
RS_CU_INLINE void rs_cu_from_canonical_of(const rs_cu_turn &turn, const T *canonical, T *inside)
{
    RS_CU_SHARED(T, shared, RS_CU_TURN);
    const rs_cu_turn_tile tile = rs_cu_turn_tile_of(turn, turn.stride);
    const int inner = rs_cu_rest(turn.inner, tile.channel, turn.tile_channels);
    const T *from = canonical + (tile.outer * turn.inner + tile.channel) * turn.positions + tile.position;
    for (int i = (int)threadIdx.x; i < inner * tile.positions; i += RS_CU_THREADS) {
        const int c = i / tile.positions, p = i % tile.positions;
        shared[c * tile.pitch + p] = from[c * turn.positions + p];
    }
    __syncthreads();
    T *to = inside + (tile.outer * turn.positions + tile.position) * turn.stride + tile.channel;
    for (int i = (int)threadIdx.x; i < tile.positions * tile.channels; i += RS_CU_THREADS) {
        const int p = i / tile.channels, c = i % tile.channels;
        if constexpr (ADD) {
            if (c < inner) {
                to[p * turn.stride + c] += shared[c * tile.pitch + p];
            }
        } else {
            to[p * turn.stride + c] = c < inner ? shared[c * tile.pitch + p] : T(0);
        }
    }
}

RS_CU_GLOBAL rs_cu_k_to_canonical(rs_cu_turn turn, const float *inside, float *canonical)
{
    rs_cu_to_canonical_of(turn, inside, canonical, rs_cu_as_it_is{});
}

RS_CU_GLOBAL rs_cu_k_from_canonical(rs_cu_turn turn, const float *canonical, float *inside)
{
    rs_cu_from_canonical_of<float, false>(turn, canonical, inside);
}

RS_CU_GLOBAL rs_cu_k_add_from_canonical(rs_cu_turn turn, const float *canonical, float *inside)
{
    rs_cu_from_canonical_of<float, true>(turn, canonical, inside);
}

RS_CU_GLOBAL rs_cu_k_sum_to_canonical(rs_cu_turn turn, const double *inside, double divisor, float *canonical)
{
    rs_cu_to_canonical_of(turn, inside, canonical, rs_cu_mean_of_sum{divisor});
}

RS_CU_GLOBAL rs_cu_k_doubles_to_canonical(rs_cu_turn turn, const double *inside, double *canonical)
{
    rs_cu_to_canonical_of(turn, inside, canonical, rs_cu_as_it_is{});
}

RS_CU_GLOBAL rs_cu_k_doubles_from_canonical(rs_cu_turn turn, const double *canonical, double *inside)
{
    rs_cu_from_canonical_of<double, false>(turn, canonical, inside);
}

#endif
