/* vector_elementwise.c: ReLU, sums of two tensors, and handing gradients on, over flat ranges. */
#include "kernels.h"
#include "vector.h"

void RS_ISA(rs__relu_forward)(const float *x, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i += RS_LANES) {
        rs_store(y + i, rs_relu(rs_load(x + i)));
    }
}

void RS_ISA(rs__relu_backward)(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count)
{
    for (int64_t i = 0; i < count; i += RS_LANES) {
        rs_vf g = rs_where_positive(rs_load(y + i), rs_load(dy + i));
        if (pass == RS_PASS_ADD) {
            g += rs_load(dx + i);
        }
        rs_store(dx + i, g);
    }
}

void RS_ISA(rs__add_forward)(const float *a, const float *b, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i += RS_LANES) {
        rs_store(y + i, rs_load(a + i) + rs_load(b + i));
    }
}

void RS_ISA(rs__pass_gradient)(const float *dy, float *dx, rs_pass pass, int64_t count)
{
    for (int64_t i = 0; i < count; i += RS_LANES) {
        rs_vf g = rs_load(dy + i);
        if (pass == RS_PASS_ADD) {
            g += rs_load(dx + i);
        }
        rs_store(dx + i, g);
    }
}
