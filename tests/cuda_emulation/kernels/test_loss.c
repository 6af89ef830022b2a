/* test_loss.c: softmax cross-entropy and squared error, their gradients, the hits, and the norms of samples' gradients, against
 * loops in double. */
#include "on_device.h"

typedef struct subject {
    int64_t count;
    int classes;
    float *x, *dx; /* x on the host, dx on the device */
    const float *device_x;
    int32_t *labels;
    double *losses;
    uint8_t *hits;
    rs_cu_loss *loss;
} subject;

static subject make_subject(int64_t count, int classes)
{
    subject s = {.count = count, .classes = classes};
    s.x = filled(RS_FILL_NORMAL, 1, count * classes);
    s.labels = host_new(count * 4);
    rs_fill_labels(2, classes, s.labels, count);
    s.dx = device_new(count * classes * 4);
    s.losses = device_new(count * 8);
    s.hits = device_new(count);
    s.loss = device_new(sizeof(rs_cu_loss));
    return s;
}

static rs_cu_scores scores_of(const subject *s)
{
    return (rs_cu_scores){.x = s->device_x,
                          .labels = device_put(s->labels, s->count * 4),
                          .count = s->count,
                          .classes = s->classes,
                          .losses = s->losses,
                          .hits = s->hits,
                          .dx = s->dx,
                          .pass = RS_PASS_SET,
                          .weight = 1.0,
                          .divisor = (double)s->count};
}

/* The mean over the samples; with the gradient. */
static rs_cu_loss run(subject *s)
{
    rs_cu_loss loss;
    const rs_cu_loss_out out = {.loss = s->loss};
    s->device_x = device_put(s->x, s->count * s->classes * 4);
    const rs_cu_scores scores = scores_of(s);
    cuda_ok(rs_cu_cross_entropy(&scores, test_stream()));
    cuda_ok(rs_cu_loss_sum(s->losses, s->hits, s->count, scores.divisor, &out, test_stream()));
    cuda_ok(rs_cu_cross_entropy_backward(&scores, test_stream()));
    device_get(&loss, s->loss, sizeof loss);
    return loss;
}

static void loss_of(int64_t count, int classes)
{
    subject s = make_subject(count, classes);
    if (classes > 4) { /* equal scores: the first counts */
        s.x[1] = s.x[3] = 9.0f;
        s.labels[0] = 3;
        if (classes > 40) {
            s.x[34] = 9.0f; /* the first, but not of those that lanes see first */
            s.labels[0] = 1;
        }
        s.x[(count - 1) * classes] = 200.0f;
    }
    rs_cu_loss got = run(&s);
    double *want = host_new(count * classes * 8), mean = 0.0;
    int64_t correct = 0;
    for (int64_t n = 0; n < count; n++) {
        const float *x = s.x + n * classes;
        double sum = 0.0;
        int best = 0;
        for (int k = 0; k < classes; k++) {
            sum += exp((double)x[k]);
            best = x[k] > x[best] ? k : best;
        }
        for (int k = 0; k < classes; k++) {
            want[n * classes + k] =
                (exp((double)x[k]) / sum - (k == s.labels[n] ? 1.0 : 0.0)) / (double)count;
        }
        mean += (log(sum) - (double)x[s.labels[n]]) / (double)count;
        correct += best == s.labels[n];
    }
    close_on_device("dx", s.dx, want, count * classes, 1e-7);
    assert_true(fabs(got.loss - mean) <= 1e-12 * (1.0 + fabs(mean)));
    assert_int_equal(got.correct, correct);
}

static void against_loops(void **state)
{
    static const int64_t cases[][2] = {{1, 10},   {7, 10},   {8, 5},    {300, 10},
                                       {20, 100}, {9, 1000}, {5, 1024}, {3, 1500}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        loss_of(cases[i][0], (int)cases[i][1]);
        end_of_test(state);
    }
}

static void one_class(void **state)
{
    (void)state;
    subject s = make_subject(3, 1);
    rs_cu_loss got = run(&s);
    assert_true(got.loss == 0.0 && got.correct == 3);
}

/* NaN and infinity give NaN; a NaN is largest only in the first place, as the reference has it. */
static void not_finite(void **state)
{
    (void)state;
    subject s = make_subject(4, 6);
    for (int n = 0; n < 4; n++) {
        s.labels[n] = 0;
    }
    s.x[0] = NAN; /* a hit */
    s.x[6] = 8.0f;
    s.x[8] = NAN; /* a hit */
    s.x[12] = -5.0f;
    s.x[14] = INFINITY; /* none */
    for (int k = 0; k < 6; k++) {
        s.x[18 + k] = -INFINITY; /* a hit */
    }
    rs_cu_loss got = run(&s);
    double losses[4];
    device_get(losses, s.losses, sizeof losses);
    for (int n = 0; n < 4; n++) {
        assert_true(isnan(losses[n]));
    }
    assert_true(isnan(got.loss));
    assert_int_equal(got.correct, 3);
    for (int n = 0; n < 2; n++) {
        assert_true(isnan(floats_from(s.dx, 24)[6 * n + 1]));
    }
}

static void unknown_label(void **state)
{
    (void)state;
    subject s = make_subject(5, 10);
    s.labels[3] = 10;
    assert_true(isnan(run(&s).loss));
    s.labels[3] = -1;
    assert_true(isnan(run(&s).loss));
}

/* Whose labels, weights, divisors, and what was there: dx = old + weight (sum over choices of softmax - onehot) / divisor. */
static void gradient_of(int64_t count, int classes, rs_label_choice choice, rs_pass pass)
{
    subject s = make_subject(count, classes);
    float *old;
    double *want = host_new(count * classes * 8);
    s.device_x = device_put(s.x, count * classes * 4);
    rs_cu_scores scores = scores_of(&s);
    scores.dx = device_filled(RS_FILL_NORMAL, 5, count * classes, &old);
    scores.choice = choice;
    scores.pass = pass;
    scores.weight = 0.75;
    scores.divisor = 3.0;
    cuda_ok(rs_cu_cross_entropy_backward(&scores, test_stream()));
    for (int64_t n = 0; n < count; n++) {
        const float *x = s.x + n * classes;
        double sum = 0.0;
        int best = 0;
        for (int k = 0; k < classes; k++) {
            sum += exp((double)x[k]);
            best = x[k] > x[best] ? k : best;
        }
        for (int k = 0; k < classes; k++) {
            double p = exp((double)x[k]) / sum, d = 0.0, before = (double)old[n * classes + k];
            d += choice != RS_LABELS_PREDICTED ? p - (k == s.labels[n] ? 1.0 : 0.0) : 0.0;
            d += choice != RS_LABELS_TRUE ? p - (k == best ? 1.0 : 0.0) : 0.0;
            want[n * classes + k] =
                (pass == RS_PASS_SET ? 0.0 : before) + (pass == RS_PASS_NONE ? 0.0 : 0.25 * d);
        }
    }
    close_on_device("dx", scores.dx, want, count * classes, 1e-7);
}

static void chosen_labels(void **state)
{
    for (int choice = RS_LABELS_TRUE; choice <= RS_LABELS_BOTH; choice++) {
        for (int pass = RS_PASS_NONE; pass <= RS_PASS_ADD; pass++) {
            gradient_of(7, 10, (rs_label_choice)choice, (rs_pass)pass);
            end_of_test(state);
            gradient_of(3, 1500, (rs_label_choice)choice, (rs_pass)pass);
            end_of_test(state);
        }
    }
}

/* The loss of a layer: with the share of hits; both at once. */
static void loss_of_a_layer(void **state)
{
    (void)state;
    const double losses[] = {1.0, 2.0, 4.5, 0.5, 2.0};
    const uint8_t hits[] = {1, 0, 1, 1, 0};
    rs_cu_loss loss, *on_device = device_new(sizeof loss);
    rs_layer_value layer, *layer_on_device = device_new(sizeof layer);
    const rs_cu_loss_out out = {.loss = on_device, .layer = layer_on_device};
    cuda_ok(rs_cu_loss_sum(device_put(losses, sizeof losses), device_put(hits, sizeof hits), 5, 20.0, &out,
                           test_stream()));
    device_get(&loss, on_device, sizeof loss);
    device_get(&layer, layer_on_device, sizeof layer);
    assert_true(loss.loss == 0.5 && loss.correct == 3);
    assert_true(layer.loss == 0.5 && layer.mean == 0.6);
}

/* --- squared error ------------------------------------------------------------------------------------- */

static const int64_t counts[] = {1, 3, 4, 7, 1023, 1024, 4096, 4099, 100000};

static void squared_of(int64_t count, rs_pass pass)
{
    float *x, *target, *old;
    double sum = 0.0, *want = host_new(count * 8);
    rs_cu_squared s = {.count = count, .divisor = (double)count, .pass = pass, .weight = 1.5};
    rs_cu_loss loss, *on_device = device_new(sizeof loss);
    rs_layer_value layer, *layer_on_device = device_new(sizeof layer);
    const rs_cu_loss_out out = {.loss = on_device, .layer = layer_on_device};
    s.x = device_filled(RS_FILL_NORMAL, 6, count, &x);
    s.target = device_filled(RS_FILL_NORMAL, 7, count, &target);
    s.dx = device_filled(RS_FILL_NORMAL, 8, count, &old);
    s.partial = device_new((int64_t)rs_cu_squared_partial_bytes(count));
    cuda_ok(rs_cu_squared_error(&s, &out, test_stream()));
    cuda_ok(rs_cu_squared_backward(&s, test_stream()));
    for (int64_t i = 0; i < count; i++) {
        double d = (double)x[i] - (double)target[i];
        sum += d * d;
        want[i] = (pass == RS_PASS_SET ? 0.0 : (double)old[i]) +
                  (pass == RS_PASS_NONE ? 0.0 : 3.0 * d / (double)count);
    }
    close_on_device("dx", s.dx, want, count, 1e-7);
    device_get(&loss, on_device, sizeof loss);
    device_get(&layer, layer_on_device, sizeof layer);
    sum /= (double)count;
    assert_true(fabs(loss.loss - sum) <= 1e-12 * sum && loss.correct == 0);
    assert_true(layer.loss == loss.loss && layer.mean == 0.0);
}

static void squared(void **state)
{
    for (int i = 0; i < COUNT_OF(counts); i++) {
        for (int pass = RS_PASS_NONE; pass <= RS_PASS_ADD; pass++) {
            squared_of(counts[i], (rs_pass)pass);
            end_of_test(state);
        }
    }
}

static void squared_not_a_number(void **state)
{
    (void)state;
    float x[100] = {0.0f}, target[100] = {0.0f};
    rs_cu_loss loss, *on_device = device_new(sizeof loss);
    const rs_cu_loss_out out = {.loss = on_device};
    target[50] = NAN;
    const rs_cu_squared s = {.x = device_put(x, sizeof x),
                             .target = device_put(target, sizeof target),
                             .count = 100,
                             .divisor = 1.0,
                             .partial = device_new((int64_t)rs_cu_squared_partial_bytes(100))};
    cuda_ok(rs_cu_squared_error(&s, &out, test_stream()));
    device_get(&loss, on_device, sizeof loss);
    assert_true(isnan(loss.loss));
}

/* --- norms of samples ---------------------------------------------------------------------------------- */

static void squares_of(int64_t samples, int64_t floats)
{
    float *dx;
    double *got = host_new(samples * 8), *squares = device_new(samples * 8);
    const float *on_device = device_filled(RS_FILL_NORMAL, 9, samples * floats, &dx);
    cuda_ok(rs_cu_sample_squares(on_device, samples, floats, squares, test_stream()));
    device_get(got, squares, samples * 8);
    for (int64_t n = 0; n < samples; n++) {
        double want = 0.0;
        for (int64_t i = 0; i < floats; i++) {
            want += (double)dx[n * floats + i] * (double)dx[n * floats + i];
        }
        assert_true(fabs(got[n] - want) <= 1e-12 * want);
    }
}

static void squares(void **state)
{
    static const int64_t cases[][2] = {{1, 1}, {9, 784}, {8, 3072}, {5, 1025}, {300, 2}, {17, 12}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        squares_of(cases[i][0], cases[i][1]);
        end_of_test(state);
    }
}

/* --- arguments ----------------------------------------------------------------------------------------- */

static void arguments(void **state)
{
    (void)state;
    subject s = make_subject(2, 4);
    s.device_x = device_put(s.x, 32);
    const rs_cu_scores good = scores_of(&s);
    rs_cu_scores bad[4] = {good, good, good, good};
    bad[0].labels = NULL;
    bad[1].count = 0;
    bad[2].classes = 0;
    bad[3].losses = NULL;
    for (int i = 0; i < 4; i++) {
        refused(rs_cu_cross_entropy(&bad[i], test_stream()));
    }
    bad[3] = good;
    bad[3].dx = NULL;
    for (int i = 0; i < 4; i++) {
        refused(rs_cu_cross_entropy_backward(&bad[i], test_stream()));
    }
    bad[3] = good;
    bad[3].divisor = 0.0;
    refused(rs_cu_cross_entropy_backward(&bad[3], test_stream()));
    refused(rs_cu_cross_entropy_backward(NULL, test_stream()));
}

static void more_arguments(void **state)
{
    (void)state;
    float *x = device_new(64);
    double *partial = device_new(64);
    uint8_t *hits = device_new(16);
    const rs_cu_loss_out nowhere = {0}, out = {.loss = device_new(sizeof(rs_cu_loss))};
    refused(rs_cu_loss_sum(partial, hits, 4, 1.0, &nowhere, test_stream()));
    refused(rs_cu_loss_sum(partial, NULL, 4, 1.0, &out, test_stream()));
    refused(rs_cu_loss_sum(partial, hits, 0, 1.0, &out, test_stream()));
    refused(rs_cu_loss_sum(partial, hits, 4, 0.0, &out, test_stream()));
    const rs_cu_squared good = {
        .x = x, .target = x, .count = 4, .divisor = 1.0, .partial = partial, .dx = x, .pass = RS_PASS_SET};
    rs_cu_squared bad = good;
    refused(rs_cu_squared_error(&good, &nowhere, test_stream()));
    bad.target = NULL;
    refused(rs_cu_squared_error(&bad, &out, test_stream()));
    refused(rs_cu_squared_backward(&bad, test_stream()));
    bad = good;
    bad.partial = NULL;
    refused(rs_cu_squared_error(&bad, &out, test_stream()));
    bad = good;
    bad.dx = x + 1;
    refused(rs_cu_squared_backward(&bad, test_stream()));
    refused(rs_cu_squared_backward(NULL, test_stream()));
    refused(rs_cu_sample_squares(x, 0, 4, partial, test_stream()));
    refused(rs_cu_sample_squares(x, 1, 4, NULL, test_stream()));
    assert_int_equal(rs_cu_squared_partial_bytes(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kernel_test(against_loops),  kernel_test(one_class),
        kernel_test(not_finite),     kernel_test(unknown_label),
        kernel_test(chosen_labels),  kernel_test(loss_of_a_layer),
        kernel_test(squared),        kernel_test(squared_not_a_number),
        kernel_test(squares),        kernel_test(arguments),
        kernel_test(more_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
