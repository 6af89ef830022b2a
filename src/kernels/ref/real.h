/* real.h: the type that an operator file is compiled for. Every file of operators is compiled twice, with
 * REF_REAL float and double; REF(relu) is then ref_relu_f32 or ref_relu_f64. */
#ifndef RS_REF_REAL_H
#define RS_REF_REAL_H

#include <stdint.h>

#include "backward.h"

#ifndef REF_REAL
#error "compiled with -DREF_REAL=float -DREF_SUFFIX=f32, or double and f64"
#endif

typedef REF_REAL real;

/* dx[i] = or += d; NONE is not for it. */
static inline void ref_put(real *dx, int64_t i, double d, rs_pass pass)
{
    dx[i] = (real)(pass == RS_PASS_ADD ? (double)dx[i] + d : d);
}

#define REF_PASTE(name, suffix) name##_##suffix
#define REF_JOIN(name, suffix)  REF_PASTE(name, suffix)
#define REF(name)               REF_JOIN(ref_##name, REF_SUFFIX)
#define REF_RULE(name)          REF_JOIN(rs_##name, REF_SUFFIX) /* of update.h: rs_adam_f32 */

#endif
