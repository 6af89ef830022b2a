/* gather.cu: launch of gather.cuh. */
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
