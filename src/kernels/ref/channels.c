/* channels.c: softmax and row normalisation over the channels at every place, and repeat; see operators.h and rs/network.h. */
#include <math.h>

#include "operators.h"
#include "real.h"

/* The channels of sample n at one place: value[c * step]. */
typedef struct row {
    int64_t first, step, channels;
} row;

static row row_at(const ref_call *call, int64_t n, int64_t place)
{
    int64_t places = call->in[1] * call->in[2];
    return (row){n * call->in[0] * places + place, places, call->in[0]};
}

static double sum_of(const real *x, const row *r)
{
    double sum = 0.0;
    for (int64_t c = 0; c < r->channels; c++) {
        sum += (double)x[r->first + c * r->step];
    }
    return sum;
}

static double largest_of(const real *x, const row *r)
{
    double largest = (double)x[r->first];
    for (int64_t c = 1; c < r->channels; c++) {
        double value = (double)x[r->first + c * r->step];
        largest = value > largest ? value : largest;
    }
    return largest;
}

/* sum_k dy[k] y[k] */
static double product_of(const real *dy, const real *y, const row *r)
{
    double sum = 0.0;
    for (int64_t c = 0; c < r->channels; c++) {
        sum += (double)dy[r->first + c * r->step] * (double)y[r->first + c * r->step];
    }
    return sum;
}

/* NaN scores give NaN. */
static void softmax_row(const ref_call *call, const row *r)
{
    const real *x = call->x[0];
    double largest = largest_of(x, r), sum = 0.0;
    for (int64_t c = 0; c < r->channels; c++) {
        sum += exp((double)x[r->first + c * r->step] - largest);
    }
    for (int64_t c = 0; c < r->channels; c++) {
        int64_t i = r->first + c * r->step;
        ((real *)call->y)[i] = (real)(exp((double)x[i] - largest) / sum);
    }
}

static void softmax_backward_row(const ref_call *call, const row *r)
{
    const real *y = call->y, *dy = call->dy;
    double product = product_of(dy, y, r);
    for (int64_t c = 0; c < r->channels; c++) {
        int64_t i = r->first + c * r->step;
        ref_put(call->dx[0], i, (double)y[i] * ((double)dy[i] - product), call->pass[0]);
    }
}

static void normalize_row(const ref_call *call, const row *r)
{
    const real *x = call->x[0];
    double sum = sum_of(x, r);
    for (int64_t c = 0; c < r->channels; c++) {
        int64_t i = r->first + c * r->step;
        ((real *)call->y)[i] = (real)((double)x[i] / sum);
    }
}

static void normalize_backward_row(const ref_call *call, const row *r)
{
    const real *x = call->x[0], *dy = call->dy;
    double sum = sum_of(x, r), product = product_of(dy, x, r) / sum;
    for (int64_t c = 0; c < r->channels; c++) {
        int64_t i = r->first + c * r->step;
        ref_put(call->dx[0], i, ((double)dy[i] - product) / sum, call->pass[0]);
    }
}

/* --- repeat ---------------------------------------------------------------------------------------------------- */

/* Of one sample, y[(outer * times + t) * inner + i] = x[outer * inner + i]: what comes before and after the axis. */
typedef struct axis {
    int64_t outer, inner, times;
} axis;

static axis axis_of(const ref_call *call)
{
    int number = call->node->attributes.axis;
    axis a = {.outer = 1, .inner = 1, .times = call->node->attributes.times};
    for (int i = 0; i < 3; i++) {
        a.outer *= i < number ? call->in[i] : 1;
        a.inner *= i > number ? call->in[i] : 1;
    }
    return a;
}

static void repeat_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    axis a = axis_of(call);
    const real *x = (const real *)call->x[0] + n * a.outer * a.inner;
    real *y = (real *)call->y + n * a.outer * a.times * a.inner;
    (void)thread;
    for (int64_t i = 0; i < a.outer * a.times * a.inner; i++) {
        y[i] = x[i / (a.times * a.inner) * a.inner + i % a.inner];
    }
}

static void repeat_backward_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    axis a = axis_of(call);
    const real *dy = (const real *)call->dy + n * a.outer * a.times * a.inner;
    int64_t first = n * a.outer * a.inner;
    (void)thread;
    for (int64_t i = 0; i < a.outer * a.inner; i++) {
        const real *from = dy + i / a.inner * a.times * a.inner + i % a.inner;
        double sum = 0.0;
        for (int64_t t = 0; t < a.times; t++) {
            sum += (double)from[t * a.inner];
        }
        ref_put(call->dx[0], first + i, sum, call->pass[0]);
    }
}

/* --- the table's functions ------------------------------------------------------------------------------------- */

static void for_rows(const ref_call *call, int64_t n, void (*body)(const ref_call *call, const row *r))
{
    for (int64_t place = 0; place < call->in[1] * call->in[2]; place++) {
        row r = row_at(call, n, place);
        body(call, &r);
    }
}

static void softmax_sample(const void *context, int64_t n, int thread)
{
    (void)thread;
    for_rows(context, n, softmax_row);
}

static void softmax_backward_sample(const void *context, int64_t n, int thread)
{
    (void)thread;
    for_rows(context, n, softmax_backward_row);
}

static void row_normalize_sample(const void *context, int64_t n, int thread)
{
    (void)thread;
    for_rows(context, n, normalize_row);
}

static void row_normalize_backward_sample(const void *context, int64_t n, int thread)
{
    (void)thread;
    for_rows(context, n, normalize_backward_row);
}

#define BY_SAMPLE(name)                                                                                      \
    static void name(const ref_call *call)                                                                   \
    {                                                                                                        \
        ref_for(call->threads, call->n, name##_sample, call);                                                \
    }                                                                                                        \
    static void name##_backward(const ref_call *call)                                                        \
    {                                                                                                        \
        if (call->pass[0] != RS_PASS_NONE) {                                                                 \
            ref_for(call->threads, call->n, name##_backward_sample, call);                                   \
        }                                                                                                    \
    }                                                                                                        \
    const ref_operator REF(name) = {name, name##_backward, NULL};

BY_SAMPLE(softmax)
BY_SAMPLE(row_normalize)
BY_SAMPLE(repeat)
