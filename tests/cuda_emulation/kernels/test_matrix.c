/* test_matrix.c: products of matrices of channel vectors, both factors as they are and turned, against loops in double. */
#include "on_device.h"

typedef struct shape {
    int64_t samples, rows, columns, depth;
    int channels;
} shape;

static const shape shapes[] = {{1, 1, 1, 1, 1},  {2, 3, 4, 5, 1},   {3, 5, 2, 7, 3},   {2, 4, 6, 33, 4},
                               {1, 9, 9, 64, 8}, {5, 1, 10, 3, 16}, {2, 7, 1, 100, 6}, {4, 2, 3, 1, 5}};

/* turned: the factor lies transposed. */
static void product_of(const shape *s, bool turned_a, bool turned_b, rs_pass pass)
{
    int64_t c = s->channels, a_count = s->samples * s->rows * s->depth * c,
            b_count = s->samples * s->depth * s->columns * c, count = s->samples * s->rows * s->columns * c;
    float *a, *b, *old;
    double *want = host_new(count * 8);
    rs_cu_matrix m = {.samples = s->samples,
                      .rows = s->rows,
                      .columns = s->columns,
                      .depth = s->depth,
                      .a_row = turned_a ? 1 : s->depth,
                      .a_depth = turned_a ? s->rows : 1,
                      .b_depth = turned_b ? 1 : s->columns,
                      .b_column = turned_b ? s->depth : 1,
                      .channels = s->channels,
                      .pass = pass};
    m.a = device_filled(RS_FILL_NORMAL, 1, a_count, &a);
    m.b = device_filled(RS_FILL_NORMAL, 2, b_count, &b);
    m.y = device_filled(RS_FILL_NORMAL, 3, count, &old);
    cuda_ok(rs_cu_matrix_product(&m, test_stream()));
    for (int64_t i = 0; i < count; i++) {
        int64_t channel = i % c, column = i / c % s->columns, row = i / c / s->columns % s->rows,
                n = i / c / s->columns / s->rows;
        double sum = 0.0;
        for (int64_t k = 0; k < s->depth; k++) {
            int64_t left = n * s->rows * s->depth + (turned_a ? k * s->rows + row : row * s->depth + k);
            int64_t right =
                n * s->depth * s->columns + (turned_b ? column * s->depth + k : k * s->columns + column);
            sum += (double)a[left * c + channel] * (double)b[right * c + channel];
        }
        want[i] = (pass == RS_PASS_SET ? 0.0 : (double)old[i]) + (pass == RS_PASS_NONE ? 0.0 : sum);
    }
    close_on_device("y", m.y, want, count, 1e-6);
}

static void products(void **state)
{
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        for (int k = 0; k < 12; k++) {
            product_of(&shapes[i], k & 1, k & 2, (rs_pass)(k / 4));
            end_of_test(state);
        }
    }
}

static void arguments(void **state)
{
    (void)state;
    float *x = device_new(4096);
    const rs_cu_matrix good = {.a = x,
                               .b = x,
                               .y = x,
                               .samples = 1,
                               .rows = 2,
                               .columns = 3,
                               .depth = 4,
                               .a_row = 4,
                               .a_depth = 1,
                               .b_depth = 3,
                               .b_column = 1,
                               .channels = 2,
                               .pass = RS_PASS_SET};
    rs_cu_matrix bad[8] = {good, good, good, good, good, good, good, good};
    bad[0].a = NULL;
    bad[1].b = x + 1;
    bad[2].y = NULL;
    bad[3].samples = 0;
    bad[4].channels = 0;
    bad[5].a_row = 5; /* past the end */
    bad[6].b_depth = 0;
    bad[7].depth = 3;
    for (int i = 0; i < 8; i++) {
        refused(rs_cu_matrix_product(&bad[i], test_stream()));
    }
    refused(rs_cu_matrix_product(NULL, test_stream()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {kernel_test(products), kernel_test(arguments)};
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
