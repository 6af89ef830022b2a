/* gather.cuh: a batch from bytes [image, channel, position] to floats [image, position, channel] by a table;
 * launch in gather.cu.
 *
 * A block takes tiles of RS_CU_TILE positions of one image: it copies their bytes into shared memory 16 at a
 * time, where rows turn into columns, and writes whole positions one after the other. */
#ifndef RS_KERNELS_CUDA_GATHER_CUH
#define RS_KERNELS_CUDA_GATHER_CUH

#include "device.cuh"

enum { RS_CU_TILE = 1024, RS_CU_BLOCK_TILES = 2, RS_CU_TABLE = 256 };
enum { RS_CU_TILES = RS_MAX_CHANNELS * RS_CU_TILE, RS_CU_TABLES = RS_MAX_CHANNELS * RS_CU_TABLE };

/* What the launcher found out. */
typedef struct rs_cu_gather_cut {
    int64_t tiles, image_tiles; /* of all, of one image */
    bool wide_bytes;            /* positions come in sixteens */
    bool wide_floats;           /* an image is a multiple of four floats */
} rs_cu_gather_cut;

/* Positions first .. first + count - 1 of one image. */
struct rs_cu_gather_tile {
    int64_t image, first;
    int count;
};

RS_CU_INLINE void rs_cu_gather_bytes(const rs_cu_gather &gather, const rs_cu_gather_cut &cut,
                                     const rs_cu_gather_tile &tile, uint8_t *bytes)
{
    const int64_t id = gather.ids ? gather.ids[tile.image] : tile.image;
    const uint8_t *from = gather.images + id * gather.channels * gather.positions + tile.first;
    const int parts = cut.wide_bytes ? tile.count / 16 : tile.count;
    for (int i = (int)threadIdx.x; i < gather.channels * parts; i += RS_CU_THREADS) {
        const int channel = i / parts, part = i % parts;
        const uint8_t *plane = from + channel * gather.positions;
        if (cut.wide_bytes) {
            reinterpret_cast<uint4 *>(bytes + channel * RS_CU_TILE)[part] =
                reinterpret_cast<const uint4 *>(plane)[part];
        } else {
            bytes[channel * RS_CU_TILE + part] = plane[part];
        }
    }
}

/* Value of float f of a tile. */
RS_CU_INLINE float rs_cu_gather_value(const rs_cu_gather &gather, const float *table, const uint8_t *bytes,
                                      int f)
{
    const int position = gather.stride == 4 ? f / 4 : f / gather.stride,
              channel = f - position * gather.stride;
    return channel < gather.channels ? table[channel * RS_CU_TABLE + bytes[channel * RS_CU_TILE + position]]
                                     : 0.0f;
}

RS_CU_INLINE void rs_cu_gather_floats(const rs_cu_gather &gather, const rs_cu_gather_cut &cut,
                                      const rs_cu_gather_tile &tile, const float *table, const uint8_t *bytes)
{
    const int width = cut.wide_floats ? 4 : 1;
    float *to = gather.x + (tile.image * gather.positions + tile.first) * gather.stride;
    for (int f = (int)threadIdx.x * width; f < tile.count * gather.stride; f += RS_CU_THREADS * width) {
        if (cut.wide_floats) {
            rs_cu_lanes<4> four;
            RS_CU_UNROLL
            for (int e = 0; e < 4; e++) {
                four.v[e] = rs_cu_gather_value(gather, table, bytes, f + e);
            }
            rs_cu_store<4>(to + f, four);
        } else {
            to[f] = rs_cu_gather_value(gather, table, bytes, f);
        }
    }
}

RS_CU_GLOBAL rs_cu_k_gather(rs_cu_gather gather, rs_cu_gather_cut cut)
{
    RS_CU_SHARED(float, table, RS_CU_TABLES);
    RS_CU_SHARED(uint8_t, bytes, RS_CU_TILES);
    for (int i = 4 * (int)threadIdx.x; i < gather.channels * RS_CU_TABLE; i += 4 * RS_CU_THREADS) {
        rs_cu_store<4>(table + i, rs_cu_load<4>(gather.table + i));
    }
    for (int t = 0; t < RS_CU_BLOCK_TILES; t++) {
        const int64_t at = (int64_t)blockIdx.x * RS_CU_BLOCK_TILES + t;
        if (at >= cut.tiles) {
            return;
        }
        rs_cu_gather_tile tile = {at / cut.image_tiles, at % cut.image_tiles * RS_CU_TILE, RS_CU_TILE};
        if (gather.positions - tile.first < RS_CU_TILE) {
            tile.count = (int)(gather.positions - tile.first);
        }
        rs_cu_gather_bytes(gather, cut, tile, bytes);
        if (gather.labels && tile.first == 0 && threadIdx.x == 0) {
            gather.labels_out[tile.image] = gather.labels[gather.ids ? gather.ids[tile.image] : tile.image];
        }
        __syncthreads();
        rs_cu_gather_floats(gather, cut, tile, table, bytes);
        __syncthreads();
    }
}

/* Rows of floats: an element, or four of them, a thread. */
template <int W> RS_CU_INLINE void rs_cu_gather_rows_of(const rs_cu_row_gather &rows)
{
    const int64_t wide = rows.row / W, i = (int64_t)blockIdx.x * RS_CU_THREADS + (int64_t)threadIdx.x;
    if (i >= rows.count * wide) {
        return;
    }
    const int64_t row = i <= (int64_t)UINT32_MAX && wide <= (int64_t)UINT32_MAX
                            ? (int64_t)((uint32_t)i / (uint32_t)wide)
                            : i / wide;
    const int64_t at = (i - row * wide) * W, id = rows.ids[row];
    rs_cu_store<W>(rows.to + row * rows.row + at, rs_cu_load<W>(rows.from + id * rows.row + at));
    if (rows.labels && at == 0) {
        rows.labels_out[row] = rows.labels[id];
    }
}

RS_CU_GLOBAL rs_cu_k_gather_rows_4(rs_cu_row_gather rows)
{
    rs_cu_gather_rows_of<4>(rows);
}

RS_CU_GLOBAL rs_cu_k_gather_rows_1(rs_cu_row_gather rows)
{
    rs_cu_gather_rows_of<1>(rows);
}

#endif
