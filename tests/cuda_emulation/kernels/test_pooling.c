/* test_pooling.c: max pooling with its choices, and global averages, against plain loops. */
#include "on_device.h"

typedef struct shape {
    int64_t samples, height, width;
    int channels, kernel, stride, padding;
} shape;

/* Strips of all widths, maps that are cut into segments, windows that overlap, touch and leave gaps; the
 * last ones are too wide to be kept in shared memory, one of them in both passes. */
static const shape shapes[] = {
    {2, 16, 16, 64, 3, 2, 1},  {1, 9, 7, 4, 3, 2, 1},     {3, 8, 8, 3, 2, 2, 0},    {1, 64, 5, 132, 3, 2, 1},
    {2, 7, 9, 8, 3, 1, 1},     {1, 5, 5, 20, 5, 1, 2},    {1, 10, 11, 10, 2, 3, 1}, {2, 12, 12, 1, 3, 3, 0},
    {1, 56, 112, 16, 3, 2, 1}, {1, 40, 33, 4, 16, 1, 15}, {1, 18, 90, 5, 16, 3, 7}, {1, 3, 2050, 4, 3, 2, 1},
};

static rs_cu_window window_of(const shape *s)
{
    return (rs_cu_window){.samples = s->samples,
                          .in_height = s->height,
                          .in_width = s->width,
                          .out_height = (s->height + 2 * s->padding - s->kernel) / s->stride + 1,
                          .out_width = (s->width + 2 * s->padding - s->kernel) / s->stride + 1,
                          .channels = s->channels,
                          .kernel = s->kernel,
                          .stride = s->stride,
                          .padding = s->padding};
}

/* Index of x where (n, y, x, c) of a window's input lies; -1 in the padding. */
static int64_t input_at(const rs_cu_window *w, int64_t n, int64_t y, int64_t x, int64_t c)
{
    bool inside = y >= 0 && y < w->in_height && x >= 0 && x < w->in_width;
    return inside ? ((n * w->in_height + y) * w->in_width + x) * w->channels + c : -1;
}

/* The first largest of output o, NaN largest of all; its place in the window. */
static int64_t expect_choice(const rs_cu_window *w, const float *x, int64_t o, int *place)
{
    int64_t c = o % w->channels, ox = o / w->channels % w->out_width;
    int64_t oy = o / w->channels / w->out_width % w->out_height,
            n = o / w->channels / w->out_width / w->out_height;
    int64_t best = -1;
    for (int i = 0; i < w->kernel * w->kernel; i++) {
        int64_t at = input_at(w, n, oy * w->stride - w->padding + i / w->kernel,
                              ox * w->stride - w->padding + i % w->kernel, c);
        if (at >= 0 && (best < 0 || x[at] > x[best] || (isnan(x[at]) && !isnan(x[best])))) {
            best = at;
            *place = i;
        }
    }
    return best;
}

static void max_of(const shape *s, rs_fill fill)
{
    const rs_cu_window w = window_of(s);
    int64_t in = w.samples * w.in_height * w.in_width * w.channels;
    int64_t out = w.samples * w.out_height * w.out_width * w.channels;
    float *x = filled(fill, 1, in), *dy, *old;
    if (fill == RS_FILL_INTEGER && in > 200) {
        x[100] = x[100 + w.channels] = x[in - 1] = NAN; /* two neighbours of one channel */
        x[102] = -INFINITY;
    }
    const float *dev_x = device_put(x, in * 4), *dev_dy = device_filled(RS_FILL_NORMAL, 2, out, &dy);
    float *dev_y = device_new(out * 4), *dx = device_filled(RS_FILL_NORMAL, 3, in, &old);
    uint8_t *dev_choice = device_new(out), *choice = host_new(out);
    cuda_ok(rs_cu_max_pool_forward(&w, dev_x, dev_y, dev_choice, test_stream()));
    device_get(choice, dev_choice, out);
    const float *y = floats_from(dev_y, out);
    double *want = host_new(in * 8);
    for (int64_t o = 0; o < out; o++) {
        int place = -1;
        int64_t best = expect_choice(&w, x, o, &place);
        assert_int_equal(choice[o], place);
        assert_true(y[o] == x[best] || (isnan(y[o]) && isnan(x[best])));
        want[best] += (double)dy[o];
    }
    cuda_ok(rs_cu_max_pool_backward(&w, dev_choice, dev_dy, dx, RS_PASS_SET, test_stream()));
    close_on_device("dx", dx, want, in, 5e-7);
    cuda_ok(rs_cu_pass(device_put(old, in * 4), dx, RS_PASS_SET, in, test_stream()));
    cuda_ok(rs_cu_max_pool_backward(&w, dev_choice, dev_dy, dx, RS_PASS_ADD, test_stream()));
    for (int64_t i = 0; i < in; i++) {
        want[i] += (double)old[i];
    }
    close_on_device("dx, added", dx, want, in, 5e-7);
    cuda_ok(rs_cu_max_pool_forward(&w, dev_x, dev_y, NULL, test_stream())); /* in evaluation */
    assert_memory_equal(floats_from(dev_y, out), y, (size_t)out * 4);
}

static void max(void **state)
{
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        max_of(&shapes[i], RS_FILL_NORMAL);
        end_of_test(state);
    }
}

static void max_with_ties(void **state)
{
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        max_of(&shapes[i], RS_FILL_INTEGER);
        end_of_test(state);
    }
}

static void global_of(int64_t samples, int64_t positions, int channels)
{
    int64_t in = samples * positions * channels, out = samples * channels;
    float *x, *dy, *old;
    const float *dev_x = device_filled(RS_FILL_NORMAL, 4, in, &x),
                *dev_dy = device_filled(RS_FILL_NORMAL, 5, out, &dy);
    float *y = device_new(out * 4), *dx = device_filled(RS_FILL_NORMAL, 6, in, &old);
    double *want = host_new(out * 8), *want_dx = host_new(in * 8);
    for (int64_t i = 0; i < in; i++) {
        int64_t o = i / channels / positions * channels + i % channels;
        want[o] += (double)x[i] / (double)positions;
        want_dx[i] = (double)old[i] + (double)dy[o] / (double)positions;
    }
    cuda_ok(rs_cu_global_pool_forward(samples, positions, channels, dev_x, y, test_stream()));
    close_on_device("y", y, want, out, 1e-6);
    cuda_ok(rs_cu_global_pool_backward(samples, positions, channels, dev_dy, dx, RS_PASS_ADD, test_stream()));
    close_on_device("dx, added", dx, want_dx, in, 2e-7);
    cuda_ok(rs_cu_global_pool_backward(samples, positions, channels, dev_dy, dx, RS_PASS_SET, test_stream()));
    for (int64_t i = 0; i < in; i++) {
        want_dx[i] = (double)dy[i / channels / positions * channels + i % channels] / (double)positions;
    }
    close_on_device("dx", dx, want_dx, in, 2e-7);
}

static void global_average(void **state)
{
    static const int64_t cases[][3] = {{1, 1, 1},  {3, 16, 64},  {2, 49, 512},
                                       {5, 7, 10}, {2, 5000, 4}, {4, 1, 132}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        global_of(cases[i][0], cases[i][1], (int)cases[i][2]);
        end_of_test(state);
    }
}

static void arguments(void **state)
{
    (void)state;
    rs_cu_window w = window_of(&shapes[0]), bad = w;
    float *x = device_new(1 << 20), *y = device_new(1 << 20);
    uint8_t *choice = device_new(1 << 20);
    refused(rs_cu_max_pool_forward(&w, NULL, y, choice, test_stream()));
    refused(rs_cu_max_pool_forward(&w, x, y, choice + 1, test_stream()));
    bad.out_width++;
    refused(rs_cu_max_pool_forward(&bad, x, y, choice, test_stream()));
    bad = w;
    bad.padding = bad.kernel;
    refused(rs_cu_max_pool_forward(&bad, x, y, choice, test_stream()));
    bad = w;
    bad.kernel = 17;
    refused(rs_cu_max_pool_forward(&bad, x, y, choice, test_stream()));
    refused(rs_cu_max_pool_backward(&w, NULL, y, x, RS_PASS_SET, test_stream()));
    refused(rs_cu_global_pool_forward(0, 4, 4, x, y, test_stream()));
    refused(rs_cu_global_pool_backward(1, 4, 4, NULL, y, RS_PASS_ADD, test_stream()));
    cuda_ok(rs_cu_max_pool_backward(&w, choice, y, NULL, RS_PASS_NONE, test_stream()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kernel_test(max),
        kernel_test(max_with_ties),
        kernel_test(global_average),
        kernel_test(arguments),
    };
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
