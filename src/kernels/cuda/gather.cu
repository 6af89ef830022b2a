/* gather.cu: launches of gather.cuh. */
#include "gather.cuh"
#include "launch.cuh"

cudaError_t rs_cu_gather_launch(const rs_cu_gather *gather, cudaStream_t stream)
{
    if (!gather || !gather->images || !rs_cu_good(gather->table) || !rs_cu_good(gather->x) ||
        gather->count < 1 || gather->positions < 1 || gather->channels < 1 ||
        gather->channels > RS_MAX_CHANNELS || gather->stride < gather->channels ||
        gather->stride > INT_MAX / (2 * RS_CU_TILE) || (gather->labels && !gather->labels_out)) {
        return cudaErrorInvalidValue;
    }
    rs_cu_gather_cut cut;
    cut.image_tiles = rs_cu_divide_up(gather->positions, RS_CU_TILE);
    cut.tiles = gather->count * cut.image_tiles;
    cut.wide_bytes = gather->positions % 16 == 0 && rs_cu_good(gather->images);
    cut.wide_floats = gather->positions * gather->stride % 4 == 0;
    const int64_t blocks = rs_cu_divide_up(cut.tiles, RS_CU_BLOCK_TILES);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_gather, blocks, stream, *gather, cut);
}

cudaError_t rs_cu_gather_rows(const rs_cu_row_gather *rows, cudaStream_t stream)
{
    if (!rows || !rs_cu_good(rows->from) || !rs_cu_good(rows->to) || !rows->ids || rows->count < 1 ||
        rows->row < 1 || (rows->labels && !rows->labels_out)) {
        return cudaErrorInvalidValue;
    }
    const bool wide = rows->row % 4 == 0;
    const int64_t blocks = rs_cu_divide_up(rows->count * rows->row / (wide ? 4 : 1), RS_CU_THREADS);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    return wide ? RS_CU_LAUNCH(rs_cu_k_gather_rows_4, blocks, stream, *rows)
                : RS_CU_LAUNCH(rs_cu_k_gather_rows_1, blocks, stream, *rows);
}
