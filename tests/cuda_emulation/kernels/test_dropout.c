/* test_dropout.c: dropout against loops that draw by rs/random.h; everything is equal to the bit. */
#include "on_device.h"

#include "rs/random.h"

typedef struct subject {
    int64_t samples, size;
    rs_dropout rule;
    int64_t *ids;
    uint32_t epoch;
    float *x, *old;          /* on the host */
    rs_cu_dropout on_device; /* y holds `old` */
} subject;

static subject make_subject(int64_t samples, int64_t size, double rate)
{
    int64_t count = samples * size;
    subject s = {
        .samples = samples, .size = size, .rule = rs_dropout_make(7, "layer1.dropout", rate), .epoch = 5};
    s.ids = host_new(samples * 8);
    for (int64_t n = 0; n < samples; n++) {
        s.ids[n] = n % 3 == 2 ? 5000000000 + n : 17 * n + 3;
    }
    s.on_device =
        (rs_cu_dropout){.samples = samples, .sample_floats = size, .rule = s.rule, .pass = RS_PASS_SET};
    s.on_device.x = device_filled(RS_FILL_NORMAL, 1, count, &s.x);
    s.on_device.y = device_filled(RS_FILL_NORMAL, 2, count, &s.old);
    s.on_device.ids = device_put(s.ids, samples * 8);
    s.on_device.epoch = device_put(&s.epoch, sizeof s.epoch);
    return s;
}

/* What lies at element i of the batch after a pass. */
static float wanted(const subject *s, int64_t i, rs_pass pass)
{
    int64_t id = s->ids[i / s->size], element = i % s->size;
    rs_philox draw = rs_philox_at((uint64_t)s->rule.key[1] << 32 | s->rule.key[0],
                                  (uint64_t)s->epoch << 32 | (uint64_t)id >> 32,
                                  (uint64_t)(uint32_t)id << 32 | (uint64_t)element / 4);
    float value = draw.word[element % 4] >= s->rule.threshold ? s->x[i] * (float)s->rule.scale : 0.0f;
    return pass == RS_PASS_ADD ? s->old[i] + value : value;
}

static void expect(const subject *s, rs_pass pass)
{
    const float *got = floats_from(s->on_device.y, s->samples * s->size);
    for (int64_t i = 0; i < s->samples * s->size; i++) {
        float want = wanted(s, i, pass);
        if (memcmp(&got[i], &want, sizeof want) != 0) {
            fail_msg("%lld samples of %lld, at %lld: %.9g instead of %.9g", (long long)s->samples,
                     (long long)s->size, (long long)i, (double)got[i], (double)want);
        }
    }
}

static void against_loops(void **state)
{
    static const int64_t shapes[][2] = {{1, 1},    {5, 3},    {3, 4},    {300, 10}, {7, 64},
                                        {3, 1023}, {2, 1028}, {3, 4097}, {1, 30000}};
    static const double rates[] = {0.5, 0.1, 0.9};
    for (int i = 0; i < 2 * COUNT_OF(shapes); i++) {
        subject s = make_subject(shapes[i / 2][0], shapes[i / 2][1], rates[i % 3]);
        s.on_device.pass = i % 2 ? RS_PASS_ADD : RS_PASS_SET;
        cuda_ok(rs_cu_dropout_launch(&s.on_device, test_stream()));
        expect(&s, s.on_device.pass);
        end_of_test(state);
    }
}

/* Sample numbers and epoch are read when the kernel runs: a captured launch draws anew. */
static void draws_by_device_memory(void **state)
{
    (void)state;
    subject s = make_subject(3, 500, 0.5);
    uint32_t *epoch = (uint32_t *)(uintptr_t)s.on_device.epoch;
    for (s.epoch = 0; s.epoch < 3; s.epoch++) {
        cuda_ok(cudaMemcpyAsync(epoch, &s.epoch, sizeof s.epoch, cudaMemcpyHostToDevice, test_stream()));
        cuda_ok(rs_cu_dropout_launch(&s.on_device, test_stream()));
        cuda_ok(cudaStreamSynchronize(test_stream()));
        expect(&s, RS_PASS_SET);
    }
}

static void in_place(void **state)
{
    (void)state;
    for (int64_t size = 39; size <= 40; size++) {
        subject s = make_subject(4, size, 0.3);
        s.on_device.y = device_put(s.x, 4 * size * 4);
        s.on_device.x = s.on_device.y;
        cuda_ok(rs_cu_dropout_launch(&s.on_device, test_stream()));
        expect(&s, RS_PASS_SET);
    }
}

/* What is left out is 0, whatever it was; what is kept stays what it is. */
static void not_finite(void **state)
{
    (void)state;
    static const float special[] = {NAN, INFINITY, -INFINITY, -1.0f};
    subject s = make_subject(2, 400, 0.5);
    for (int i = 0; i < 800; i++) {
        s.x[i] = special[i / 5 % 4];
    }
    s.on_device.x = device_put(s.x, 800 * 4);
    cuda_ok(rs_cu_dropout_launch(&s.on_device, test_stream()));
    const float *got = floats_from(s.on_device.y, 800);
    int zeros = 0, nans = 0;
    for (int64_t i = 0; i < 800; i++) {
        float want = wanted(&s, i, RS_PASS_SET);
        zeros += got[i] == 0.0f;
        nans += isnan(got[i]);
        assert_true(isnan(want) ? isnan(got[i]) : got[i] == want);
    }
    assert_true(zeros > 300 && nans > 50);
}

static void rate_0_and_no_pass(void **state)
{
    (void)state;
    subject s = make_subject(3, 77, 0.0);
    s.on_device.pass = RS_PASS_NONE;
    cuda_ok(rs_cu_dropout_launch(&s.on_device, test_stream()));
    assert_memory_equal(floats_from(s.on_device.y, 231), s.old, 231 * 4);
    s.on_device.pass = RS_PASS_SET;
    cuda_ok(rs_cu_dropout_launch(&s.on_device, test_stream()));
    assert_memory_equal(floats_from(s.on_device.y, 231), s.x, 231 * 4);
}

static void refuse(const subject *s, void (*spoil)(rs_cu_dropout *))
{
    rs_cu_dropout d = s->on_device;
    spoil(&d);
    refused(rs_cu_dropout_launch(&d, test_stream()));
}

static void without_x(rs_cu_dropout *d)
{
    d->x = NULL;
}
static void askew(rs_cu_dropout *d)
{
    d->y += 1;
}
static void without_ids(rs_cu_dropout *d)
{
    d->ids = NULL;
}
static void without_epoch(rs_cu_dropout *d)
{
    d->epoch = NULL;
}
static void without_samples(rs_cu_dropout *d)
{
    d->samples = 0;
}
static void without_elements(rs_cu_dropout *d)
{
    d->sample_floats = 0;
}
static void with_too_many(rs_cu_dropout *d)
{
    d->sample_floats = ((int64_t)1 << 34) + 4;
}

static void arguments(void **state)
{
    (void)state;
    void (*const spoils[])(rs_cu_dropout *) = {
        without_x, askew, without_ids, without_epoch, without_samples, without_elements, with_too_many};
    subject s = make_subject(2, 8, 0.5);
    refused(rs_cu_dropout_launch(NULL, test_stream()));
    for (int i = 0; i < COUNT_OF(spoils); i++) {
        refuse(&s, spoils[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kernel_test(against_loops), kernel_test(draws_by_device_memory), kernel_test(in_place),
        kernel_test(not_finite),    kernel_test(rate_0_and_no_pass),     kernel_test(arguments),
    };
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
