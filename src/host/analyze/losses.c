/* losses.c: cross-entropy (which Kullback-Leibler divergence from a label is, too) and squared error; see operators.h. */
#include <math.h>

#include "operators.h"

/* exp(x - largest) */
static rs__number exponential(rs__number x, double largest)
{
    double e = exp(creal(x) - largest);
    return rs__lift(x, e, e);
}

static double largest_of(const rs__number *x, int64_t classes)
{
    double largest = creal(x[0]);
    for (int64_t i = 1; i < classes; i++) {
        largest = fmax(largest, creal(x[i]));
    }
    return largest;
}

static rs__number sum_of(const rs__number *x, int64_t classes, double largest)
{
    rs__number sum = 0.0;
    for (int64_t i = 0; i < classes; i++) {
        sum += exponential(x[i], largest);
    }
    return sum;
}

static void cross_entropy_forward(const rs__call *c)
{
    const int64_t classes = rs__elements(c->in[0]);
    for (int64_t i = 0; i < c->n; i++) {
        const rs__number *x = c->x[0] + i * classes;
        const double largest = largest_of(x, classes);
        const rs__number sum = sum_of(x, classes, largest);
        *c->loss += c->scale * (rs__lift(sum, log(creal(sum)), 1.0 / creal(sum)) + largest - x[c->labels[i]]);
    }
}

static void cross_entropy_backward(const rs__call *c)
{
    const int64_t classes = rs__elements(c->in[0]);
    for (int64_t i = 0; c->dx[0] && i < c->n; i++) {
        const rs__number *x = c->x[0] + i * classes;
        const double largest = largest_of(x, classes);
        const rs__number sum = sum_of(x, classes, largest);
        for (int64_t k = 0; k < classes; k++) {
            const rs__number share = exponential(x[k], largest) / sum;
            c->dx[0][i * classes + k] += c->scale * (share - (k == c->labels[i] ? 1.0 : 0.0));
        }
    }
}

static void squared_error_forward(const rs__call *c)
{
    for (int64_t i = 0; i < c->n * rs__elements(c->in[0]); i++) {
        rs__number d = c->x[0][i] - (double)c->targets[i];
        *c->loss += c->scale * (d * d);
    }
}

static void squared_error_backward(const rs__call *c)
{
    for (int64_t i = 0; c->dx[0] && i < c->n * rs__elements(c->in[0]); i++) {
        c->dx[0][i] += 2.0 * c->scale * (c->x[0][i] - (double)c->targets[i]);
    }
}

const rs__operator rs__dual_cross_entropy = {cross_entropy_forward, cross_entropy_backward};
const rs__operator rs__dual_squared_error = {squared_error_forward, squared_error_backward};
