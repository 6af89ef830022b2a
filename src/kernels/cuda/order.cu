/* order.cu: launches of order.cuh. */
#include "launch.cuh"
#include "order.cuh"

static bool order_good(const rs_cu_order *order)
{
    return order && order->outer >= 1 && order->positions >= 1 && order->inner >= 1 &&
           order->stride >= order->inner;
}

/* Elements are taken one by one: no more alignment than they have by themselves. */
static bool place_good(const void *pointer, size_t element)
{
    return pointer && (uintptr_t)pointer % element == 0;
}

/* `channels`: of a position, as many as the pass goes through. */
static rs_cu_turn turn_of(const rs_cu_order *order, int64_t channels, int64_t *blocks)
{
    rs_cu_turn turn = {order->positions, order->inner, order->stride, 1, 1, 1, 1};
    int64_t outer = order->outer;
    if (order->stride == order->inner &&
        (order->positions == 1 || order->inner == 1)) { /* one order: a single row */
        turn.inner = turn.stride = channels = outer * order->positions * order->inner;
        turn.positions = outer = 1;
    }
    turn.tile_positions = turn.positions < 32 ? (int)turn.positions : 32;
    turn.tile_channels = 1024 / turn.tile_positions / 32 * 32;
    turn.position_tiles = rs_cu_divide_up(turn.positions, turn.tile_positions);
    turn.channel_tiles = rs_cu_divide_up(channels, turn.tile_channels);
    *blocks = outer * turn.position_tiles * turn.channel_tiles;
    return turn;
}

cudaError_t rs_cu_to_canonical(const rs_cu_order *order, const float *inside, float *canonical,
                               cudaStream_t stream)
{
    int64_t blocks;
    if (!order_good(order) || !place_good(inside, sizeof(float)) || !place_good(canonical, sizeof(float))) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_turn turn = turn_of(order, order->inner, &blocks);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_to_canonical, blocks, stream, turn, inside, canonical);
}

cudaError_t rs_cu_from_canonical(const rs_cu_order *order, const float *canonical, float *inside,
                                 cudaStream_t stream)
{
    int64_t blocks;
    if (!order_good(order) || !place_good(inside, sizeof(float)) || !place_good(canonical, sizeof(float))) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_turn turn = turn_of(order, order->stride, &blocks);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_from_canonical, blocks, stream, turn, canonical, inside);
}

cudaError_t rs_cu_add_from_canonical(const rs_cu_order *order, const float *canonical, float *inside,
                                     cudaStream_t stream)
{
    int64_t blocks;
    if (!order_good(order) || !place_good(inside, sizeof(float)) || !place_good(canonical, sizeof(float))) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_turn turn = turn_of(order, order->stride, &blocks);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_add_from_canonical, blocks, stream, turn, canonical, inside);
}

cudaError_t rs_cu_sum_to_canonical(const rs_cu_order *order, const double *inside, double divisor,
                                   float *canonical, cudaStream_t stream)
{
    int64_t blocks;
    if (!order_good(order) || !place_good(inside, sizeof(double)) || !place_good(canonical, sizeof(float))) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_turn turn = turn_of(order, order->inner, &blocks);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_sum_to_canonical, blocks, stream, turn, inside, divisor, canonical);
}

cudaError_t rs_cu_doubles_to_canonical(const rs_cu_order *order, const double *inside, double *canonical,
                                       cudaStream_t stream)
{
    int64_t blocks;
    if (!order_good(order) || !place_good(inside, sizeof(double)) || !place_good(canonical, sizeof(double))) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_turn turn = turn_of(order, order->inner, &blocks);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_doubles_to_canonical, blocks, stream, turn, inside, canonical);
}

cudaError_t rs_cu_doubles_from_canonical(const rs_cu_order *order, const double *canonical, double *inside,
                                         cudaStream_t stream)
{
    int64_t blocks;
    if (!order_good(order) || !place_good(inside, sizeof(double)) || !place_good(canonical, sizeof(double))) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_turn turn = turn_of(order, order->stride, &blocks);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_doubles_from_canonical, blocks, stream, turn, canonical, inside);
}
