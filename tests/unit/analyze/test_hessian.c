/* test_hessian.c: the whole matrix and its eigenvalues against dense central differences of the reference's gradient, in
 * both modes of batch norm and for some of the weights; Lanczos' ends against all eigenvalues. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hessian.h"
#include "networks.h"

enum { SAMPLES = 20, WANTED = 3 };

static rs_error error;

static const layer layers[] = {{.kind = RS_OP_LINEAR, .attributes = {.channels = 6, .bias = true}},
                               {.kind = RS_OP_BATCH_NORM, .attributes = {.epsilon = 1e-5, .momentum = 0.1}},
                               {.kind = RS_OP_RELU},
                               {.kind = RS_OP_LINEAR, .attributes = {.channels = 5, .bias = true}},
                               {.kind = RS_OP_SIGMOID},
                               {.kind = RS_OP_LINEAR, .attributes = {.channels = 2, .bias = true}},
                               {.kind = RS_OP_MEAN_SQUARED_ERROR},
                               {.kind = RS_OP_INPUT}};

typedef struct setting {
    problem p;
    rs__curvature *curvature;
    int64_t *taken, count;
} setting;

/* Takes every `step`th weight. */
static void open_setting(setting *s, bool batch_statistics, int step)
{
    memset(s, 0, sizeof *s);
    problem_make(&s->p, network_of("small", 3, 1, 2, layers), SAMPLES);
    const rs__curvature_options options = {.network = s->p.network,
                                           .dataset = &s->p.dataset,
                                           .split = &s->p.dataset.train,
                                           .samples = SAMPLES,
                                           .batch = batch_statistics ? SAMPLES : 7,
                                           .batch_statistics = batch_statistics,
                                           .running = (const double *const *)s->p.running,
                                           .threads = 2};
    harness_ok(rs__curvature_create(&options, &s->curvature, &error), &error);
    s->taken = calloc((size_t)s->p.size, sizeof *s->taken);
    for (int64_t i = 0; i < s->p.size; i += step) {
        s->taken[s->count++] = i;
    }
}

static void close_setting(setting *s)
{
    rs__curvature_destroy(s->curvature);
    free(s->taken);
    problem_release(&s->p);
}

static rs__hessian_place place_of(const setting *s)
{
    return (rs__hessian_place){
        .curvature = s->curvature, .weights = s->p.weights, .count = s->count, .taken = s->taken};
}

static void check_signs(const rs__hessian *h)
{
    int64_t positive = 0, negative = 0;
    for (int64_t i = 0; i < h->count; i++) {
        positive += h->matrix[i * h->count + i] > 0.0;
        negative += h->matrix[i * h->count + i] < 0.0;
    }
    assert_int_equal(h->positive, positive);
    assert_int_equal(h->positive + h->negative + h->zero, h->count);
    assert_int_equal(h->negative, negative);
    assert_true(positive > 0 && positive < h->count);
}

static void compare(bool batch_statistics, int step)
{
    setting s;
    reference r;
    rs__hessian h;
    open_setting(&s, batch_statistics, step);
    reference_open(&r, &s.p);
    double *all = calloc((size_t)(s.p.size * s.p.size), sizeof *all);
    double *want = calloc((size_t)(s.count * s.count), sizeof *want),
           *values = calloc((size_t)s.count, sizeof *values);
    reference_hessian(&r, &s.p, batch_statistics ? RS_MODE_TRAIN : RS_MODE_EVALUATE, all);
    for (int64_t i = 0; i < s.count; i++) {
        for (int64_t j = 0; j < s.count; j++) {
            double one = all[s.taken[i] * s.p.size + s.taken[j]],
                   other = all[s.taken[j] * s.p.size + s.taken[i]];
            want[i * s.count + j] = 0.5 * (one + other);
        }
    }
    const rs__hessian_place place = place_of(&s);
    harness_ok(rs__hessian_exact(&place, NULL, NULL, &h, &error), &error);
    harness_close("matrix", h.matrix, want, s.count * s.count, 1e-8);
    assert_true(h.asymmetry < 1e-13);
    check_signs(&h);
    harness_ok(rs__eigen(want, s.count, false, values, &error), &error);
    harness_close("eigenvalues", h.eigenvalues, values, s.count, 1e-8);
    free(all);
    free(want);
    free(values);
    rs__hessian_release(&h);
    reference_close(&r);
    close_setting(&s);
}

static void test_running(void **state)
{
    (void)state;
    compare(false, 1);
}

static void test_batch(void **state)
{
    (void)state;
    compare(true, 1);
}

static void test_some_weights(void **state)
{
    (void)state;
    compare(true, 3);
}

static void test_ends(void **state)
{
    double ends[4][WANTED];
    (void)state;
    for (int batch = 0; batch < 2; batch++) {
        setting s;
        rs__hessian h;
        open_setting(&s, batch, 1);
        const rs__hessian_place place = place_of(&s);
        rs__lanczos l = {.iterations = 60,
                         .wanted = WANTED,
                         .tolerance = 1e-8,
                         .seed = 5,
                         .smallest = ends[0],
                         .largest = ends[1],
                         .smallest_residual = ends[2],
                         .largest_residual = ends[3]};
        harness_ok(rs__hessian_exact(&place, NULL, NULL, &h, &error), &error);
        harness_ok(rs__hessian_ends(&place, &l, &error), &error);
        assert_int_equal(l.count, WANTED);
        const double scale = fmax(fabs(h.eigenvalues[0]), fabs(h.eigenvalues[h.count - 1]));
        for (int i = 0; i < WANTED; i++) {
            assert_true(fabs(l.smallest[i] - h.eigenvalues[i]) <= 1e-7 * scale);
            assert_true(fabs(l.largest[i] - h.eigenvalues[h.count - 1 - i]) <= 1e-7 * scale);
            assert_true(l.largest_residual[i] <= 1e-8 * scale * 1.001);
        }
        rs__hessian_release(&h);
        close_setting(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_running), cmocka_unit_test(test_batch),
                                       cmocka_unit_test(test_some_weights), cmocka_unit_test(test_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
