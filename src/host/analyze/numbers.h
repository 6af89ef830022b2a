/* numbers.h: arithmetic that differentiates: complex numbers whose imaginary part is a tiny multiple of a derivative.
 *
 * f(x + ih) = f(x) + ih f'(x) + O(h^2). With h = 2^-300 the square is lost beside anything it is added to, so that every
 * sum, product and quotient carries its exact derivative along, rounded as the real part is: no difference of near
 * numbers is taken, and what is constant has the derivative 0, exactly. A function that is not built from those goes
 * through rs__lift. */
#ifndef RS_ANALYZE_NUMBERS_H
#define RS_ANALYZE_NUMBERS_H

#include <complex.h>
#include <stdbool.h>
#include <stdint.h>

#ifndef CMPLX /* glibc has it for GCC alone */
#define CMPLX(real, imaginary) __builtin_complex((double)(real), (double)(imaginary))
#endif

typedef double complex rs__number;

#define RS__STEP_EXPONENT 300 /* h = 2^-300 */

/* value + i slope Im(z): a function of that value and slope at Re(z). */
static inline rs__number rs__lift(rs__number z, double value, double slope)
{
    return CMPLX(value, slope * cimag(z));
}

/* c [m, n] = or += op(a) op(b), row-major, dense; op(a) is [m, k], op(b) [k, n]; op is the transpose where said. */
typedef struct rs__product {
    int64_t m, n, k;
    bool transpose_a, transpose_b, add;
    const rs__number *a, *b;
    rs__number *c;
} rs__product;
void rs__dual_multiply(const rs__product *product);

#endif
