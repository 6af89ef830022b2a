/* test_function.c: samples of functions: the published formulas, where the samples lie, and requests refused. */
#include "data_files.h"

#include <math.h>
#include <string.h>

static rs_dataset_request request_of(const char *function, double from, double to, int64_t train,
                                     int64_t valid)
{
    return (rs_dataset_request){.name = "function",
                                .function = function,
                                .function_from = from,
                                .function_to = to,
                                .function_samples = train,
                                .function_valid = valid};
}

static rs_dataset *load(const rs_dataset_request *request)
{
    rs_dataset *dataset = NULL;
    ok(rs_dataset_load(request, &dataset, &error));
    return dataset;
}

/* Values worked out with 21 digits by mpmath, at places that a float holds exactly. */
static void test_formulas(void **state)
{
    static const struct {
        const char *function;
        double x, y;
    } known[] = {{"sin-log", 0.0, 0.0},
                 {"sin-log", 1.0, 1.53461816536784181607},
                 {"sin-log", 5.0, 0.832835194564916531919},
                 {"sin-log", 100.0, 4.10875487573150065723},
                 {"sin-log", -0.5, -1.17257271916414830969},
                 {"sinc", 0.0, 1.0},
                 {"sinc", 1.25, 0.0360126526462842427823},
                 {"sinc", -1.25, 0.0360126526462842427823},
                 {"sinc", 0.5, 0.127323954473516268615},
                 {"sinc-log", 0.0, 1.0},
                 {"sinc-log", 2.5, 1.27822775939007124941},
                 {"sinc-log", 0.125, 0.58831101780230572775}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        rs_dataset_request request = request_of(known[i].function, known[i].x, known[i].x + 1.0, 1, 1);
        rs_dataset *dataset = load(&request);
        assert_true(dataset->test.values[0] == (float)known[i].x);
        assert_true(fabs((double)dataset->test.targets[0] - known[i].y) <= 6e-8 * fabs(known[i].y));
        rs_dataset_destroy(dataset);
    }
}

static void test_description(void **state)
{
    rs_dataset_request request = request_of("sinc", 1.0, 5.0, 20, 9);
    rs_dataset *dataset = load(&request);
    (void)state;
    assert_string_equal(dataset->name, "function");
    assert_int_equal(dataset->channels * dataset->height * dataset->width, 1);
    assert_int_equal(dataset->classes, 1);
    assert_true(dataset->mean[0] == 0.0F && dataset->std[0] == 1.0F);
    assert_int_equal(dataset->train.count, 20);
    assert_int_equal(dataset->test.count, 9);
    assert_int_equal(dataset->valid.count, 0);
    assert_null(dataset->train.images);
    assert_null(dataset->train.labels);
    assert_string_equal(
        dataset->provenance,
        "name: function\nsource: built-in\nalgorithm: function-philox4x32-10/1\nfunction: sinc\n"
        "from: 1\nto: 5\nseed: 0\ntrain_samples: 20\ntest_samples: 9\nfiles: []\n");
    rs_dataset_destroy(dataset);
}

/* Evenly spaced, with both ends. */
static void test_validation_places(void **state)
{
    rs_dataset_request request = request_of("sin-log", 1.0, 5.0, 1, 401);
    rs_dataset *dataset = load(&request);
    (void)state;
    for (int i = 0; i <= 400; i++) {
        assert_true(fabs((double)dataset->test.values[i] - (1.0 + i * 0.01)) < 3e-7);
    }
    assert_true(dataset->test.values[0] == 1.0F && dataset->test.values[400] == 5.0F);
    rs_dataset_destroy(dataset);
    request.test_limit = 3;
    dataset = load(&request);
    assert_int_equal(dataset->test.count, 3);
    assert_true(fabs((double)dataset->test.values[2] - 1.02) < 1e-6);
    rs_dataset_destroy(dataset);
}

/* In the range; as many in each of twenty parts as chance allows; the mean and variance of a uniform draw. */
static void test_training_places(void **state)
{
    enum { SAMPLES = 20000, PARTS = 20 };
    rs_dataset_request request = request_of("sinc-log", 1.0, 100.0, SAMPLES, 1);
    rs_dataset *dataset = load(&request);
    int counts[PARTS] = {0};
    double sum = 0.0, chi = 0.0;
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        float x = dataset->train.values[i];
        assert_true(x >= 1.0F && x <= 100.0F);
        double wanted =
            sin(15.70796326794896619 * (double)x) / (15.70796326794896619 * (double)x) + log((double)x + 1.0);
        assert_true(fabs((double)dataset->train.targets[i] - wanted) < 4e-7);
        int part = (int)(((double)x - 1.0) / 99.0 * PARTS);
        counts[part < PARTS ? part : PARTS - 1]++;
        sum += (double)x;
    }
    for (int i = 0; i < PARTS; i++) {
        chi += (counts[i] - 1000.0) * (counts[i] - 1000.0) / 1000.0;
    }
    assert_true(chi < 43.8); /* one in a thousand for 19 degrees of freedom */
    assert_true(fabs(sum / SAMPLES - 50.5) < 4.0 * 99.0 / sqrt(12.0 * SAMPLES));
    rs_dataset_destroy(dataset);
}

/* The seed alone decides; more samples begin like fewer. */
static void test_seed(void **state)
{
    rs_dataset_request request = request_of("sinc", 1.0, 5.0, 100, 5);
    rs_dataset *some = load(&request);
    (void)state;
    request.function_samples = 300;
    rs_dataset *more = load(&request);
    assert_memory_equal(some->train.values, more->train.values, 100 * sizeof(float));
    request.train_limit = 50;
    rs_dataset *first = load(&request);
    assert_int_equal(first->train.count, 50);
    assert_memory_equal(some->train.targets, first->train.targets, 50 * sizeof(float));
    request.split_seed = 1;
    rs_dataset *other = load(&request);
    assert_memory_not_equal(some->train.values, other->train.values, 50 * sizeof(float));
    assert_memory_equal(some->test.values, other->test.values, 5 * sizeof(float));
    rs_dataset_destroy(some);
    rs_dataset_destroy(more);
    rs_dataset_destroy(first);
    rs_dataset_destroy(other);
}

/* Training samples can become validation samples, and both keep value and target together. */
static void test_division(void **state)
{
    rs_dataset_request request = request_of("sinc", 1.0, 5.0, 100, 5);
    rs_dataset *whole = load(&request);
    (void)state;
    request.valid_split = 30;
    rs_dataset *cut = load(&request);
    int64_t train = 0, valid = 0;
    assert_int_equal(cut->train.count, 70);
    assert_int_equal(cut->valid.count, 30);
    for (int i = 0; i < 100; i++) {
        bool is_valid = valid < 30 && cut->valid.values[valid] == whole->train.values[i];
        const rs_split *in = is_valid ? &cut->valid : &cut->train;
        int64_t at = is_valid ? valid++ : train++;
        assert_true(at < in->count && in->values[at] == whole->train.values[i]);
        assert_true(in->targets[at] == whole->train.targets[i]);
    }
    rs_dataset_destroy(whole);
    rs_dataset_destroy(cut);
}

static void wrong(rs_dataset_request request, const char *text)
{
    rs_dataset *dataset = NULL;
    refused(rs_dataset_load(&request, &dataset, &error), RS_USAGE, text);
    assert_null(dataset);
}

static void test_wrong_requests(void **state)
{
    rs_dataset_request request = request_of("sinc", 1.0, 5.0, 10, 10);
    (void)state;
    wrong(request_of("sin-lag", 1.0, 5.0, 10, 10), "no function \"sin-lag\"");
    says("nearest sin-log");
    wrong(request_of(NULL, 1.0, 5.0, 10, 10), "needs one: sin-log, sinc or sinc-log");
    wrong(request_of("", 1.0, 5.0, 10, 10), "needs one: sin-log, sinc or sinc-log");
    wrong(request_of("sinc", 5.0, 5.0, 10, 10), "the smaller first");
    wrong(request_of("sinc", 5.0, 1.0, 10, 10), "the smaller first");
    wrong(request_of("sinc", NAN, 1.0, 10, 10), "two numbers");
    wrong(request_of("sinc", 1.0, INFINITY, 10, 10), "two numbers");
    wrong(request_of("sinc", -3e38, 3e38, 10, 10), "two numbers");
    wrong(request_of("sin-log", -1.0, 5.0, 10, 10), "needs x above -1");
    wrong(request_of("sinc-log", -7.0, 5.0, 10, 10), "needs x above -1");
    wrong(request_of("sinc", 1.0, 5.0, 0, 10), "0 training and 10 validation samples");
    wrong(request_of("sinc", 1.0, 5.0, 10, -1), "1 to 100000000 each");
    wrong(request_of("sinc", 1.0, 5.0, 100000001, 1), "1 to 100000000 each");
    request.resize = 4;
    wrong(request, "resize is of images");
    request.resize = 0;
    request.random_labels = 0.5;
    wrong(request, "random labels: the data set function has none");
    request.random_labels = 0.0;
    request.normalization = "train";
    wrong(request, "normalization is of images");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_formulas),
                                       cmocka_unit_test(test_description),
                                       cmocka_unit_test(test_validation_places),
                                       cmocka_unit_test(test_training_places),
                                       cmocka_unit_test(test_seed),
                                       cmocka_unit_test(test_division),
                                       cmocka_unit_test(test_wrong_requests)};
    return cmocka_run_group_tests_name("functions", tests, NULL, NULL);
}
