/* pointwise.cuh: kernels that take element after element, and those that add a bias; launches in pointwise.cu.
 *
 * A thread takes four neighbours; the last one may have fewer. */
#ifndef RS_KERNELS_CUDA_POINTWISE_CUH
#define RS_KERNELS_CUDA_POINTWISE_CUH

#include "device.cuh"

struct rs_cu_relu_op {
    const float *x;
    float *y;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        rs_cu_lanes<W> a = rs_cu_load<W>(x + i);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            a.v[e] = a.v[e] < 0.0f ? 0.0f : a.v[e]; /* NaN stays */
        }
        rs_cu_store<W>(y + i, a);
    }
};

RS_CU_GLOBAL rs_cu_k_relu_forward(const float *x, float *y, int64_t count)
{
    rs_cu_each(count, rs_cu_relu_op{x, y});
}

struct rs_cu_relu_backward_op {
    const float *y, *dy;
    float *dx;
    rs_pass pass;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        const rs_cu_lanes<W> a = rs_cu_load<W>(y + i);
        rs_cu_lanes<W> g = rs_cu_load<W>(dy + i);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            g.v[e] = a.v[e] > 0.0f ? g.v[e] : 0.0f;
        }
        rs_cu_put<W>(dx + i, g, pass);
    }
};

RS_CU_GLOBAL rs_cu_k_relu_backward(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count)
{
    rs_cu_each(count, rs_cu_relu_backward_op{y, dy, dx, pass});
}

/* In double: softplus is there to compare arithmetic, not to be fast. */
struct rs_cu_softplus_op {
    const float *x;
    float *y;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        rs_cu_lanes<W> a = rs_cu_load<W>(x + i);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            const double value = (double)a.v[e];
            a.v[e] = (float)((value > 0.0 ? value : 0.0) + log1p(exp(value > 0.0 ? -value : value)));
        }
        rs_cu_store<W>(y + i, a);
    }
};

RS_CU_GLOBAL rs_cu_k_softplus_forward(const float *x, float *y, int64_t count)
{
    rs_cu_each(count, rs_cu_softplus_op{x, y});
}

struct rs_cu_softplus_backward_op {
    const float *x, *dy;
    float *dx;
    rs_pass pass;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        const rs_cu_lanes<W> a = rs_cu_load<W>(x + i);
        rs_cu_lanes<W> g = rs_cu_load<W>(dy + i);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            g.v[e] = (float)((double)g.v[e] / (1.0 + exp(-(double)a.v[e])));
        }
        rs_cu_put<W>(dx + i, g, pass);
    }
};

RS_CU_GLOBAL rs_cu_k_softplus_backward(const float *x, const float *dy, float *dx, rs_pass pass,
                                       int64_t count)
{
    rs_cu_each(count, rs_cu_softplus_backward_op{x, dy, dx, pass});
}

struct rs_cu_sigmoid_op {
    const float *x;
    float *y;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        rs_cu_lanes<W> a = rs_cu_load<W>(x + i);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            a.v[e] = 1.0f / (1.0f + expf(-a.v[e])); /* far below 0: 1 / infinity */
        }
        rs_cu_store<W>(y + i, a);
    }
};

RS_CU_GLOBAL rs_cu_k_sigmoid_forward(const float *x, float *y, int64_t count)
{
    rs_cu_each(count, rs_cu_sigmoid_op{x, y});
}

struct rs_cu_sigmoid_backward_op {
    const float *y, *dy;
    float *dx;
    rs_pass pass;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        const rs_cu_lanes<W> a = rs_cu_load<W>(y + i);
        rs_cu_lanes<W> g = rs_cu_load<W>(dy + i);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            g.v[e] = g.v[e] * a.v[e] * (1.0f - a.v[e]);
        }
        rs_cu_put<W>(dx + i, g, pass);
    }
};

RS_CU_GLOBAL rs_cu_k_sigmoid_backward(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count)
{
    rs_cu_each(count, rs_cu_sigmoid_backward_op{y, dy, dx, pass});
}

struct rs_cu_tanh_op {
    const float *x;
    float *y;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        rs_cu_lanes<W> a = rs_cu_load<W>(x + i);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            a.v[e] = tanhf(a.v[e]);
        }
        rs_cu_store<W>(y + i, a);
    }
};

RS_CU_GLOBAL rs_cu_k_tanh_forward(const float *x, float *y, int64_t count)
{
    rs_cu_each(count, rs_cu_tanh_op{x, y});
}

struct rs_cu_tanh_backward_op {
    const float *y, *dy;
    float *dx;
    rs_pass pass;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        const rs_cu_lanes<W> a = rs_cu_load<W>(y + i);
        rs_cu_lanes<W> g = rs_cu_load<W>(dy + i);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) { /* 1 - y^2 without losing the digits of a y near 1 */
            g.v[e] = g.v[e] * ((1.0f - a.v[e]) * (1.0f + a.v[e]));
        }
        rs_cu_put<W>(dx + i, g, pass);
    }
};

RS_CU_GLOBAL rs_cu_k_tanh_backward(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count)
{
    rs_cu_each(count, rs_cu_tanh_backward_op{y, dy, dx, pass});
}

struct rs_cu_divide_op {
    const float *a, *b;
    float *y;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        rs_cu_lanes<W> value = rs_cu_load<W>(a + i);
        const rs_cu_lanes<W> by = rs_cu_load<W>(b + i);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            value.v[e] = value.v[e] / by.v[e];
        }
        rs_cu_store<W>(y + i, value);
    }
};

RS_CU_GLOBAL rs_cu_k_divide_forward(const float *a, const float *b, float *y, int64_t count)
{
    rs_cu_each(count, rs_cu_divide_op{a, b, y});
}

struct rs_cu_divide_backward_op {
    rs_cu_quotient q;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        const bool down = q.pass_b != RS_PASS_NONE;
        const rs_cu_lanes<W> dy = rs_cu_load<W>(q.dy + i), b = rs_cu_load<W>(q.b + i),
                             a = down ? rs_cu_load<W>(q.a + i) : rs_cu_zeros<W>();
        rs_cu_lanes<W> da, db;
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            da.v[e] = dy.v[e] / b.v[e];
            db.v[e] = -da.v[e] * (a.v[e] / b.v[e]);
        }
        if (down) {
            rs_cu_put<W>(q.db + i, db, q.pass_b);
        }
        if (q.pass_a != RS_PASS_NONE) {
            rs_cu_put<W>(q.da + i, da, q.pass_a);
        }
    }
};

RS_CU_GLOBAL rs_cu_k_divide_backward(rs_cu_quotient q)
{
    rs_cu_each(q.count, rs_cu_divide_backward_op{q});
}

struct rs_cu_add_op {
    const float *a, *b;
    float *y;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        rs_cu_lanes<W> sum = rs_cu_load<W>(a + i);
        const rs_cu_lanes<W> other = rs_cu_load<W>(b + i);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            sum.v[e] += other.v[e];
        }
        rs_cu_store<W>(y + i, sum);
    }
};

RS_CU_GLOBAL rs_cu_k_add_forward(const float *a, const float *b, float *y, int64_t count)
{
    rs_cu_each(count, rs_cu_add_op{a, b, y});
}

struct rs_cu_pass_op {
    const float *from;
    float *to;
    rs_pass pass;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        rs_cu_put<W>(to + i, rs_cu_load<W>(from + i), pass);
    }
};

RS_CU_GLOBAL rs_cu_k_pass(const float *from, float *to, rs_pass pass, int64_t count)
{
    rs_cu_each(count, rs_cu_pass_op{from, to, pass});
}

/* --- bias ---------------------------------------------------------------------------------------------- */

template <int W> RS_CU_INLINE void rs_cu_bias_add_of(const rs_cu_cut &cut, const float *b, float *y)
{
    RS_CU_SHARED(float, shared, RS_CU_STRIP);
    const rs_cu_place<W> place = rs_cu_place_of<W>(cut);
    if (place.down == 0 && place.inside) {
        rs_cu_store<W>(shared + place.lane * W, rs_cu_load<W>(b + place.channel));
    }
    __syncthreads();
    for (int64_t row = place.first; place.inside && row < place.last; row += place.step) {
        rs_cu_put<W>(y + row * cut.channels + place.channel, rs_cu_load<W>(shared + place.lane * W),
                     RS_PASS_ADD);
    }
}

RS_CU_GLOBAL rs_cu_k_bias_add_4(rs_cu_cut cut, const float *b, float *y)
{
    rs_cu_bias_add_of<4>(cut, b, y);
}

RS_CU_GLOBAL rs_cu_k_bias_add_1(rs_cu_cut cut, const float *b, float *y)
{
    rs_cu_bias_add_of<1>(cut, b, y);
}

template <int W>
RS_CU_INLINE void rs_cu_bias_gradient_of(const rs_cu_cut &cut, const float *dy, double *partial)
{
    RS_CU_SHARED(double, shared, 4 * RS_CU_THREADS);
    const rs_cu_place<W> place = rs_cu_place_of<W>(cut);
    double sums[1][W] = {};
    if (place.inside) {
        rs_cu_sum_rows<W>(cut, place, dy, sums[0]);
    }
    rs_cu_put_partial<W, 1>(cut, place, sums, shared, partial);
}

RS_CU_GLOBAL rs_cu_k_bias_gradient_4(rs_cu_cut cut, const float *dy, double *partial)
{
    rs_cu_bias_gradient_of<4>(cut, dy, partial);
}

RS_CU_GLOBAL rs_cu_k_bias_gradient_1(rs_cu_cut cut, const float *dy, double *partial)
{
    rs_cu_bias_gradient_of<1>(cut, dy, partial);
}

RS_CU_GLOBAL rs_cu_k_bias_gradient_finish(rs_cu_cut cut, const double *partial, float *db)
{
    RS_CU_SHARED(double, shared, RS_CU_THREADS);
    double total[1];
    int channel;
    if (rs_cu_join_pieces<1>(partial, cut, &channel, shared, total)) {
        db[channel] = (float)total[0];
    }
}

#endif
