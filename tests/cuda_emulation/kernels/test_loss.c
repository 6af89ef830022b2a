/* test_loss.c: softmax cross-entropy, its gradient and the hits, against loops in double. */
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
                          .dx = s->dx,
                          .losses = s->losses,
                          .hits = s->hits,
                          .loss = s->loss};
}

static rs_cu_loss run(subject *s, bool gradient)
{
    rs_cu_loss loss;
    s->device_x = device_put(s->x, s->count * s->classes * 4);
    rs_cu_scores scores = scores_of(s);
    scores.dx = gradient ? s->dx : NULL;
    cuda_ok(rs_cu_cross_entropy(&scores, test_stream()));
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
    rs_cu_loss got = run(&s, true);
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
    rs_cu_loss again = run(&s, false);
    assert_memory_equal(&again, &got, sizeof got);
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
    rs_cu_loss got = run(&s, true);
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
    rs_cu_loss got = run(&s, true);
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
    assert_true(isnan(run(&s, true).loss));
    s.labels[3] = -1;
    assert_true(isnan(run(&s, true).loss));
}

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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kernel_test(against_loops), kernel_test(one_class), kernel_test(not_finite),
        kernel_test(unknown_label), kernel_test(arguments),
    };
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
