/* initialize.c: initial values as a function of (seed, parameter name, element), so that networks share what
 * they have in common. Formulas: He et al. 2015 (Kaiming); PyTorch's defaults for linear layers. */
#include <math.h>

#include "rs/network.h"
#include "rs/random.h"

static void fill_uniform(const rs_parameter *parameter, uint64_t seed, double bound, float *values)
{
    uint64_t stream = rs_hash64(parameter->name);
    for (int64_t i = 0; i < parameter->count; i++) {
        values[i] = (float)rs_uniform(seed, stream, (uint64_t)i, -bound, bound);
    }
}

void rs_parameter_initialize(const rs_parameter *parameter, uint64_t seed, float *values)
{
    switch (parameter->initializer) {
    case RS_INIT_KAIMING_NORMAL_FAN_OUT:
        rs_normal_fill(seed, rs_hash64(parameter->name), sqrt(2.0 / (double)parameter->fan_out), values,
                       (size_t)parameter->count);
        return;
    case RS_INIT_UNIFORM_FAN_IN:
        fill_uniform(parameter, seed, 1.0 / sqrt((double)parameter->fan_in), values);
        return;
    case RS_INIT_ZERO:
    case RS_INIT_ONE:
        break;
    }
    for (int64_t i = 0; i < parameter->count; i++) {
        values[i] = parameter->initializer == RS_INIT_ONE ? 1.0F : 0.0F;
    }
}
