/* vector_peak.c: as many multiply-adds as the vector units can do: the peak that profiles are compared with. */
#include "kernels.h"
#include "vector.h"

enum { CHAINS = 12, ROUNDS = 1 << 18 }; /* chains: more than latency (4) times units (2) */

double RS_ISA(rs__multiply_add)(float *sink)
{
    rs_vf zero = {0}, factor = zero + 0.999f, summand = zero + 1e-3f, chain[CHAINS];
    for (int k = 0; k < CHAINS; k++) {
        chain[k] = zero + (float)k;
    }
    for (int i = 0; i < ROUNDS; i++) {
        for (int k = 0; k < CHAINS; k++) {
            chain[k] = rs_fma(chain[k], factor, summand);
        }
    }
    rs_vf sum = zero;
    for (int k = 0; k < CHAINS; k++) {
        sum += chain[k];
    }
    __builtin_memcpy(sink, &sum, sizeof sum);
    return 2.0 * CHAINS * ROUNDS * RS_LANES;
}
