/* initialize.c: initial values as a function of (seed, parameter name, element), so that networks share what
 * they have in common. Formulas: He et al. 2015 (Kaiming), Glorot and Bengio 2010
 * (Xavier); PyTorch's defaults for linear layers. */
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

static void fill_normal(const rs_parameter *parameter, uint64_t seed, double deviation, float *values)
{
    rs_normal_fill(seed, rs_hash64(parameter->name), deviation, values, (size_t)parameter->count);
}

void rs_parameter_initialize(const rs_parameter *parameter, uint64_t seed, float *values)
{
    double in = (double)parameter->fan_in, out = (double)parameter->fan_out;
    switch (parameter->initializer) {
    case RS_INIT_KAIMING_NORMAL_FAN_OUT:
        fill_normal(parameter, seed, sqrt(2.0 / out), values);
        return;
    case RS_INIT_KAIMING_NORMAL:
        fill_normal(parameter, seed, sqrt(2.0 / in), values);
        return;
    case RS_INIT_XAVIER_NORMAL:
        fill_normal(parameter, seed, sqrt(2.0 / (in + out)), values);
        return;
    case RS_INIT_NORMAL:
        fill_normal(parameter, seed, parameter->std, values);
        return;
    case RS_INIT_UNIFORM_FAN_IN:
        fill_uniform(parameter, seed, 1.0 / sqrt(in), values);
        return;
    case RS_INIT_KAIMING_UNIFORM:
        fill_uniform(parameter, seed, sqrt(6.0 / in), values);
        return;
    case RS_INIT_XAVIER_UNIFORM:
        fill_uniform(parameter, seed, sqrt(6.0 / (in + out)), values);
        return;
    case RS_INIT_ZERO:
    case RS_INIT_ONE:
        break;
    }
    for (int64_t i = 0; i < parameter->count; i++) {
        values[i] = parameter->initializer == RS_INIT_ONE ? 1.0F : 0.0F;
    }
}
