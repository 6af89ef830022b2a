/* test_gather.c: batches from bytes: tables, padding channels, sample numbers, odd image sizes; and rows of floats. */
#include "on_device.h"

typedef struct shape {
    int64_t images, count, positions;
    int channels, stride;
} shape;

static const shape shapes[] = {
    {5, 5, 784, 1, 1},  {9, 4, 1024, 3, 4}, {3, 2, 4096, 3, 4}, {7, 7, 25, 3, 4},   {4, 3, 49, 3, 3},
    {2, 2, 1025, 1, 1}, {2, 1, 2048, 4, 4}, {3, 3, 1, 1, 1},    {6, 5, 1040, 2, 2}, {2, 2, 1600, 3, 8},
};

static uint8_t *random_bytes(int64_t count)
{
    uint8_t *bytes = host_new(count);
    uint32_t state = 12345;
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(state >> 24);
    }
    return bytes;
}

static void gather_of(const shape *s, bool numbered)
{
    int64_t image = s->channels * s->positions, floats = s->count * s->positions * s->stride;
    uint8_t *images = random_bytes(s->images * image);
    float *table;
    int64_t *ids = host_new(s->count * 8);
    int32_t *labels = host_new(s->images * 4), *got = host_new(s->count * 4);
    rs_cu_gather g = {
        .count = s->count, .positions = s->positions, .channels = s->channels, .stride = s->stride};
    for (int64_t i = 0; i < s->count; i++) {
        ids[i] = numbered ? (i * 3 + 1) % s->images : i;
    }
    for (int64_t i = 0; i < s->images; i++) {
        labels[i] = (int32_t)(i * 11);
    }
    g.images = device_put(images, s->images * image);
    g.labels = device_put(labels, s->images * 4);
    g.ids = numbered ? device_put(ids, s->count * 8) : NULL;
    g.table = device_filled(RS_FILL_NORMAL, 1, s->channels * 256, &table);
    g.x = device_new(floats * 4);
    g.labels_out = device_new(s->count * 4);
    cuda_ok(rs_cu_gather_launch(&g, test_stream()));
    const float *x = floats_from(g.x, floats);
    device_get(got, g.labels_out, s->count * 4);
    for (int64_t f = 0; f < floats; f++) {
        int64_t c = f % s->stride, p = f / s->stride % s->positions, i = f / s->stride / s->positions;
        float want =
            c < s->channels ? table[c * 256 + images[(ids[i] * s->channels + c) * s->positions + p]] : 0.0f;
        assert_true(x[f] == want);
        assert_int_equal(got[i], labels[ids[i]]);
    }
}

static void in_order(void **state)
{
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        gather_of(&shapes[i], false);
        end_of_test(state);
    }
}

static void by_number(void **state)
{
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        gather_of(&shapes[i], true);
        end_of_test(state);
    }
}

static void arguments(void **state)
{
    (void)state;
    float *x = device_new(4096);
    rs_cu_gather good = {.images = device_new(64),
                         .table = device_new(4096),
                         .x = x,
                         .count = 1,
                         .positions = 16,
                         .channels = 3,
                         .stride = 4};
    rs_cu_gather bad = good;
    cuda_ok(cudaMemsetAsync((void *)(uintptr_t)good.table, 0, 4096, test_stream()));
    cuda_ok(cudaMemsetAsync((void *)(uintptr_t)good.images, 0, 64, test_stream()));
    cuda_ok(rs_cu_gather_launch(&good, test_stream())); /* without labels */
    bad.stride = 2;
    refused(rs_cu_gather_launch(&bad, test_stream()));
    bad = good;
    bad.channels = 5;
    bad.stride = 8;
    refused(rs_cu_gather_launch(&bad, test_stream()));
    bad = good;
    bad.labels = device_new(16);
    refused(rs_cu_gather_launch(&bad, test_stream()));
    bad = good;
    bad.x = NULL;
    refused(rs_cu_gather_launch(&bad, test_stream()));
    refused(rs_cu_gather_launch(NULL, test_stream()));
}

static void rows_of(int64_t held, int64_t count, int64_t row, bool labelled)
{
    float *from;
    int64_t *ids = host_new(count * 8);
    int32_t *labels = host_new(held * 4), *got = host_new(count * 4);
    rs_cu_row_gather g = {.count = count, .row = row};
    for (int64_t i = 0; i < count; i++) {
        ids[i] = (i * 5 + 2) % held;
    }
    for (int64_t i = 0; i < held; i++) {
        labels[i] = (int32_t)(i * 13);
    }
    g.from = device_filled(RS_FILL_NORMAL, 1, held * row, &from);
    g.ids = device_put(ids, count * 8);
    g.to = device_new(count * row * 4);
    g.labels = labelled ? device_put(labels, held * 4) : NULL;
    g.labels_out = device_new(count * 4);
    cuda_ok(rs_cu_gather_rows(&g, test_stream()));
    const float *to = floats_from(g.to, count * row);
    for (int64_t i = 0; i < count; i++) {
        assert_memory_equal(to + i * row, from + ids[i] * row, (size_t)row * 4);
    }
    if (labelled) {
        device_get(got, g.labels_out, count * 4);
        for (int64_t i = 0; i < count; i++) {
            assert_int_equal(got[i], labels[ids[i]]);
        }
    }
}

static void rows(void **state)
{
    static const int64_t cases[][3] = {{1, 1, 1},   {7, 5, 3},    {300, 257, 1},
                                       {9, 9, 784}, {4, 3, 1025}, {50, 64, 4}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        rows_of(cases[i][0], cases[i][1], cases[i][2], i % 2);
        end_of_test(state);
        rows_of(cases[i][0], cases[i][1], cases[i][2], !(i % 2));
        end_of_test(state);
    }
}

static void row_arguments(void **state)
{
    (void)state;
    float *x = device_new(64);
    const rs_cu_row_gather good = {.from = x, .ids = device_new(16), .to = x, .count = 2, .row = 4};
    rs_cu_row_gather bad = good;
    bad.from = NULL;
    refused(rs_cu_gather_rows(&bad, test_stream()));
    bad = good;
    bad.to = x + 1;
    refused(rs_cu_gather_rows(&bad, test_stream()));
    bad = good;
    bad.ids = NULL;
    refused(rs_cu_gather_rows(&bad, test_stream()));
    bad = good;
    bad.row = 0;
    refused(rs_cu_gather_rows(&bad, test_stream()));
    bad = good;
    bad.labels = device_new(16);
    refused(rs_cu_gather_rows(&bad, test_stream()));
    refused(rs_cu_gather_rows(NULL, test_stream()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {kernel_test(in_order), kernel_test(by_number), kernel_test(arguments),
                                       kernel_test(rows), kernel_test(row_arguments)};
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
